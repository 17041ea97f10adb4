#include "src/script.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "src/routes.hpp"

namespace boshd {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Line separators, and the characters of Unicode's category Cf (version 15), which some engines drop from
// source text.
constexpr std::array escaped{
    Range{0xAD, 0xAD},       Range{0x600, 0x605},     Range{0x61C, 0x61C},     Range{0x6DD, 0x6DD},
    Range{0x70F, 0x70F},     Range{0x890, 0x891},     Range{0x8E2, 0x8E2},     Range{0x180E, 0x180E},
    Range{0x200B, 0x200F},   Range{0x2028, 0x202E},   Range{0x2060, 0x2064},   Range{0x2066, 0x206F},
    Range{0xFEFF, 0xFEFF},   Range{0xFFF9, 0xFFFB},   Range{0x110BD, 0x110BD}, Range{0x110CD, 0x110CD},
    Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A}, Range{0xE0001, 0xE0001},
    Range{0xE0020, 0xE007F},
};

bool is_escaped(std::uint32_t c) {
  return std::ranges::any_of(escaped, [&](Range range) { return c >= range.first && c <= range.last; });
}

void append_unit(std::string& out, std::uint32_t unit) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "\\u%04X", unit & 0xFFFFU);
  out += text.data();
}

/// As JavaScript writes it: in units of UTF-16.
void append_code(std::string& out, std::uint32_t c) {
  if (c < 0x10000) return append_unit(out, c);
  append_unit(out, 0xD800 + ((c - 0x10000) >> 10U));
  append_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FFU));
}

std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xE0) return 2;
  return lead < 0xF0 ? 3 : 4;
}

/// One character of valid UTF-8.
std::uint32_t decode(std::string_view character) {
  constexpr std::array<std::uint32_t, 5> lead_bits{0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t c = static_cast<unsigned char>(character[0]) & lead_bits[character.size()];
  for (const char byte : character.substr(1)) c = c << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
  return c;
}

}  // namespace

std::optional<std::string> script_body(const HttpRequest& request, std::string_view bosh_path) {
  const auto mark = request.target.find('?');
  if (request.method != Method::get || mark == std::string::npos) return std::nullopt;
  if (path_of(request.target) != path_of(bosh_path)) return std::nullopt;
  return unescape(std::string_view(request.target).substr(mark + 1));
}

std::string script_call(std::string_view body) {
  std::string out = "_BOSH_(\"";
  while (!body.empty()) {
    const std::size_t length = std::min(length_of(static_cast<unsigned char>(body[0])), body.size());
    const std::string_view character = body.substr(0, length);
    const std::uint32_t code = decode(character);
    if (code == '"' || code == '\\')
      out.append(1, '\\').append(character);
    else if (code == '\n')
      out += "\\n";
    else if (code == '\r')
      out += "\\r";
    else if (is_escaped(code))
      append_code(out, code);
    else
      out += character;
    body.remove_prefix(length);
  }
  return out + "\")";
}

}  // namespace boshd
