#include "bosh/reply.hpp"

#include "xml/escape.hpp"

namespace bosh {

namespace {

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
  xml::append_attribute(out, name, std::to_string(value));
}

void append_seconds(std::string& out, std::string_view name, std::chrono::seconds value) {
  append_number(out, name, static_cast<std::uint64_t>(value.count()));
}

// Elements declare their prefixes themselves; some clients want to see this one on the body.
void declare_stream(std::string& out, std::string_view content) {
  if (content.find("<stream:") != content.npos) out += " xmlns:stream='http://etherx.jabber.org/streams'";
}

std::string close(std::string&& start, std::string_view content) {
  if (content.empty()) return std::move(start) + "/>";
  declare_stream(start, content);
  start.reserve(start.size() + content.size() + 8);
  start += '>';
  start += content;
  start += "</body>";
  return std::move(start);
}

std::string open() {
  return "<body xmlns='http://jabber.org/protocol/httpbind'";
}

}  // namespace

std::string creation_reply(const Granted& granted, const ServerHeader& server, std::string_view content) {
  std::string out = open();
  xml::append_attribute(out, "sid", granted.sid);
  append_seconds(out, "wait", granted.wait);
  append_number(out, "requests", granted.requests);
  append_number(out, "hold", granted.hold);
  append_seconds(out, "inactivity", granted.inactivity);
  append_seconds(out, "polling", granted.polling);
  xml::append_attribute(out, "ver",
                        std::to_string(granted.version.major) + '.' + std::to_string(granted.version.minor));
  if (!server.from.empty()) xml::append_attribute(out, "from", server.from);
  if (!server.id.empty()) xml::append_attribute(out, "authid", server.id);
  out += " xmlns:xmpp='urn:xmpp:xbosh' xmpp:restartlogic='true'";
  if (!server.version.empty()) xml::append_attribute(out, "xmpp:version", server.version);
  return close(std::move(out), content);
}

std::string plain_reply(std::string_view content) {
  return close(open(), content);
}

std::string terminal_reply(const Terminal& terminal) {
  std::string out = open() + " type='terminate'";
  if (terminal.condition) xml::append_attribute(out, "condition", to_string(*terminal.condition));
  return close(std::move(out), terminal.content);
}

std::string repeated_reply() {
  return open() + " type='error'/>";
}

}  // namespace bosh
