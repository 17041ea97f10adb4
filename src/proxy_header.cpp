#include "src/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "src/text.hpp"

namespace boshd {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::string_view line_start = "PROXY "sv;
constexpr std::size_t longest_line = 107;
constexpr std::size_t binary_head = 16;
constexpr std::size_t longest_binary = 4096;  // U-129
constexpr unsigned local_command = 0x20;
constexpr unsigned proxy_command = 0x21;
constexpr unsigned ipv4_family = 1;
constexpr unsigned ipv6_family = 2;
constexpr unsigned unix_family = 3;
constexpr unsigned stream_transport = 1;
constexpr unsigned datagram_transport = 2;
constexpr unsigned crc_type = 0x03;
constexpr unsigned tls_type = 0x20;

std::uint8_t byte(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
std::uint16_t number16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte(bytes, at) << 8 | byte(bytes, at + 1));
}
void append16(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xff);
}

/// CRC-32C, as RFC 3720 has it.
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82f63b78U & (0U - (crc & 1)));
  }
  return ~crc;
}

Address read_address(std::string_view bytes) {
  Address address;
  const auto last = address.bytes.end() - static_cast<std::ptrdiff_t>(bytes.size());
  if (bytes.size() == 4) address.bytes[10] = address.bytes[11] = 0xff;
  std::ranges::transform(bytes, last, [](char c) { return static_cast<std::uint8_t>(c); });
  return address;
}

/// The fixed part of version 2. A proxy that speaks for itself may do so in any family.
bool is_known(std::string_view head) {
  const unsigned command = byte(head, 12);
  const unsigned family = byte(head, 13);
  if (number16(head, 14) > longest_binary) return false;
  return command == local_command ||
         (command == proxy_command && family >> 4 <= unix_family && (family & 15) <= datagram_transport);
}

/// An address of a line, written in its family.
std::optional<Address> read_text(std::string_view text, std::string_view family) {
  const bool ipv6 = text.find(':') != text.npos;
  return family == (ipv6 ? "TCP6" : "TCP4") ? parse_ip(text) : std::nullopt;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool right = error == std::errc{} && end == text.data() + text.size();
  if (!right || (text.size() > 1 && text.front() == '0')) return {};
  return port;
}

}  // namespace

std::size_t ProxyHeaderReader::read(std::string_view bytes) {
  std::size_t used = 0;
  while (state_ == State::reading && used < bytes.size()) {
    const std::string_view part = bytes.substr(used, wanted());
    used += part.size();
    bytes_ += part;
    const std::string_view start = std::string_view(bytes_).substr(0, signature.size());
    if (signature.starts_with(start)) {
      if (bytes_.size() == binary_head && !is_known(bytes_))
        state_ = State::failed;
      else if (bytes_.size() >= binary_head && wanted() == 0)
        take_binary();
    } else if (line_start.starts_with(start.substr(0, line_start.size()))) {
      if (bytes_.ends_with('\n') || bytes_.size() >= longest_line) take_line();
    } else {
      state_ = State::failed;
    }
  }
  return used;
}

/// How many bytes more belong to the header for sure.
std::size_t ProxyHeaderReader::wanted() const {
  if (bytes_.size() < signature.size() || bytes_.starts_with(line_start)) return 1;
  if (bytes_.size() < binary_head) return binary_head - bytes_.size();
  return binary_head + number16(bytes_, 14) - bytes_.size();
}

void ProxyHeaderReader::take_line() {
  std::string_view line = bytes_;
  state_ = State::failed;
  if (!line.ends_with("\r\n") || line.find('\r') != line.size() - 2) return;
  line.remove_suffix(2);
  line.remove_prefix(line_start.size());
  const std::string_view family = cut(line, " ");
  if (family == "UNKNOWN") {
    state_ = State::complete;
    return;
  }
  const auto source = read_text(cut(line, " "), family);
  const auto destination = read_text(cut(line, " "), family);
  const auto source_port = read_port(cut(line, " "));
  const auto destination_port = read_port(line);
  if (!source || !destination || !source_port || !destination_port) return;
  origin_ = {Endpoint{*source, *source_port}, Endpoint{*destination, *destination_port}, false};
  state_ = State::complete;
}

void ProxyHeaderReader::take_binary() {
  state_ = State::failed;
  std::string_view bytes = bytes_;
  std::string_view rest = bytes.substr(binary_head);
  if (byte(bytes, 12) == local_command) {  // whatever else there is
    state_ = State::complete;
    return;
  }
  const unsigned family = byte(bytes, 13) >> 4;
  const std::size_t size = family == ipv4_family ? 4 : family == ipv6_family ? 16 : 0;
  const std::size_t addresses = family == unix_family ? 216 : 2 * size + (size > 0 ? 4 : 0);
  if (rest.size() < addresses) return;
  if (size > 0)
    origin_ = {Endpoint{read_address(rest.substr(0, size)), number16(rest, 2 * size)},
               Endpoint{read_address(rest.substr(size, size)), number16(rest, 2 * size + 2)}, false};
  rest.remove_prefix(addresses);
  while (rest.size() >= 3) {
    const unsigned type = byte(rest, 0);
    const std::string_view value = rest.substr(3, number16(rest, 1));
    if (value.size() < number16(rest, 1)) return;
    if (type == tls_type && !value.empty()) origin_.tls = (byte(value, 0) & 1) != 0;
    if (type == crc_type) {
      if (value.size() != 4) return;
      std::string zeroed(bytes);
      zeroed.replace(static_cast<std::size_t>(value.data() - bytes.data()), 4, 4, '\0');
      const std::uint32_t told = std::uint32_t{number16(value, 0)} << 16 | number16(value, 2);
      if (told != crc32c(zeroed)) return;
    }
    rest.remove_prefix(3 + value.size());
  }
  if (rest.empty()) state_ = State::complete;
}

std::string proxy_header(ProxyHeader version, const Endpoint& source, const Endpoint& destination) {
  if (version == ProxyHeader::none) return {};
  // Both in one family (U-118); receivers refuse ports that no connection has (U-120).
  const bool ipv4 = is_ipv4(source.address) && is_ipv4(destination.address);
  const auto port = [](const Endpoint& end) {
    return end.port == 0 || end.port == 65535 ? 1 : int{end.port};
  };
  if (version == ProxyHeader::v1) {
    const auto text = [ipv4](const Address& address) {
      return ipv4 ? to_string(address) : to_ipv6_string(address);
    };
    return std::string("PROXY ") + (ipv4 ? "TCP4 " : "TCP6 ") + text(source.address) + ' ' +
           text(destination.address) + ' ' + std::to_string(port(source)) + ' ' +
           std::to_string(port(destination)) + "\r\n";
  }
  const std::size_t size = ipv4 ? 4 : 16;
  std::string out(signature);
  out += static_cast<char>(proxy_command);
  out += static_cast<char>((ipv4 ? ipv4_family : ipv6_family) << 4 | stream_transport);
  append16(out, 2 * size + 4);
  for (const Endpoint* end : {&source, &destination})
    out.append(reinterpret_cast<const char*>(end->address.bytes.data()) + (16 - size), size);
  append16(out, static_cast<std::size_t>(port(source)));
  append16(out, static_cast<std::size_t>(port(destination)));
  return out;
}

}  // namespace boshd
