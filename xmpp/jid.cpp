#include "xmpp/jid.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "xmpp/names.hpp"

namespace xmpp {

namespace {

constexpr std::size_t longest = 3071;  // RFC 7622 §3.1

/// The child of this name; empty: there is none.
std::string child_of(xml::Pool& pool, const std::string& element, std::string_view ns,
                     std::string_view name) {
  xml::Options options;
  options.limits = xml::no_limits();
  options.drop_text = true;
  xml::Parser& parser = pool.documents();
  if (parser.read(options, element) != xml::Error::none) return {};
  for (const xml::Found& found : parser.found())
    if (found.element.is(ns, name)) return found.element.to_string();
  return {};
}

/// The text of an element that has nothing else.
std::string text_of(std::string_view element) {
  const auto begin = element.find('>') + 1;
  const auto end = element.rfind("</");
  if (end == element.npos || end < begin || end - begin > longest) return {};
  std::string_view text = element.substr(begin, end - begin);
  constexpr std::array<std::pair<std::string_view, char>, 5> entities{
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&apos;", '\''}, {"&quot;", '"'}}};
  std::string out;
  while (!text.empty()) {
    char c = text.front();
    std::size_t length = 1;
    for (const auto& [entity, meant] : entities)
      if (text.starts_with(entity)) {
        c = meant;
        length = entity.size();
      }
    out += c;
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace

std::string bound_jid(xml::Pool& pool, const xml::Element& element) {
  if (element.is(sasl2_ns, "success"))
    return text_of(child_of(pool, element.to_string(), sasl2_ns, "authorization-identifier"));
  if (!element.is(content_ns, "iq") || element.bytes.find(bind_ns) == element.bytes.npos) return {};
  const std::string bind = child_of(pool, element.to_string(), bind_ns, "bind");
  return bind.empty() ? std::string() : text_of(child_of(pool, bind, bind_ns, "jid"));
}

}  // namespace xmpp
