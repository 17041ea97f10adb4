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
  return {value("from"), value("id"), value("version")};
}

std::string stream_error(xml::Error error) {
  std::string_view condition = "not-well-formed";
  if (error == xml::Error::restricted) condition = "restricted-xml";
  if (error == xml::Error::encoding) condition = "unsupported-encoding";
  if (error == xml::Error::text) condition = "bad-format";
  if (error == xml::Error::too_large) condition = "policy-violation";
  std::string out = "<stream:error><";
  out += condition;
  out += " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
  out += stream_footer;
  return out;
}

}  // namespace xmpp
