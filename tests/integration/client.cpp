#include "tests/integration/client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace integration {

namespace {

constexpr std::uint64_t first_rid = 1'000'000;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string with_defaults(std::string_view settings) {
  std::string out;
  for (const std::string_view line :
       {"threads = 1", "proxy.trusted = []", "limits.authentication_timeout = \"1h\"",
        "limits.sessions_per_address = 0", "limits.new_sessions_per_second = 0",
        "limits.requests_per_second = 0", "limits.login_failures = 0", "limits.request_timeout = \"60s\"",
        "session.hold = 2", "upstream.connect_timeout = \"60s\""})
    if (settings.find(line.substr(0, line.find(" ="))) == settings.npos) out += std::string(line) + '\n';
  return out + std::string(settings);
}

}  // namespace

std::string Response::header(std::string_view name) const {
  std::string_view rest = head;
  for (auto end = rest.find("\r\n"); end != rest.npos; end = rest.find("\r\n")) {
    const auto line = rest.substr(0, end);
    const auto colon = line.find(": ");
    if (colon != line.npos && equal_ignoring_case(line.substr(0, colon), name))
      return std::string(line.substr(colon + 2));
    rest.remove_prefix(end + 2);
  }
  return {};
}

Response HttpClient::answer(bool head_only) {
  Response response;
  response.head = wire.read_until("\r\n\r\n");
  if (response.head.size() < 12 || !response.head.starts_with("HTTP/1.1 "))
    throw Failure("no HTTP answer: " + excerpt(response.head));
  response.status = static_cast<unsigned>(std::stoul(response.head.substr(9, 3)));
  const std::string length = response.header("Content-Length");
  if (!head_only && !length.empty()) response.body = wire.read(std::stoul(length));
  return response;
}

std::string HttpClient::post_bytes(std::string_view body, std::string_view headers, std::string_view path) {
  std::string out = "POST " + std::string(path) + " HTTP/1.1\r\nHost: example.org\r\n";
  out += "Content-Type: text/xml; charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  out += headers;
  out += "\r\n";
  out += body;
  return out;
}

std::string body_element(std::string_view attributes, std::string_view payload) {
  std::string out = "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' ";
  out += attributes;
  if (payload.empty()) return out + "/>";
  return out + ">" + std::string(payload) + "</body>";
}

std::string attribute(std::string_view name, std::uint64_t value) {
  return " " + std::string(name) + "='" + std::to_string(value) + "'";
}

std::string root_attribute(std::string_view xml, std::string_view name) {
  const auto tag = xml.substr(0, xml.find('>'));
  const std::string start = " " + std::string(name) + "='";
  const auto found = tag.find(start);
  if (found == tag.npos) return {};
  const auto begin = found + start.size();
  return std::string(tag.substr(begin, tag.find('\'', begin) - begin));
}

std::string content(std::string_view xml) {
  const auto begin = xml.find('>');
  const auto end = xml.rfind("</");
  if (begin == xml.npos || end == xml.npos || end < begin) return {};
  return std::string(xml.substr(begin + 1, end - begin - 1));
}

std::string without_namespace(std::string_view xml) {
  constexpr std::string_view declaration = " xmlns='jabber:client'";
  std::string out(xml);
  for (auto found = out.find(declaration); found != out.npos; found = out.find(declaration, found))
    out.erase(found, declaration.size());
  return out;
}

std::string message(std::uint64_t id) {
  const std::string number = std::to_string(id);
  return "<message id='" + number + "'><body>" + number + "</body></message>";
}

std::string messages(std::uint64_t first, std::uint64_t last) {
  std::string out;
  for (auto id = first; id <= last; ++id) out += message(id);
  return out;
}

std::vector<std::uint64_t> ids(std::string_view xml) {
  constexpr std::string_view start = " id='";
  std::vector<std::uint64_t> found;
  for (auto at = xml.find("<message"); at != xml.npos; at = xml.find("<message", at + 1)) {
    const auto id = xml.find(start, at);
    if (id < xml.find('>', at)) found.push_back(std::stoull(std::string(xml.substr(id + start.size(), 20))));
  }
  return found;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

void check_headers(const Response& answer) {
  BOOST_TEST(answer.header("Access-Control-Allow-Origin") == "*", answer.head);
  BOOST_TEST(answer.header("Cache-Control") == "no-store", answer.head);
  BOOST_TEST(answer.header("X-Content-Type-Options") == "nosniff", answer.head);
}

std::string said(const Response& response) {
  if (response.status != 200) return "HTTP " + std::to_string(response.status);
  const std::string& body = response.body;
  if (!body.starts_with("<body ") || root_attribute(body, "xmlns") != "http://jabber.org/protocol/httpbind")
    return "no body: " + body;
  std::string out = root_attribute(body, "type");
  const std::string condition = root_attribute(body, "condition");
  if (!condition.empty()) out += " " + condition;
  const std::string inside = without_namespace(content(body));
  return out.empty() || inside.empty() ? out + inside : out + ": " + inside;
}

Bridge::Bridge(std::string_view settings, ServerOn where)
    : server(where == ServerOn::tcp ? FakeServer() : FakeServer(directory_.path("server"))),
      daemon(whole(settings)),
      probe_(daemon) {}

std::string Bridge::whole(std::string_view settings) const {
  return "upstream.server = \"" + server.address() + "\"\n" + with_defaults(settings);
}

// One answer comes in the turn of the loop that also handles what was there before. What that sets going on a
// new connection (accepted, then read) takes a turn more.
void Bridge::settle(int turns) {
  for (int turn = 0; turn < turns; ++turn) {
    probe_.send("GET /http-bind HTTP/1.1\r\nHost: example.org\r\n\r\n");
    probe_.answer();
  }
}

Session::Session(Bridge& bridge, HttpClient& client, std::string_view attributes) : rid(first_rid) {
  client.post(body_element(std::string(attributes) + attribute("rid", rid)));
  server = bridge.server.accept();
  server_saw = read_stream_start(server);
  server.send(stream_start() + std::string(features));
  created = client.answer();
  sid = root_attribute(created.body, "sid");
  if (sid.empty()) throw Failure("no session: " + excerpt(created.head + created.body));
}

std::string Session::next(std::string_view payload, std::string_view attributes) {
  return at(++rid, payload, attributes);
}

std::string Session::at(std::uint64_t number, std::string_view payload, std::string_view attributes) const {
  return body_element("sid='" + sid + "'" + attribute("rid", number) + " " + std::string(attributes),
                      payload);
}

void Session::hold(HttpClient& client) {
  hold_at(client, ++rid);
}

void Session::hold_at(HttpClient& client, std::uint64_t number) {
  client.post(at(number, message(number)));
  if (const auto got = read_message(server); got != message(number))
    throw Failure("the server got " + excerpt(got) + " instead of message " + std::to_string(number));
}

}  // namespace integration
