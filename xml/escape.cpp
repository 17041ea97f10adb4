#include "xml/escape.hpp"

#include <algorithm>
#include <array>

namespace xml {

namespace {

std::string_view reference(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '\'':
      return "&apos;";
    case '"':
      return "&quot;";
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return {};
  }
}

constexpr auto escaped = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("&<>'\"\t\n\r")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (true) {
    const auto* const special =
        std::ranges::find_if(text, [](char c) { return escaped[static_cast<unsigned char>(c)]; });
    out.append(text.begin(), special);
    if (special == text.end()) return;
    out += reference(*special);
    text.remove_prefix(static_cast<std::size_t>(special - text.begin()) + 1);
  }
}

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += "='";
  append_escaped(out, value);
  out += '\'';
}

}  // namespace xml
