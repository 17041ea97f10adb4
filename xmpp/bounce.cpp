#include "xmpp/bounce.hpp"

#include "xml/escape.hpp"
#include "xmpp/names.hpp"

namespace xmpp {

namespace {

// What is read here has passed a stream's limits.
xml::Options unlimited() {
  xml::Options options;
  options.limits = xml::no_limits();
  return options;
}

// The start tag of an element as the root of a document of its own.
xml::Root root_of(xml::Pool& pool, std::string_view element) {
  xml::Splitter splitter;
  xml::Batch batch;
  splitter.feed(pool, unlimited(), element, batch);
  return std::move(batch.root);
}

std::string_view value(const xml::Root& root, std::string_view name) {
  const std::string* found = root.find(name);
  return found ? std::string_view(*found) : std::string_view();
}

void append_error(std::string& out, const xml::Root& stanza) {
  const bool message = stanza.name == "message";
  const std::string_view type = value(stanza, "type");
  // No error answers an error, and an answer is owed to a question only (RFC 6120 §8.3.1, X-063).
  const bool wanted = message ? type != "error" : stanza.name == "iq" && (type == "get" || type == "set");
  if (stanza.ns != content_ns || !wanted) return;
  out += '<' + stanza.name;
  if (const auto from = value(stanza, "from"); !from.empty()) xml::append_attribute(out, "to", from);
  if (const auto to = value(stanza, "to"); !to.empty()) xml::append_attribute(out, "from", to);
  if (const auto id = value(stanza, "id"); !id.empty()) xml::append_attribute(out, "id", id);
  out += " type='error'><error type='";
  out += message ? "wait'><recipient-unavailable" : "cancel'><service-unavailable";
  out += " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></" + stanza.name + '>';
}

}  // namespace

std::string bounce(xml::Pool& pool, std::string_view elements) {
  std::string errors;
  if (elements.empty()) return errors;
  const std::string document = "<r>" + std::string(elements) + "</r>";
  xml::Splitter splitter;
  xml::Batch batch;
  splitter.feed(pool, unlimited(), document, batch, true);
  for (const xml::Element& element : batch.elements) append_error(errors, root_of(pool, element.bytes));
  return errors;
}

}  // namespace xmpp
