#include "src/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "src/text.hpp"

namespace boshd {
namespace {

constexpr unsigned ipv4_prefix = 96;

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

/// The part in brackets of "[::1]" and "[::1]:80"; empty when there is anything else around it.
std::string_view inside_brackets(std::string_view text) {
  const auto close = text.find(']');
  if (close == std::string_view::npos) return {};
  const auto rest = text.substr(close + 1);
  if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return {};
  return text.substr(1, close - 1);
}

std::optional<Address> parse_ipv6_with_zone(std::string_view text) {
  const auto address = text.substr(0, text.find('%'));
  if (address.find(':') == std::string_view::npos) return {};
  return parse_ip(address);
}

bool any_bit_below(const Address& address, unsigned prefix) {
  for (unsigned bit = prefix; bit < 128; ++bit) {
    if ((address.bytes[bit / 8] >> (7 - bit % 8)) & 1) return true;
  }
  return false;
}

}  // namespace

std::optional<Address> parse_ip(std::string_view text) {
  char name[INET6_ADDRSTRLEN] = {};  // inet_pton wants a terminated string
  if (text.size() >= sizeof name || text.find('\0') != std::string_view::npos) return {};
  std::copy(text.begin(), text.end(), name);
  Address address;
  if (inet_pton(AF_INET6, name, address.bytes.data()) == 1) return address;
  if (inet_pton(AF_INET, name, address.bytes.data() + ipv4_prefix / 8) != 1) return {};
  address.bytes[10] = address.bytes[11] = 0xff;
  return address;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.starts_with('[')) return parse_ipv6_with_zone(inside_brackets(text));
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return parse_ip(text);
  if (text.find(':', colon + 1) != std::string_view::npos) return parse_ipv6_with_zone(text);
  if (!is_port(text.substr(colon + 1))) return {};
  return parse_ip(text.substr(0, colon));
}

bool is_ipv4(const Address& address) {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(mapped.begin(), mapped.end(), address.bytes.begin());
}

std::string to_ipv6_string(const Address& address) {
  return (is_ipv4(address) ? "::ffff:" : "") + to_string(address);
}

std::string to_string(const Address& address) {
  char text[INET6_ADDRSTRLEN];
  if (is_ipv4(address)) return inet_ntop(AF_INET, address.bytes.data() + ipv4_prefix / 8, text, sizeof text);
  return inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
}

bool is_loopback(const Address& address) {
  static const Network networks[] = {*parse_network("127.0.0.0/8"), *parse_network("::1")};
  return networks[0].contains(address) || networks[1].contains(address);
}

// IPv6 in transition may carry an IPv4 address, so those prefixes are not public either: 6to4, Teredo, NAT64
// and the deprecated compatible addresses.
bool is_public(const Address& address) {
  static const std::vector<Network> others = [] {
    std::vector<Network> networks;
    for (const auto* text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
          "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
          "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"})
      networks.push_back(*parse_network(text));
    return networks;
  }();
  static const Network global = *parse_network("2000::/3");
  static const std::vector<Network> special{*parse_network("2001::/23"), *parse_network("2001:db8::/32"),
                                            *parse_network("2002::/16"), *parse_network("3fff::/20")};
  if (is_ipv4(address)) return !is_in(address, others);
  return global.contains(address) && !is_in(address, special);
}

Address limited_part(const Address& address) {
  Address part = address;
  if (!is_ipv4(address)) std::fill(part.bytes.begin() + 8, part.bytes.end(), std::uint8_t{0});
  return part;
}

bool Network::contains(const Address& other) const {
  const auto whole = prefix / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, other.bytes.begin())) return false;
  if (prefix % 8 == 0) return true;
  const auto differing = address.bytes[whole] ^ other.bytes[whole];
  return differing >> (8 - prefix % 8) == 0;
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return {};
  if (slash == std::string_view::npos) return Network{*address, 128};
  const auto bits = text.substr(slash + 1);
  const bool written_as_ipv4 = text.find(':') == std::string_view::npos;
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), prefix);
  if (error != std::errc{} || end != bits.data() + bits.size()) return {};
  if (prefix > (written_as_ipv4 ? 32U : 128U)) return {};
  if (written_as_ipv4) prefix += ipv4_prefix;
  if (any_bit_below(*address, prefix)) return {};
  return Network{*address, prefix};
}

std::string to_string(const Network& network) {
  auto address = to_string(network.address);
  if (network.prefix == 128) return address;
  const bool written_as_ipv4 = address.find(':') == std::string::npos;
  return address + "/" + std::to_string(written_as_ipv4 ? network.prefix - ipv4_prefix : network.prefix);
}

std::vector<Network> loopback_networks() {
  return {*parse_network("127.0.0.1"), *parse_network("::1")};
}

bool is_in(const Address& address, const std::vector<Network>& networks) {
  return std::any_of(networks.begin(), networks.end(), [&](const Network& n) { return n.contains(address); });
}

}  // namespace boshd
