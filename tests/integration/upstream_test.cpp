// The server's side of a session: how it can fail, what it may send, the order of events, and who waits for
// whom when one end does not read.
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "tests/integration/client.hpp"

namespace integration {
namespace {

namespace data = boost::unit_test::data;

std::string creation(std::string_view attributes) {
  return body_element("rid='1' " + std::string(attributes));
}

void check_end(Bridge& bridge, std::string_view reason) {
  const std::string line = bridge.daemon.wait_for_log("session-end");
  BOOST_TEST(has(line, "reason=" + std::string(reason) + " "), line);
}

/// An element of exactly so many bytes.
std::string element_of(std::size_t bytes) {
  constexpr std::string_view start = "<message id='1'><body>";
  constexpr std::string_view end = "</body></message>";
  return std::string(start) + std::string(bytes - start.size() - end.size(), 'x') + std::string(end);
}

/// Empty requests until this many messages have come; returns their ids.
std::vector<std::uint64_t> fetch(Session& session, HttpClient& client, std::size_t count) {
  std::vector<std::uint64_t> got;
  while (got.size() < count) {
    const std::string answer = said(client.ask(session.next()));
    if (answer.starts_with("terminate")) throw Failure("ended: " + excerpt(answer));
    for (const auto id : ids(answer)) got.push_back(id);
  }
  return got;
}

/// first, first + 1, …
std::vector<std::uint64_t> sequence(std::uint64_t first, std::size_t count) {
  std::vector<std::uint64_t> all(count);
  for (auto& id : all) id = first++;
  return all;
}

void check_sequence(const std::vector<std::uint64_t>& got, std::uint64_t first, std::size_t count) {
  const auto expected = sequence(first, count);
  BOOST_CHECK_EQUAL_COLLECTIONS(got.begin(), got.end(), expected.begin(), expected.end());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ends)

struct Ending {
  const char* sends;   // the server; it closes its connection then
  const char* answer;  // what the client is told, or its start
  const char* reason;
  const char* reply;  // what the server is told
};

std::ostream& operator<<(std::ostream& out, const Ending& ending) {
  return out << ending.sends;
}

const Ending endings[] = {
    {"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
     "terminate remote-stream-error: <stream:error", "server-stream-error", "</stream:stream>"},
    {"</stream:stream>", "terminate", "server-closed", "</stream:stream>"},
    {"", "terminate remote-connection-failed", "server-lost", ""},
    {"<message", "terminate remote-connection-failed", "server-lost", ""},
    {"<message><</message>", "terminate remote-connection-failed", "server-bad-xml", "<not-well-formed"},
    {"<message></iq>", "terminate remote-connection-failed", "server-bad-xml", "<not-well-formed"},
    {"<p:message/>", "terminate remote-connection-failed", "server-bad-xml", "<not-well-formed"},
    {"<message>\xff</message>", "terminate remote-connection-failed", "server-bad-xml", "<not-well-formed"},
    {"<message><!-- x --></message>", "terminate remote-connection-failed", "server-bad-xml",
     "<restricted-xml"},
    {"<?php x ?>", "terminate remote-connection-failed", "server-bad-xml", "<restricted-xml"},
    {"<message>&bomb;</message>", "terminate remote-connection-failed", "server-bad-xml", "<restricted-xml"},
    {"<!DOCTYPE x>", "terminate remote-connection-failed", "server-bad-xml", "<not-well-formed"},
    {"text", "terminate remote-connection-failed", "server-bad-xml", "<bad-format"},
};

/// The end of the server's stream: before it a message, behind it what boshd replies.
void check_ending(const Ending& ending, bool held) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  if (held) session.hold(client);
  session.server.send(message(1) + ending.sends);
  session.server.finish();
  const std::string reply = session.server.read_to_end();
  BOOST_TEST(has(reply, ending.reply), reply);
  BOOST_TEST(std::string_view(ending.reply).empty() == reply.empty(), reply);
  BOOST_TEST(said(held ? client.answer() : client.ask(session.next())) == message(1));
  const Response last = client.ask(session.next());
  const std::string expected = ending.answer;
  BOOST_TEST((expected.ends_with("error") ? said(last).starts_with(expected) : said(last) == expected),
             said(last));
  check_end(bridge, ending.reason);
}

BOOST_DATA_TEST_CASE(B_189_X_056_U_101_U_102_U_108_the_stream_ends_while_a_request_is_held,
                     data::make(endings)) {
  check_ending(sample, true);
}

BOOST_DATA_TEST_CASE(B_190_U_087_U_088_the_stream_ends_while_nothing_is_held, data::make(endings)) {
  check_ending(sample, false);
}

BOOST_AUTO_TEST_CASE(X_004_X_005_X_052_X_053_a_stream_error_is_copied_whole_behind_the_last_stanza) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  session.server.send(message(1) +
                      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                      "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Elsewhere</text><x xmlns='urn:x'/>"
                      "</stream:error>");
  BOOST_TEST(said(client.answer()) == message(1));
  const std::string last = client.ask(session.next()).body;
  BOOST_TEST(root_attribute(last, "condition") == "remote-stream-error");
  BOOST_TEST(root_attribute(last, "xmlns:stream") == "http://etherx.jabber.org/streams");
  BOOST_TEST(has(last,
                 "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
                 "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Elsewhere</text><x xmlns='urn:x'/>"
                 "</stream:error></body>"));
}

BOOST_AUTO_TEST_CASE(U_099_boshd_says_that_it_ends_and_hears_the_server_out) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  BOOST_TEST(said(client.ask(session.next({}, "type='terminate'"))) == "terminate");
  BOOST_TEST(session.server.read_until(">") == stream_end);
  session.server.send(message(1));
  bridge.settle();
  BOOST_TEST(!session.server.readable());  // nor has it closed
  session.server.send(stream_end);
  session.server.finish();
  BOOST_TEST(session.server.read_to_end() == "");
}

const char* const bad_openings[] = {
    "<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'b'>]><s xmlns='jabber:client'>",
    "<?xml version='1.1'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
    "<html><body>no server</body></html>",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    "\x16\x03\x01\x02",
    "</stream:stream>",
    "",
};

BOOST_DATA_TEST_CASE(X_052_what_is_no_xmpp_server, data::make(bad_openings)) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(creation("to='example.org'"));
  Wire server = bridge.server.accept();
  read_stream_start(server);
  server.send(sample);
  server.finish();
  BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
  BOOST_TEST(!has(server.read_to_end(), "&"));
}

BOOST_AUTO_TEST_CASE(X_054_U_031_a_stream_error_at_the_opening) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(creation("to='example.org'"));
  Wire server = bridge.server.accept();
  read_stream_start(server);
  server.send(stream_start() +
              "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  BOOST_TEST(said(client.answer()).starts_with("terminate remote-stream-error: <stream:error"));
}

BOOST_AUTO_TEST_CASE(B_079_an_unreachable_server_is_told_at_once) {
  TemporaryDirectory directory;
  Bridge bridge("upstream.domains = [\"example.org\"]\nupstream.domain.\"unix.example\".server = \"unix:" +
                directory.path("nothing") +
                "\"\nupstream.domain.\"file.example\".server = \"unix:" + directory.write("file", "") + "\"");
  bridge.server.stop();
  HttpClient client = bridge.connect();
  for (const char* domain : {"example.org", "unix.example", "file.example"}) {
    const Response answer = client.ask(creation("to='" + std::string(domain) + "'"));
    BOOST_TEST(said(answer) == "terminate remote-connection-failed", domain << ": " << said(answer));
    BOOST_TEST(root_attribute(answer.body, "sid") == "");
  }
}

// Nothing at all, or a header and no features.
BOOST_DATA_TEST_CASE(B_077_U_030_a_server_without_features_is_given_up_after_connect_timeout,
                     data::make({false, true}), has_header) {
  Bridge bridge("upstream.connect_timeout = \"1s\"");
  HttpClient client = bridge.connect();
  client.post(creation("to='example.org'"));
  Wire server = bridge.server.accept();
  if (has_header) server.send(stream_start());
  BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
  check_end(bridge, "server-silent");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(domains)

BOOST_AUTO_TEST_CASE(B_045_only_listed_domains_are_served) {
  Bridge bridge("upstream.domains = [\"example.org\"]");
  HttpClient client = bridge.connect();
  for (const char* domain : {"example.com", "sub.example.org", "localhost", "127.0.0.1"})
    BOOST_TEST(said(client.ask(creation("to='" + std::string(domain) + "'"))) == "terminate host-unknown",
               domain);
  for (const char* attributes : {"", "to=''"})
    BOOST_TEST(said(client.ask(creation(attributes))) == "terminate improper-addressing", attributes);
  BOOST_TEST(!bridge.server.has_connection());

  Session session(bridge, client, "to='EXAMPLE.org'");
  BOOST_TEST(session.created.status == 200U);
}

BOOST_AUTO_TEST_CASE(B_045_U_020_a_domain_has_its_server_and_the_header_names_the_domain) {
  FakeServer own;
  Bridge bridge("upstream.domains = [\"example.org\"]\nupstream.domain.\"own.example\".server = \"" +
                own.address() + "\"");
  HttpClient client = bridge.connect();
  client.post(creation("to='own.example'"));
  Wire server = own.accept();
  BOOST_TEST(has(read_stream_start(server), " to='own.example' "));
  HttpClient other = bridge.connect();
  other.post(creation("to='example.org'"));
  Wire usual = bridge.server.accept();
  BOOST_TEST(has(read_stream_start(usual), " to='example.org' "));
}

BOOST_AUTO_TEST_CASE(B_051_B_052_B_053_route_is_ignored) {
  FakeServer elsewhere;
  Bridge bridge;
  HttpClient client = bridge.connect();
  const Session session(bridge, client, "to='example.org' route='xmpp:" + elsewhere.address() + "'");
  BOOST_TEST(!elsewhere.has_connection());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(stream)

BOOST_AUTO_TEST_CASE(U_018_U_022_the_header_comes_first_and_has_no_from) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(creation("to='example.org' from='user@example.org'"));
  Wire server = bridge.server.accept();
  const std::string header = read_stream_start(server);
  BOOST_TEST(header.starts_with("<?xml version='1.0'?><stream:stream "), header);
  BOOST_TEST(!has(header, "from"), header);
}

BOOST_AUTO_TEST_CASE(U_029_a_header_that_comes_from_another_domain_is_told) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(creation("to='example.org'"));
  Wire server = bridge.server.accept();
  read_stream_start(server);
  server.send(stream_start("stream-1", "other.example") + std::string(features));
  const Response answer = client.answer();
  BOOST_TEST(root_attribute(answer.body, "from") == "other.example");
  BOOST_TEST(has(answer.body, "ANONYMOUS"));
}

BOOST_AUTO_TEST_CASE(U_077_empty_features_are_passed_on) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(creation("to='example.org'"));
  Wire server = bridge.server.accept();
  server.send(stream_start() + "<stream:features/>");
  BOOST_TEST(has(client.answer().body, "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>"));
}

using SocketName = int (*)(int, sockaddr*, socklen_t*);
/// 127.0.0.1 with its port, as the kernel lists it.
std::string listed(const Wire& wire, SocketName name_of) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  name_of(wire.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
  std::ostringstream out;
  out << "0100007F:" << std::hex << std::uppercase << std::setw(4) << std::setfill('0')
      << ntohs(address.sin_port);
  return out.str();
}

/// The kernel's line about boshd's end of this connection: addresses, state, queues, timer.
std::string kernel_line(const Wire& server) {
  const std::string ends = " " + listed(server, ::getpeername) + " " + listed(server, ::getsockname) + " ";
  std::ifstream lines("/proc/net/tcp");
  for (std::string line; std::getline(lines, line);)
    if (has(line, ends)) return line;
  return {};
}

BOOST_AUTO_TEST_CASE(U_096_the_kernel_watches_the_connection_to_the_server) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  const Session session(bridge, client);
  bridge.settle();
  const std::string line = kernel_line(session.server);
  BOOST_TEST(has(line, " 02:"), line);  // the timer of keepalive
}

BOOST_AUTO_TEST_CASE(X_027_features_a_client_can_t_use_are_hidden) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(creation("to='example.org'"));
  Wire server = bridge.server.accept();
  server.send(
      stream_start() +
      "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><compression "
      "xmlns='http://jabber.org/features/compress'><method>zlib</method></compression><mechanisms "
      "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>SCRAM-SHA-1"
      "</mechanism></mechanisms></stream:features>");
  const std::string body = client.answer().body;
  for (const char* hidden : {"starttls", "zlib", "PLUS"}) BOOST_TEST(!has(body, hidden), body);
  BOOST_TEST(has(body, "<mechanism>SCRAM-SHA-1</mechanism>"));
}

BOOST_DATA_TEST_CASE(U_092_a_stanza_up_to_the_limit_passes,
                     data::make({-1, 0, 1}) * data::make({false, true}), over, in_pieces) {
  constexpr std::size_t limit = 10'240;
  Bridge bridge("limits.max_stanza = \"10 KiB\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  const std::string stanza = element_of(limit + static_cast<std::size_t>(over));
  for (std::size_t at = 0; at < stanza.size(); at += in_pieces ? 1000 : stanza.size()) {
    session.server.send(std::string_view(stanza).substr(at, in_pieces ? 1000 : stanza.size()));
    if (in_pieces) bridge.settle();
  }
  if (over <= 0) {
    BOOST_TEST((said(client.answer()) == stanza));
  } else {
    BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
    BOOST_TEST(has(session.server.read_until(stream_end), "<policy-violation"));
    check_end(bridge, "server-bad-xml");
  }
}

BOOST_AUTO_TEST_CASE(U_092_an_endless_stanza_is_cut_at_the_limit) {
  Bridge bridge("limits.max_stanza = \"10 KiB\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  session.server.send("<message><body>" + std::string(20'000, 'x'));
  BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
}

BOOST_AUTO_TEST_CASE(U_032_a_stanza_in_as_many_segments_as_bytes) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  const std::string stanza =
      "<message id='1' xml:lang=\"de\"><body>&lt;Grüße&gt; 😀</body><x xmlns='urn:x' a='1>2'/></message>";
  for (const char byte : stanza) {
    BOOST_TEST(!client.wire.readable());
    session.server.send({&byte, 1});
    bridge.settle();
  }
  BOOST_TEST(said(client.answer()) == stanza);
}

BOOST_AUTO_TEST_CASE(a_stanza_of_a_megabyte) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const std::string stanza = element_of(1024 * 1024);
  for (const bool read_late : {false, true}) {
    session.hold(client);
    session.server.send(stanza);
    if (read_late) bridge.settle();
    BOOST_TEST((said(client.answer()) == stanza));
  }
}

BOOST_AUTO_TEST_CASE(thousands_of_tiny_elements_at_once) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  constexpr std::uint64_t count = 5000;
  std::string bytes;
  for (std::uint64_t id = 1; id <= count; ++id) bytes += "<message id='" + std::to_string(id) + "'/>";
  session.server.send(bytes);
  auto got = ids(client.answer().body);
  if (got.size() < count) {
    const auto rest = fetch(session, client, count - got.size());
    got.insert(got.end(), rest.begin(), rest.end());
  }
  check_sequence(got, 1, count);
}

BOOST_AUTO_TEST_SUITE_END()

// No clock is asked here. The server listens on a Unix socket: when a write on it has returned, the other end
// can read it.
BOOST_AUTO_TEST_SUITE(order_of_events)

// An answer is released by the very request whose payload must be upstream by then. When the answer is here,
// the server must be able to read the payload without waiting.
BOOST_AUTO_TEST_CASE(B_080_stanzas_are_written_upstream_before_anything_is_answered) {
  Bridge bridge({}, ServerOn::unix_socket);
  HttpClient clients[] = {bridge.connect(), bridge.connect()};
  Session session(bridge, clients[0]);
  session.hold(clients[0]);
  for (std::uint64_t id = 1; id <= 500; ++id) {
    clients[id % 2].post(session.next(message(id)));
    BOOST_TEST_REQUIRE(said(clients[(id + 1) % 2].answer()) == "");
    BOOST_TEST_REQUIRE(session.server.readable());
    BOOST_TEST_REQUIRE(read_message(session.server) == message(id));
  }
}

// The daemon stands still while a stanza comes from the server and then a request for a page on another
// connection. It finds both when it goes on, in this order. If the stanza's answer waited for a timer or for
// a later turn of the loop, the page would be there before it.
BOOST_AUTO_TEST_CASE(B_088_data_leaves_on_the_oldest_held_request_in_the_same_turn) {
  Bridge bridge({}, ServerOn::unix_socket);
  HttpClient client = bridge.connect();
  HttpClient visitor = bridge.connect();
  Session session(bridge, client);
  bridge.settle();
  for (std::uint64_t id = 1; id <= 200; ++id) {
    session.hold(client);
    bridge.daemon.freeze();
    session.server.send(message(id));
    visitor.send("GET /http-bind HTTP/1.1\r\nHost: example.org\r\n\r\n");
    bridge.daemon.go_on();
    BOOST_TEST_REQUIRE(visitor.answer().status == 200U);
    BOOST_TEST_REQUIRE(client.wire.readable());
    BOOST_TEST_REQUIRE(said(client.answer()) == message(id));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(back_pressure)

const ServerOn places[] = {ServerOn::tcp, ServerOn::unix_socket};
constexpr std::size_t queue = 64 * 1024;
constexpr int many_turns = 50;                  // to read all that the kernel may hold
constexpr std::size_t much = 16 * 1024 * 1024;  // so much would not be left in the kernel's buffers

std::string padded_message(std::uint64_t id) {
  std::string out = message(id);
  return out.insert(out.find("</body>"), std::string(1000, 'x'));
}

BOOST_DATA_TEST_CASE(B_091_a_client_that_does_not_fetch_stops_the_reading_from_its_server, data::xrange(2),
                     place) {
  Bridge bridge("limits.client_queue = \"64 KiB\"", places[place]);
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.server.set_send_buffer(queue);
  const std::size_t before = bridge.daemon.resident();
  std::uint64_t id = 0;
  std::size_t sent = 0;
  std::string rest;
  for (;; rest.erase(0, session.server.send_some(rest))) {
    if (rest.empty()) sent += (rest = padded_message(++id)).size();
    if (session.server.writable()) continue;
    bridge.settle(many_turns);
    if (!session.server.writable()) break;
    BOOST_TEST_REQUIRE(sent < 4 * much);
  }
  BOOST_TEST_MESSAGE("the server could send " << sent << " bytes");
  if (places[place] == ServerOn::unix_socket) BOOST_TEST(sent < 32 * queue);
  BOOST_TEST(bridge.daemon.has_grown_less(before, 2 * 1024 * 1024));

  auto got = fetch(session, client, 1);
  session.server.send_some({});
  while (!rest.empty() || got.size() < id) {
    rest.erase(0, session.server.send_some(rest));
    const auto more = fetch(session, client, 1);
    got.insert(got.end(), more.begin(), more.end());
  }
  check_sequence(got, 1, id);
}

// Requests wait when the server does not read: the client can have so many of them under way as it was
// granted.
BOOST_DATA_TEST_CASE(B_213_a_server_that_does_not_read_makes_requests_wait, data::xrange(2), place) {
  Bridge bridge("limits.upstream_queue = \"64 KiB\"", places[place]);
  HttpClient clients[] = {bridge.connect(), bridge.connect()};
  Session session(bridge, clients[0]);
  const std::size_t before = bridge.daemon.resident();
  const std::string padding = "<x xmlns='urn:x'>" + std::string(20'000, 'x') + "</x>";
  std::uint64_t id = 0;
  std::size_t sent = 0;
  do {
    ++id;
    BOOST_TEST_REQUIRE(sent < 4 * much);
    clients[id % 2].post(session.next(message(id) + padding));
    sent += padding.size();
    bridge.settle(many_turns);
  } while (id < 2 || (clients[(id + 1) % 2].wire.readable() && said(clients[(id + 1) % 2].answer()) == ""));
  BOOST_TEST_MESSAGE("the client could send " << sent << " bytes");
  if (places[place] == ServerOn::unix_socket) BOOST_TEST(sent < 32 * queue);
  BOOST_TEST(bridge.daemon.has_grown_less(before, 2 * 1024 * 1024));

  std::vector<std::uint64_t> got;
  while (got.size() < id) {
    got.push_back(ids(read_message(session.server)).front());
    BOOST_TEST(session.server.read_until("</x>").size() > padding.size() / 2);
  }
  check_sequence(got, 1, id);
  BOOST_TEST(said(clients[(id + 1) % 2].answer()) == "");
  session.server.send(message(1));
  BOOST_TEST(said(clients[id % 2].answer()) == message(1));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
