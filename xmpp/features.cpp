#include "xmpp/features.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "xmpp/names.hpp"

namespace xmpp {

namespace {

constexpr std::string_view fast_ns = "urn:xmpp:fast:0";

struct Name {
  std::string_view ns;
  std::string_view name;
};

constexpr std::array hidden{
    Name{tls_ns, "starttls"},
    Name{"http://jabber.org/features/compress", "compression"},
    Name{"urn:xmpp:sasl-cb:0", "sasl-channel-binding"},
    Name{"urn:xmpp:features:pipelining", "pipelining"},
};

// The elements in which something hidden may stand.
constexpr std::array containers{
    Name{sasl_ns, "mechanisms"},
    Name{sasl2_ns, "authentication"},
    Name{sasl2_ns, "inline"},
    Name{fast_ns, "fast"},
};

bool any_of(const auto& names, const xml::Element& element) {
  return std::ranges::any_of(names, [&](const Name& n) { return element.is(n.ns, n.name); });
}

std::string_view text_of(std::string_view element) {
  const auto begin = element.find('>');
  const auto end = element.rfind("</");
  if (begin == element.npos || end == element.npos || end <= begin) return {};
  std::string_view text = element.substr(begin + 1, end - begin - 1);
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// SCRAM-…-PLUS, and the hashed tokens of XEP-0484 whose suffix names a channel binding.
bool binds_to_channel(std::string_view mechanism) {
  constexpr std::array<std::string_view, 4> suffixes{"-PLUS", "-UNIQ", "-ENDP", "-EXPR"};
  return std::ranges::any_of(suffixes, [&](std::string_view suffix) { return mechanism.ends_with(suffix); });
}

bool keep(const xml::Element& element) {
  if (any_of(hidden, element)) return false;
  return element.name != "mechanism" || !binds_to_channel(text_of(element.bytes));
}

/// The children of an element; slices of `whole`.
xml::Splitter read_children(xml::Pool& pool, std::string_view whole, xml::Batch& batch) {
  xml::Options options;
  options.limits = xml::no_limits();
  options.drop_text = true;
  xml::Splitter splitter;
  if (splitter.feed(pool, options, whole, batch, true) != xml::Error::none) batch.clear();
  return splitter;
}

// Children are filtered only where something may hide; the element's own tags and all other children stay as
// they are.
std::string filter(xml::Pool& pool, const xml::Element& element) {
  std::string whole = element.to_string();
  xml::Batch batch;
  const xml::Splitter splitter = read_children(pool, whole, batch);
  if (!batch.root_opened) return {};
  if (batch.elements.empty()) return whole;
  std::string out = splitter.root_tag();
  for (const xml::Element& child : batch.elements) {
    if (!keep(child)) continue;
    if (any_of(containers, child))
      out += filter(pool, child);
    else
      out += child.bytes;  // it stays where its declarations are
  }
  out += whole.substr(whole.rfind("</"));
  return out;
}

}  // namespace

std::string filter_features(xml::Pool& pool, const xml::Element& features) {
  return filter(pool, features);
}

TlsOffer tls_offer(xml::Pool& pool, const xml::Element& features) {
  const std::string whole = features.to_string();
  xml::Batch batch;
  read_children(pool, whole, batch);
  TlsOffer offer;
  for (const xml::Element& child : batch.elements)
    if (child.is(tls_ns, "starttls"))
      offer = {true, batch.elements.size() == 1 || child.bytes.find("required") != child.bytes.npos};
  return offer;
}

}  // namespace xmpp
