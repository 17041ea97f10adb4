#include "websocket/messages.hpp"

#include "xml/escape.hpp"

namespace websocket {

Inspected inspect(xml::Pool& pool, std::string_view message, const xml::Limits& limits) {
  Inspected inspected;
  if (!message.starts_with('<')) {  // W-018
    inspected.error = xml::Error::malformed;
    return inspected;
  }
  xml::Options options;
  options.limits = limits;
  options.drop_text = true;
  xml::Parser& parser = pool.documents();
  inspected.error = parser.read(options, message);
  if (inspected.error != xml::Error::none) return inspected;
  inspected.root = &parser.root();
  inspected.element = message.substr(static_cast<std::size_t>(parser.root_begin()));
  return inspected;
}

bool is_blank(std::string_view message) {
  return message.find_first_not_of(" \t\r\n") == message.npos;
}

std::string open_message(const xmpp::Header& header, std::string_view to) {
  std::string out = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'";
  xml::append_attribute(out, "from", header.from);
  if (!to.empty()) xml::append_attribute(out, "to", to);
  xml::append_attribute(out, "id", header.id);
  if (!header.version.empty()) xml::append_attribute(out, "version", header.version);
  if (!header.language.empty()) xml::append_attribute(out, "xml:lang", header.language);
  out += "/>";
  return out;
}

std::string close_message(std::string_view see_other_uri) {
  std::string out = "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\"";
  if (!see_other_uri.empty()) xml::append_attribute(out, "see-other-uri", see_other_uri);
  out += " />";
  return out;
}

}  // namespace websocket
