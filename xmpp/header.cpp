#include "xmpp/header.hpp"

#include "xml/escape.hpp"
#include "xmpp/names.hpp"

namespace xmpp {

std::string stream_header(std::string_view to, std::string_view language) {
  std::string out = "<?xml version='1.0'?><stream:stream";
  xml::append_attribute(out, "to", to);
  out += " version='1.0'";
  if (!language.empty()) xml::append_attribute(out, "xml:lang", language);
  out += " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
  return out;
}

bool is_stream_header(const xml::Root& root) {
  return root.name == "stream" && root.ns == stream_ns;
}

Header read_header(const xml::Root& root) {
  const auto value = [&](std::string_view name) {
    const std::string* found = root.find(name);
    return found ? *found : std::string();
  };
  const std::string* language = root.find("lang", xml_ns);
  return {value("from"), value("id"), value("version"), language ? *language : std::string()};
}

std::string_view condition_of(xml::Error error) {
  switch (error) {
    case xml::Error::restricted:
      return "restricted-xml";
    case xml::Error::encoding:
      return "unsupported-encoding";
    case xml::Error::text:
      return "bad-format";
    case xml::Error::too_large:
      return "policy-violation";
    default:
      return "not-well-formed";
  }
}

std::string stream_error(std::string_view condition, std::string_view text) {
  std::string out = "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><";
  out += condition;
  out += " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";
  if (!text.empty()) {
    out += "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>";
    xml::append_escaped(out, text);
    out += "</text>";
  }
  out += "</stream:error>";
  return out;
}

}  // namespace xmpp
