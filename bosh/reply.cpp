#include "bosh/reply.hpp"

#include <algorithm>

#include "xml/escape.hpp"

namespace bosh {

namespace {

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
  xml::append_attribute(out, name, std::to_string(value));
}

void append_seconds(std::string& out, std::string_view name, std::chrono::seconds value) {
  append_number(out, name, static_cast<std::uint64_t>(value.count()));
}

Bytes body(std::string_view attributes, std::string_view content) {
  constexpr std::string_view start = "<body xmlns='http://jabber.org/protocol/httpbind'";
  // Elements declare their prefixes themselves; some clients want to see this one on the body.
  constexpr std::string_view stream = " xmlns:stream='http://etherx.jabber.org/streams'";
  if (content.empty()) return {start, attributes, "/>"};
  const bool declares = content.find("<stream:") != content.npos;
  return {start, attributes, declares ? stream : "", ">", content, "</body>"};
}

void append_server(std::string& out, const ServerHeader& server) {
  if (!server.from.empty()) xml::append_attribute(out, "from", server.from);
  if (!server.id.empty()) xml::append_attribute(out, "authid", server.id);
  if (!server.version.empty()) xml::append_attribute(out, "xmpp:version", server.version);
}

}  // namespace

Bytes creation_reply(const Granted& granted, const ServerHeader& server, const Notes& notes,
                     std::string_view content) {
  std::string out;
  xml::append_attribute(out, "sid", granted.sid);
  append_seconds(out, "wait", granted.wait);
  append_number(out, "requests", granted.requests);
  append_number(out, "hold", granted.hold);
  append_seconds(out, "inactivity", granted.inactivity);
  if (granted.polling.count() > 0) append_seconds(out, "polling", granted.polling);
  if (granted.maxpause.count() > 0) append_seconds(out, "maxpause", granted.maxpause);
  xml::append_attribute(out, "ver",
                        std::to_string(granted.version.major) + '.' + std::to_string(granted.version.minor));
  if (!granted.accept.empty()) xml::append_attribute(out, "accept", granted.accept);
  if (!granted.stream.empty()) xml::append_attribute(out, "stream", granted.stream);
  if (notes.ack > 0) append_number(out, "ack", notes.ack);
  out += " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restartlogic='true'";
  append_server(out, server);
  return body(out, content);
}

Bytes reply(const Notes& notes, std::string_view content) {
  std::string out;
  if (notes.terminate) out += " type='terminate'";
  if (notes.condition) xml::append_attribute(out, "condition", to_string(*notes.condition));
  if (!notes.stream.empty()) xml::append_attribute(out, "stream", notes.stream);
  if (notes.ack > 0) append_number(out, "ack", notes.ack);
  if (notes.report > 0) {
    constexpr std::int64_t longest = 65535;  // the schema's (B-002)
    append_number(out, "report", notes.report);
    append_number(out, "time",
                  static_cast<std::uint64_t>(std::min<std::int64_t>(notes.age.count(), longest)));
  }
  if (notes.server) {
    if (!notes.server->version.empty()) out += " xmlns:xmpp='urn:xmpp:xbosh'";
    append_server(out, *notes.server);
  }
  return body(out, content);
}

Bytes plain_reply(std::string_view content) {
  return body({}, content);
}

Bytes silent_reply() {
  static const Bytes text = plain_reply({});
  return Bytes::lasting(*text);
}

Bytes terminal_reply(const Terminal& terminal) {
  Notes notes;
  notes.terminate = true;
  notes.condition = terminal.condition;
  return reply(notes, terminal.content);
}

Bytes repeated_reply() {
  return body(" type='error'", {});
}

}  // namespace bosh
