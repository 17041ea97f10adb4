#include "src/sid.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace boshd {

namespace {

constexpr std::size_t shard_digits = 2;
constexpr std::size_t half_digits = 16;

void append_hex(std::string& out, std::uint64_t value, std::size_t digits) {
  for (std::size_t i = digits; i-- > 0;) out += "0123456789abcdef"[value >> (4 * i) & 15];
}

std::optional<std::uint64_t> read_hex(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<unsigned>(digit ? c - '0' : c - 'a' + 10);
  }
  return value;
}

}  // namespace

Sid random_sid(unsigned shard) {
  std::array<std::uint64_t, 2> bits{};
  while (::getrandom(bits.data(), sizeof bits, 0) != static_cast<ssize_t>(sizeof bits))
    if (errno != EINTR) throw std::system_error(errno, std::system_category(), "getrandom");
  return {shard, bits[0], bits[1]};
}

std::string to_string(const Sid& sid, std::string_view label) {
  std::string out(label);
  if (!label.empty()) out += '-';
  append_hex(out, sid.shard, shard_digits);
  append_hex(out, sid.high, half_digits);
  append_hex(out, sid.low, half_digits);
  return out;
}

std::optional<Sid> parse_sid(std::string_view text, std::string_view label) {
  if (!label.empty()) {
    if (!text.starts_with(label) || !text.substr(label.size()).starts_with('-')) return std::nullopt;
    text.remove_prefix(label.size() + 1);
  }
  if (text.size() != shard_digits + 2 * half_digits) return std::nullopt;
  const auto shard = read_hex(text.substr(0, shard_digits));
  const auto high = read_hex(text.substr(shard_digits, half_digits));
  const auto low = read_hex(text.substr(shard_digits + half_digits));
  if (!shard || !high || !low) return std::nullopt;
  return Sid{static_cast<unsigned>(*shard), *high, *low};
}

}  // namespace boshd
