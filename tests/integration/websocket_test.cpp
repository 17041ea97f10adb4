// XMPP over WebSocket through the daemon (RFC 7395): from the handshake to each kind of end.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>

#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

namespace data = boost::unit_test::data;

constexpr std::string_view managed = "<enabled xmlns='urn:xmpp:sm:3' id='1' resume='true'/>";

std::string error(std::string_view condition) {
  return "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><" + std::string(condition) +
         " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
}

std::string end(std::string_view condition, unsigned code) {
  return error(condition) + "\n" + std::string(web_close) + "\nclose " + std::to_string(code) + "\n";
}

void check_reason(const Bridge& bridge, std::string_view reason) {
  const std::string line = bridge.daemon.wait_for_log("session-end");
  BOOST_TEST(has(line, "reason=" + std::string(reason) + " "), line);
  BOOST_TEST(has(line, "transport=websocket"), line);
}

/// boshd closes its stream, and the server does what it has to.
void check_footer(Wire& server) {
  BOOST_TEST(server.read_until(">") == stream_end);
  server.close();
}

/// With stream management, as far as boshd has seen of it.
WebSession managed_session(Bridge& bridge) {
  WebSession session(bridge);
  session.server.send(managed);
  BOOST_REQUIRE_EQUAL(session.client.hears(), managed);
  return session;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(websockets)

BOOST_AUTO_TEST_CASE(W_002_W_007_the_handshake) {
  Bridge bridge;
  const WebClient client(bridge.daemon);
  BOOST_TEST(has(client.handshake, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"));
  BOOST_TEST(has(client.handshake, "\r\nSec-WebSocket-Accept: cW0HMpChSOllUrDZnf5AIF3ENuY=\r\n"));
  BOOST_TEST(has(client.handshake, "\r\nSec-WebSocket-Protocol: xmpp\r\n"));
  BOOST_TEST(!has(client.handshake, "Extensions"));
}

BOOST_AUTO_TEST_CASE(W_009_an_origin_that_is_not_listed_is_refused) {
  Bridge bridge("cors.origins = [\"https://good.example\"]");
  HttpClient client = bridge.connect();
  client.send(WebClient::request("Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://bad.example\r\n"));
  BOOST_TEST(client.answer().status == 403U);
  const WebClient good(bridge.daemon, "Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://good.example\r\n");
  const WebClient no_browser(bridge.daemon);
}

BOOST_AUTO_TEST_CASE(W_012_a_plain_get_is_told_what_this_is) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  for (int i = 0; i < 2; ++i) {  // the connection lives on
    client.send("GET /xmpp-websocket HTTP/1.1\r\nHost: example.org\r\n\r\n");
    const Response answer = client.answer();
    BOOST_TEST(answer.status == 426U);
    BOOST_TEST(answer.header("Upgrade") == "websocket");
    check_headers(answer);
  }
}

BOOST_AUTO_TEST_CASE(W_011_frames_behind_the_request_are_kept) {
  Bridge bridge;
  WebClient client(bridge.daemon, WebClient::usual, client_frame(0x81, web_open));
  Wire server = bridge.server.accept();
  BOOST_TEST(has(read_stream_start(server), "to='example.org'"));
}

BOOST_AUTO_TEST_CASE(W_049_W_050_W_060_W_067_W_068_a_whole_session) {
  Bridge bridge;
  WebSession session(bridge);
  session.client.say(message(1));
  BOOST_TEST(read_message(session.server) == message(1));
  session.server.send(message(2) + message(3));
  BOOST_TEST(without_namespace(session.client.hears()) == message(2));
  BOOST_TEST(without_namespace(session.client.hears()) == message(3));

  session.client.say(web_open);  // W-049, W-050
  const std::string again = read_stream_start(session.server);
  BOOST_TEST(has(again, "<stream:stream to='example.org'"));
  BOOST_TEST(!has(again, stream_end));
  session.server.send(stream_start("stream-2") + std::string(features));
  BOOST_TEST(has(session.client.hears(), "id='stream-2'"));
  BOOST_TEST(session.client.hears().starts_with("<stream:features "));

  session.client.say(web_close);
  BOOST_TEST(session.server.read_until(">") == stream_end);
  session.server.send(message(4));  // W-060
  BOOST_TEST(without_namespace(session.client.hears()) == message(4));
  session.server.send(stream_end);
  BOOST_TEST(session.client.hears() == web_close);
  session.client.send(client_frame(0x88, close_payload(1000)));
  BOOST_TEST(session.client.hears_to_end() == "close 1000\n");  // W-067, W-068
  session.server.close();
  check_reason(bridge, "client-terminated");
}

BOOST_AUTO_TEST_CASE(W_076_U_096_pings_of_XMPP_pass_and_boshd_answers_none) {
  const std::string ping = "<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>";
  Bridge bridge;
  WebSession session(bridge);
  session.server.send(ping);
  BOOST_TEST(session.client.hears() == ping);
  session.client.say(ping);
  session.client.say(message(1));
  BOOST_TEST(session.server.read_until("</message>") == ping + message(1));  // and nothing before it
  session.server.send(message(2));
  BOOST_TEST(without_namespace(session.client.hears()) == message(2));
}

BOOST_AUTO_TEST_CASE(W_044_W_046_what_belongs_to_the_server_s_connection_is_not_shown) {
  Bridge bridge;
  WebClient client(bridge.daemon);
  client.say(web_open);
  Wire server = bridge.server.accept();
  read_stream_start(server);
  server.send(stream_start() +
              "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><mechanisms "
              "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1-PLUS</mechanism><mechanism>"
              "SCRAM-SHA-1</mechanism></mechanisms></stream:features>");
  client.hears();
  const std::string seen = client.hears();
  BOOST_TEST(!has(seen, "starttls"));
  BOOST_TEST(!has(seen, "PLUS"));
  BOOST_TEST(has(seen, "<mechanism>SCRAM-SHA-1</mechanism>"));
}

BOOST_AUTO_TEST_CASE(W_029_fragments_with_a_ping_between_them_are_one_message) {
  Bridge bridge;
  WebSession session(bridge);
  const std::string text = message(7);
  session.client.send(client_frame(0x01, text.substr(0, 5)) + client_frame(0x89, "are you there?") +
                      client_frame(0x00, text.substr(5, 1)) + client_frame(0x80, text.substr(6)));
  BOOST_TEST(session.client.hears() == "frame 138: are you there?");  // W-074
  BOOST_TEST(read_message(session.server) == text);
}

BOOST_AUTO_TEST_CASE(W_065_U_107_a_lost_client_of_a_server_that_keeps_sessions_leaves_without_a_footer) {
  Bridge bridge;
  WebSession session = managed_session(bridge);
  session.client.wire.close();
  BOOST_TEST(session.server.read_to_end() == "");
  check_reason(bridge, "client-lost");
}

BOOST_AUTO_TEST_CASE(W_064_a_lost_client_of_any_other_server_is_signed_off) {
  Bridge bridge;
  WebSession session(bridge);
  session.client.wire.reset();
  check_footer(session.server);
  check_reason(bridge, "client-lost");
}

BOOST_AUTO_TEST_CASE(W_066_a_websocket_that_is_closed_without_a_word_is_lost) {
  Bridge bridge;
  WebSession session = managed_session(bridge);
  session.client.send(client_frame(0x88, close_payload(1001)));
  BOOST_TEST(session.client.hears_to_end() == "close 1001\n");
  BOOST_TEST(session.server.read_to_end() == "");
  check_reason(bridge, "client-lost");
}

BOOST_AUTO_TEST_CASE(W_082_U_107_a_client_that_closes_its_stream_ends_a_session_that_would_be_kept) {
  Bridge bridge;
  WebSession session = managed_session(bridge);
  session.client.say(web_close);
  BOOST_TEST(session.server.read_until(">") == stream_end);
}

struct Ending {
  const char* sends;  // the server; it closes its connection then
  std::string heard;
  const char* reason;
};
std::ostream& operator<<(std::ostream& out, const Ending& ending) {
  return out << ending.sends;
}
const Ending endings[] = {
    {"</stream:stream>", std::string(web_close) + "\nclose 1000\n", "server-closed"},
    {"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
     end("conflict", 1000), "server-stream-error"},
    {"", end("remote-connection-failed", 1011), "server-lost"},
    {"<message></iq>", end("remote-connection-failed", 1011), "server-bad-xml"},
};

BOOST_DATA_TEST_CASE(W_055_W_061_the_server_s_end_is_the_client_s, data::make(endings), ending) {
  Bridge bridge;
  WebSession session(bridge);
  session.server.send(ending.sends);
  session.server.close();
  std::string heard = session.client.hears();
  if (heard != web_close) heard += "\n" + session.client.hears();
  session.client.say(web_close);
  BOOST_TEST(heard + "\n" + session.client.hears() + "\n" == ending.heard);
  session.client.send(client_frame(0x88, close_payload(1000)));
  BOOST_TEST(session.client.wire.read_to_end() == "");
  check_reason(bridge, ending.reason);
}

BOOST_AUTO_TEST_CASE(W_057_a_server_that_sends_elsewhere_is_an_error_like_others) {
  FakeServer elsewhere;
  Bridge bridge;
  WebSession session(bridge);
  const std::string error =
      "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><see-other-host "
      "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>" +
      elsewhere.address() + "</see-other-host></stream:error>";
  session.server.send(error + std::string(stream_end));
  BOOST_TEST(session.client.hears() == error);
  BOOST_TEST(session.client.hears() == web_close);  // without see-other-uri
  session.client.say(web_close);
  BOOST_TEST(session.client.hears() == "close 1000");
  BOOST_TEST(!elsewhere.has_connection());
  BOOST_TEST(!bridge.server.has_connection());
}

BOOST_AUTO_TEST_CASE(W_039_a_server_that_can_t_be_reached) {
  Bridge bridge;
  bridge.server.stop();
  WebClient client(bridge.daemon);
  client.say(web_open);
  BOOST_TEST(client.hears().starts_with("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='' id='"));
  BOOST_TEST(client.hears() == error("remote-connection-failed"));
  BOOST_TEST(client.hears() == web_close);
  client.say(web_close);
  BOOST_TEST(client.hears() == "close 1011");
  check_reason(bridge, "server-unreachable");
}

BOOST_AUTO_TEST_CASE(W_087_a_domain_that_is_not_served) {
  Bridge bridge("upstream.domains = [\"other.example\"]");
  WebClient client(bridge.daemon);
  client.say(web_open);
  client.hears();
  BOOST_TEST(client.hears() == error("host-unknown"));
  BOOST_TEST(client.hears() == web_close);
  client.say(web_close);
  BOOST_TEST(client.hears() == "close 1000");
  check_reason(bridge, "host-unknown");
}

BOOST_AUTO_TEST_CASE(W_087_the_domain_in_open_chooses_the_server) {
  FakeServer own;
  Bridge bridge("upstream.domains = [\"example.org\"]\nupstream.domain.\"own.example\".server = \"" +
                own.address() + "\"");
  WebClient client(bridge.daemon);
  client.say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='own.example' version='1.0'/>");
  Wire server = own.accept();
  BOOST_TEST(has(read_stream_start(server), " to='own.example' "));
  const WebSession usual(bridge);
  BOOST_TEST(has(usual.server_saw, " to='example.org' "));
}

struct Violation {
  std::string sends;
  std::string heard;
  const char* reason;
};
std::ostream& operator<<(std::ostream& out, const Violation& violation) {
  return out << violation.reason << " " << violation.heard;
}
const Violation violations[] = {
    {client_frame(0x82, "<iq/>"), end("unsupported-encoding", 1003), "bad-frames"},          // W-016
    {std::string("\x81\x05<iq/>"), end("bad-format", 1002), "bad-frames"},                   // W-088
    {client_frame(0xc1, "<iq/>"), end("bad-format", 1002), "bad-frames"},                    // W-089
    {client_frame(0x83, "<iq/>"), end("bad-format", 1002), "bad-frames"},                    // W-089
    {client_frame(0x80, "<iq/>"), end("bad-format", 1002), "bad-frames"},                    // W-091
    {client_frame(0x81, "<iq>\xff</iq>"), end("unsupported-encoding", 1007), "bad-frames"},  // W-095
    {client_frame(0x81, "<iq>"), end("not-well-formed", 1002), "bad-request"},               // W-025
    {client_frame(0x81, "<iq/><iq/>"), end("not-well-formed", 1002), "bad-request"},         // W-019
};

BOOST_DATA_TEST_CASE(W_054_what_is_not_allowed_ends_with_error_close_and_code, data::make(violations),
                     violation) {
  Bridge bridge;
  WebSession session(bridge);
  session.client.send(violation.sends);
  std::string heard;
  for (int i = 0; i < 3; ++i) heard += session.client.hears() + "\n";
  BOOST_TEST(heard == violation.heard);
  session.client.send(client_frame(0x88, close_payload(1000)));
  session.client.wire.finish();
  BOOST_TEST(session.client.wire.read_to_end() == "");
  check_footer(session.server);
  check_reason(bridge, violation.reason);
}

BOOST_AUTO_TEST_CASE(W_031_W_098_a_message_too_large_is_told_its_limit) {
  Bridge bridge("limits.max_request = \"64 KiB\"");
  WebSession session(bridge);
  const std::size_t before = bridge.daemon.resident();
  session.client.send(client_frame(0x01, std::string(40'000, 'x')));
  session.client.send(client_frame(0x00, std::string(40'000, 'x')));
  const std::string told = session.client.hears();
  BOOST_TEST(has(told, "<policy-violation "));
  BOOST_TEST(has(told, "The message is larger than 65536 bytes (max_request)."));
  BOOST_TEST(session.client.hears() == web_close);
  BOOST_TEST(session.client.hears() == "close 1009");
  BOOST_TEST(bridge.daemon.has_grown_less(before, 1'000'000));
  check_reason(bridge, "request-too-large");
}

BOOST_AUTO_TEST_CASE(a_flood_of_pings_or_of_tiny_fragments_is_against_the_policy) {
  Bridge bridge;
  WebSession pings(bridge);
  std::string flood;
  for (int i = 0; i < 1001; ++i) flood += client_frame(0x8a, "");
  pings.client.send(flood);
  BOOST_TEST(pings.client.hears_to_end() == end("policy-violation", 1008));
  WebSession fragments(bridge);
  flood = client_frame(0x01, "<");
  for (int i = 0; i < 1100; ++i) flood += client_frame(0x00, "");
  fragments.client.send(flood);
  BOOST_TEST(fragments.client.hears_to_end() == end("policy-violation", 1008));
  check_reason(bridge, "overactive");
}

BOOST_AUTO_TEST_CASE(W_099_a_client_that_does_not_read_stops_its_server) {
  Bridge bridge("limits.client_queue = \"64 KiB\"");
  WebSession session(bridge);
  const std::size_t before = bridge.daemon.resident();
  const std::string stanza = "<message id='1'><body>" + std::string(60'000, 'x') + "</body></message>";
  std::size_t sent = 0;
  bool full = false;
  for (int i = 0; i < 2000 && !full; ++i) {
    if (session.server.writable()) sent += session.server.send_some(stanza);
    bridge.settle(1);
    full = !session.server.writable();
  }
  BOOST_TEST(full);
  BOOST_TEST(bridge.daemon.has_grown_less(before, 2'000'000));
  // It all comes when it reads again.
  std::size_t got = 0;
  while (got + 70'000 < sent) got += session.client.hears().size();
}

BOOST_AUTO_TEST_CASE(W_099_a_client_that_never_reads_is_ended) {
  Bridge bridge("limits.client_queue = \"64 KiB\"\nwebsocket.stall_timeout = \"1s\"");
  WebSession session = managed_session(bridge);
  const std::string stanza = "<message id='1'><body>" + std::string(60'000, 'x') + "</body></message>";
  while (!has(bridge.daemon.log(), "session-end")) {
    try {
      if (session.server.writable()) session.server.send_some(stanza);
    } catch (const Failure&) {
      break;  // boshd has just closed its end, which the log is about to say
    }
    bridge.settle(1);
  }
  check_reason(bridge, "client-stalled");
  WebSession other(bridge);  // nobody else has noticed
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_read_stops_its_client) {
  Bridge bridge("limits.upstream_queue = \"64 KiB\"");
  WebSession session(bridge);
  const std::size_t before = bridge.daemon.resident();
  const std::string stanza = client_frame(0x81, message(1));
  bool full = false;
  std::string some;
  for (int i = 0; i < 500; ++i) some += stanza;
  std::size_t sent = 0;
  for (int i = 0; i < 20'000 && !full; ++i) {
    const std::size_t part =
        session.client.wire.send_some(std::string_view(some).substr(sent % stanza.size()));
    sent += part;
    bridge.settle(1);
    full = !session.client.wire.writable();
  }
  BOOST_TEST(full);
  BOOST_TEST(bridge.daemon.has_grown_less(before, 2'000'000));
  for (std::size_t i = 0; i < sent / stanza.size(); ++i)
    BOOST_REQUIRE_EQUAL(read_message(session.server), message(1));
}

BOOST_AUTO_TEST_CASE(W_075_a_silent_client_is_pinged_and_lost_after_two) {
  Bridge bridge("websocket.ping = \"1s\"");
  WebSession session = managed_session(bridge);
  BOOST_TEST(session.client.hears() == "frame 137: ");
  session.client.send(client_frame(0x8a, ""));
  BOOST_TEST(session.client.hears() == "frame 137: ");
  BOOST_TEST(session.client.hears() == "frame 137: ");
  BOOST_TEST(session.client.wire.read_to_end() == "");
  BOOST_TEST(session.server.read_to_end() == "");
  check_reason(bridge, "client-lost");
}

BOOST_AUTO_TEST_CASE(a_stop_is_told_to_everybody) {
  Bridge bridge;
  WebSession session = managed_session(bridge);
  WebClient idle(bridge.daemon);
  bridge.settle();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(session.client.hears() == error("system-shutdown"));
  BOOST_TEST(session.client.hears() == web_close);
  BOOST_TEST(session.client.hears() == "close 1001");
  BOOST_TEST(idle.hears() == "close 1001");  // W-033
  session.client.wire.close();
  idle.wire.close();
  BOOST_TEST(session.server.read_to_end() == "");  // the session can be resumed
  BOOST_TEST(bridge.daemon.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(W_069_a_stop_sends_clients_elsewhere) {
  Bridge bridge("websocket.see_other_uri = \"wss://two.example/ws\"");
  WebSession session(bridge);
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(has(session.client.hears(), "see-other-uri='wss://two.example/ws'"));
  BOOST_TEST(session.client.hears() == "close 1001");
  session.client.wire.close();
  BOOST_TEST(bridge.daemon.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(D_083_while_it_stops_new_sessions_get_503) {
  Bridge bridge;
  WebSession session(bridge);
  HttpClient client = bridge.connect();
  // The head is on its way when the daemon stops; the rest comes while it waits for the WebSocket's end.
  const std::string creation =
      HttpClient::post_bytes(body_element(std::string(Session::usual) + attribute("rid", 1)));
  client.send(creation.substr(0, 50));
  bridge.settle();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(session.client.hears() == error("system-shutdown"));
  client.send(creation.substr(50));
  const Response answer = client.answer();
  BOOST_TEST(answer.status == 503U);
  BOOST_TEST(!answer.header("Retry-After").empty());
  session.client.wire.close();
  BOOST_TEST(bridge.daemon.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(W_100_compression_when_it_is_allowed) {
  Bridge bridge("websocket.compression = true");
  WebClient client(bridge.daemon,
                   "Sec-WebSocket-Protocol: xmpp\r\n"
                   "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
  BOOST_TEST(has(client.handshake,
                 "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                 "client_no_context_takeover\r\n"));
  client.say(web_open);
  Wire server = bridge.server.accept();
  read_stream_start(server);
  server.send(stream_start() + std::string(features));
  client.hears();
  client.hears();
  server.send("<message><body>" + std::string(5000, 'x') + "</body></message>");
  const Frame frame = client.frame();
  BOOST_TEST(frame.first == 0xc1U);
  BOOST_TEST(frame.payload.size() < 500U);
  client.send(client_frame(0xc1, frame.payload));  // inflated, it is what the server said
  BOOST_TEST(has(read_message(server), std::string(5000, 'x')));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
