// IP addresses and networks: who is a trusted proxy, and which address a request speaks for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boshd {

/// An IP address; all zero for a Unix socket. IPv4 is kept as ::ffff:a.b.c.d, so that one comparison serves
/// both families (D-098).
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const Address&, const Address&) = default;
};

/// Reads an address and nothing else: "192.0.2.1", "2001:db8::1".
std::optional<Address> parse_ip(std::string_view text);
/// Reads an address as proxies write it, also with brackets, port or zone, which are dropped (RFC 7239 §6).
std::optional<Address> parse_address(std::string_view text);
std::string to_string(const Address&);
/// IPv4 as "::ffff:192.0.2.1", for those who want one family.
std::string to_ipv6_string(const Address&);
bool is_ipv4(const Address&);
/// Where a server of the public internet can be: not loopback, link-local, private, multicast, or set aside
/// for something else (RFC 6890).
bool is_public(const Address&);
/// The address that limits count: of IPv6 the /64, which is one customer.
Address limited_part(const Address&);
/// 127.0.0.0/8 and ::1.
bool is_loopback(const Address&);

/// An address range: "10.0.0.0/8", "::1".
struct Network {
  Address address;
  unsigned prefix = 128;  // bits, counted in the 128-bit form
  bool contains(const Address&) const;
  friend bool operator==(const Network&, const Network&) = default;
};
/// Refuses bits below the prefix ("10.1.2.3/8"): who wrote them may have meant one host.
std::optional<Network> parse_network(std::string_view text);
std::string to_string(const Network&);

/// 127.0.0.1 and ::1.
std::vector<Network> loopback_networks();

bool is_in(const Address&, const std::vector<Network>&);

}  // namespace boshd
