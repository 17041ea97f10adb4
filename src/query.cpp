#include "src/query.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "src/text.hpp"
#include "websocket/frames.hpp"
#include "xml/escape.hpp"
#include "xmpp/names.hpp"

namespace boshd {

namespace {

/// Undoes percent-encoding and `+` (WHATWG URL §5.1).
std::optional<std::string> decode_value(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    if (text[i] == '%' && digits.size() == 2 &&
        std::from_chars(digits.data(), digits.data() + 2, byte, 16).ptr == digits.data() + 2) {
      value += static_cast<char>(byte);
      i += 2;
    } else {
      value += text[i] == '+' ? ' ' : text[i];
    }
  }
  if (!websocket::is_utf8(value) || std::ranges::any_of(value, is_control)) return {};
  if (value.find("\xef\xbf\xbe") != value.npos || value.find("\xef\xbf\xbf") != value.npos) return {};
  return value;
}

}  // namespace

std::string query_element(std::string_view target, const std::vector<std::string>& allowed) {
  const auto mark = target.find('?');
  if (mark == target.npos || allowed.empty()) return {};
  std::string_view query = target.substr(mark + 1);
  std::string parameters;
  while (!query.empty()) {
    std::string_view value = cut(query, "&");
    const std::string_view name = cut(value, "=");
    if (std::ranges::find(allowed, name) == allowed.end()) continue;
    const auto decoded = decode_value(value);
    if (!decoded) continue;
    parameters += "<parameter";
    xml::append_attribute(parameters, "name", name);
    parameters += '>';
    xml::append_escaped(parameters, *decoded);
    parameters += "</parameter>";
  }
  if (parameters.empty()) return {};
  return "<query xmlns='" + std::string(xmpp::query_ns) + "'>" + parameters + "</query>";
}

}  // namespace boshd
