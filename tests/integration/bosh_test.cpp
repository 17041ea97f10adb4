// The less usual parts of BOSH over sockets: what a client may ask for, older clients, several streams,
// stanzas that nobody fetched.
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <string>

#include "src/coding.hpp"
#include "tests/integration/client.hpp"

namespace integration {
namespace {

constexpr std::string_view fast = "session.polling = \"0s\"";

std::string with(std::string_view attributes) {
  return std::string(Session::usual) + " " + std::string(attributes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(negotiation)

BOOST_AUTO_TEST_CASE(B_018_B_057_the_content_type_is_the_one_that_was_asked_for) {
  Bridge bridge(fast);
  HttpClient client = bridge.connect();
  Session session(bridge, client, with("content='text/plain; charset=utf-8'"));
  BOOST_TEST(session.created.header("Content-Type") == "text/plain; charset=utf-8");
  BOOST_TEST(session.created.header("X-Content-Type-Options") == "nosniff");
  const std::string poll = session.next(message(1));
  client.post(poll);
  read_message(session.server);
  session.server.send(message(2));
  BOOST_TEST(client.answer().header("Content-Type") == "text/plain; charset=utf-8");
  BOOST_TEST(client.ask(poll).header("Content-Type") == "text/plain; charset=utf-8");
  const Response end = client.ask(session.at(session.rid + 50));
  BOOST_TEST(said(end) == "terminate item-not-found");
  BOOST_TEST(end.header("Content-Type") == "text/plain; charset=utf-8");

  Session usual(bridge, client);
  BOOST_TEST(usual.created.header("Content-Type") == "text/xml; charset=utf-8");
}

BOOST_AUTO_TEST_CASE(B_019_what_is_no_media_type_is_refused) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  for (const char* content :
       {"text", "/", "text/", "te xt/plain", "text/plain&#13;&#10;X: y", "text/\xc3\xa4"})
    BOOST_TEST(said(client.ask(body_element(with("rid='1' content='" + std::string(content) + "'")))) ==
               "terminate bad-request");
}

BOOST_AUTO_TEST_CASE(B_071_B_072_B_076_B_111_X_022_the_creation_tells_what_there_is) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  const Session session(bridge, client);
  const std::string& body = session.created.body;
  BOOST_TEST(root_attribute(body, "maxpause") == "120");
  BOOST_TEST(root_attribute(body, "accept") == "gzip,deflate");
  BOOST_TEST(!root_attribute(body, "stream").empty());
  BOOST_TEST(has(body, "xmpp:restartlogic='true'"));
  BOOST_TEST(root_attribute(body, "charsets") == "");
  BOOST_TEST(std::stoi(root_attribute(body, "inactivity")) > 60);  // hidden tabs wake once a minute
}

BOOST_AUTO_TEST_CASE(B_127_B_135_without_polling_nobody_asks_too_often) {
  Bridge bridge(fast);
  HttpClient client = bridge.connect();
  HttpClient other = bridge.connect();
  Session session(bridge, client);
  BOOST_TEST(root_attribute(session.created.body, "polling") == "");
  for (int i = 0; i < 5; ++i) {
    client.post(session.next());
    other.post(session.next());
    BOOST_TEST(said(client.answer()) == "");
    client.post(session.next());
    BOOST_TEST(said(other.answer()) == "");
    other.post(session.next());
    BOOST_TEST(said(client.answer()) == "");
    client.post(session.next());
    BOOST_TEST(said(other.answer()) == "");
    session.server.send(message(1));
    BOOST_TEST(said(client.answer()) == message(1));
  }
}

BOOST_AUTO_TEST_CASE(B_126_B_128_two_quick_empty_requests_are_too_many) {
  Bridge bridge("session.polling = \"5s\"");
  HttpClient client = bridge.connect();
  HttpClient other = bridge.connect();
  Session session(bridge, client);
  client.post(session.next());
  other.post(session.next());
  BOOST_TEST(said(client.answer()) == "terminate policy-violation");
  BOOST_TEST(said(other.answer()) == "terminate policy-violation");
  BOOST_TEST(has(bridge.daemon.wait_for_log("session-end"), "reason=overactive"));
}

BOOST_AUTO_TEST_CASE(B_134_B_131_a_polling_client_keeps_its_distance) {
  Bridge bridge("session.polling = \"5s\"");
  HttpClient client = bridge.connect();
  client.post(body_element("to='example.org' wait='0' hold='0' ver='1.6' rid='1'"));
  Wire server = bridge.server.accept();
  const std::string sid = root_attribute(client.answer().body, "sid");
  const auto ask = [&](int rid) {
    return said(
        client.ask(body_element("sid='" + sid + "'" + attribute("rid", static_cast<std::uint64_t>(rid)))));
  };
  BOOST_TEST(ask(2) == "");
  BOOST_TEST(ask(3) == "terminate policy-violation");
}

BOOST_AUTO_TEST_CASE(B_183_B_184_B_186_clients_without_ver_get_HTTP_codes) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  BOOST_TEST(client.ask(body_element("to='example.org' rid='0'")).status == 400U);
  client = bridge.connect();
  BOOST_TEST(said(client.ask(body_element("rid='1'"))) ==
             "terminate improper-addressing");  // not among the three
  Session session(bridge, client, "to='example.org' wait='60' hold='1'");
  BOOST_TEST(root_attribute(session.created.body, "ver") == "1.11");
  const Response lost = client.ask(session.at(session.rid + 50));
  BOOST_TEST(lost.status == 404U);
  BOOST_TEST(client.ask(session.at(session.rid + 1)).status == 404U);  // it is remembered for a while
  BOOST_TEST(client.ask(body_element("sid='unknown' rid='5'")).status == 200U);
}

BOOST_AUTO_TEST_CASE(B_009_B_010_B_011_B_182_B_216_all_others_find_everything_in_a_200) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  for (const std::string& body :
       {session.at(session.rid), session.at(session.rid + 70), session.at(session.rid),
        std::string("rubbish"), body_element("sid='x' rid='1'")}) {
    const Response answer = client.ask(body);
    BOOST_TEST(answer.status == 200U);
    BOOST_TEST(XmlCheck().feed(answer.body, true));
    BOOST_TEST(answer.header("Set-Cookie") == "");
    BOOST_TEST(answer.header("Cache-Control") == "no-store");
    BOOST_TEST(answer.header("Transfer-Encoding") == "");
    BOOST_TEST(answer.header("Content-Length") == std::to_string(answer.body.size()));
  }
}

BOOST_AUTO_TEST_CASE(B_001_B_020_what_is_not_known_is_ignored) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client, with("secure='true' odd='1' xmlns:o='urn:o' o:even='2'"));
  client.post(session.next(message(1), "later='3' xmlns:o='urn:o' o:x='y' to=''"),
              "X-Odd: 1\r\nCookie: a=b\r\n");
  BOOST_TEST(read_message(session.server) == message(1));
  session.server.send(message(2));
  BOOST_TEST(said(client.answer()) == message(2));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tls)

BOOST_AUTO_TEST_CASE(D_096_B_207_B_208_B_209_a_session_that_began_over_TLS_is_not_spoken_to_without) {
  struct Family {
    std::string setting, secure, plain;
  };
  const Family families[] = {
      {"X-Forwarded-For", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n",
       "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nForwarded: for=192.0.2.1;proto=https\r\n"},
      {"Forwarded", "Forwarded: for=192.0.2.1;proto=https\r\n",
       "Forwarded: for=192.0.2.1;proto=http\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"},
  };
  for (const auto& [setting, secure, plainly] : families) {
    Bridge bridge("session.polling = \"0s\"\nproxy.trusted = [\"127.0.0.1\"]\nproxy.header = \"" + setting +
                  "\"");
    HttpClient proxy = bridge.connect();
    proxy.post(body_element(with("rid='1'")), secure);
    Wire server = bridge.server.accept();
    read_stream_start(server);
    server.send(stream_start() + std::string(features));
    const std::string sid = root_attribute(proxy.answer().body, "sid");
    const std::string next = body_element("sid='" + sid + "' rid='2'", message(1));
    for (const std::string& plain : {std::string(), plainly}) {  // D_096: also with the other family's claim
      HttpClient eavesdropper = bridge.connect();
      eavesdropper.post(next, plain);
      BOOST_TEST(eavesdropper.wire.read_to_end() == "");
    }
    proxy.post(next, secure);
    BOOST_TEST(read_message(server) == message(1));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(codings)

BOOST_AUTO_TEST_CASE(B_014_a_compressed_request_is_read) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.post(boshd::gzip(session.next(message(1))), "Content-Encoding: gzip\r\n");
  BOOST_TEST(read_message(session.server) == message(1));
}

BOOST_AUTO_TEST_CASE(
    B_015_one_that_grows_above_the_limit_is_a_policy_violation_and_a_broken_one_ends_nothing) {
  Bridge bridge("limits.max_request = \"16 KiB\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const Response broken = client.ask("no gzip", "Content-Encoding: gzip\r\n");
  BOOST_TEST(said(broken) == "terminate bad-request");
  const std::string bomb = boshd::gzip(session.next(std::string(100'000, ' ')));
  const Response answer = client.ask(bomb, "Content-Encoding: gzip\r\n");
  BOOST_TEST(has(said(answer), "terminate policy-violation"));
}

BOOST_AUTO_TEST_CASE(B_013_D_087_a_large_answer_is_compressed_for_who_takes_it) {
  Bridge bridge(fast);
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const std::string large = "<message id='1'><body>" + std::string(20'000, 'x') + "</body></message>";
  const std::string first = session.next();
  client.post(first, "Accept-Encoding: gzip, br\r\n");
  session.server.send(large);
  const Response packed = client.answer();
  BOOST_TEST(packed.header("Content-Encoding") == "gzip");
  BOOST_TEST(has(packed.header("Vary"), "Accept-Encoding"));
  BOOST_TEST(packed.header("Content-Length") == std::to_string(packed.body.size()));
  BOOST_TEST(packed.body.size() < 1000U);
  BOOST_TEST(client.ask(first, "Accept-Encoding: gzip;q=0\r\n").header("Content-Encoding") == "");
  const Response plain = client.ask(first);  // the same answer once more, as this request wants it
  BOOST_TEST(plain.header("Content-Encoding") == "");
  BOOST_TEST(said(plain) == large);
  BOOST_TEST((boshd::decode(boshd::Coding::gzip, packed.body, 100'000).bytes == plain.body));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sequences)

BOOST_AUTO_TEST_CASE(B_156_B_160_a_session_with_keys) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  // Of the seed pelican-42.
  Session session(bridge, client, with("newkey='9b6cff3e3e50ebb4055742db34b050dba50a52de'"));
  const std::string second = session.next(message(1), "key='74e6fe594dcea1d695a6d1dbb4b57f7eb011a766'");
  client.post(second);
  BOOST_TEST(read_message(session.server) == message(1));
  session.server.send(message(1));
  BOOST_TEST(said(client.answer()) == message(1));
  BOOST_TEST(said(client.ask(second)) == message(1));  // B-163
  BOOST_TEST(said(client.ask(session.next(message(2)))) == "terminate item-not-found");
  BOOST_TEST(has(bridge.daemon.wait_for_log("session-end"), "reason=bad-key"));
}

BOOST_AUTO_TEST_CASE(B_115_B_116_a_pause_answers_all_and_keeps_the_data) {
  Bridge bridge(fast);
  HttpClient client = bridge.connect();
  HttpClient other = bridge.connect();
  Session session(bridge, client);
  client.post(session.next());
  other.post(session.next({}, "pause='60'"));
  BOOST_TEST(said(client.answer()) == "");
  BOOST_TEST(said(other.answer()) == "");
  session.server.send(message(1));
  BOOST_TEST(said(client.ask(session.next())) == message(1));
}

BOOST_AUTO_TEST_CASE(B_098_B_099_acknowledgements_in_both_directions) {
  Bridge bridge(fast);
  HttpClient client = bridge.connect();
  HttpClient other = bridge.connect();
  Session session(bridge, client, with("ack='1'"));
  BOOST_TEST(root_attribute(session.created.body, "ack") == std::to_string(session.rid));
  client.post(session.next());
  other.post(session.next(message(1), attribute("ack", session.rid - 1)));
  BOOST_TEST(root_attribute(client.answer().body, "ack") == std::to_string(session.rid));
  read_message(session.server);
  session.server.send(message(2));
  const Response own = other.answer();
  BOOST_TEST(said(own) == message(2));
  BOOST_TEST(root_attribute(own.body, "ack") == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(several_streams)

BOOST_AUTO_TEST_CASE(B_171_B_173_B_174_B_178_two_streams_of_one_session) {
  Bridge bridge(fast);
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const std::string first = root_attribute(session.created.body, "stream");
  const Response added = client.ask(session.next({}, "to='b.example' xml:lang='de'"));
  const std::string second = root_attribute(added.body, "stream");
  BOOST_TEST(!second.empty());
  BOOST_TEST(second != first);
  Wire server = bridge.server.accept();
  BOOST_TEST(has(read_stream_start(server), "to='b.example'"));
  client.post(session.next());
  server.send(stream_start("stream-2", "b.example") + std::string(features));
  const Response opened = client.answer();
  BOOST_TEST(root_attribute(opened.body, "stream") == second);
  BOOST_TEST(root_attribute(opened.body, "from") == "b.example");

  client.post(session.next(message(1), "stream='" + second + "'"));
  BOOST_TEST(read_message(server) == message(1));
  session.server.send(message(2));
  const Response answer = client.answer();
  BOOST_TEST(root_attribute(answer.body, "stream") == first);
  BOOST_TEST(said(answer) == message(2));
  client.post(session.next(message(3)));
  BOOST_TEST(read_message(server) == message(3));
  BOOST_TEST(read_message(session.server) == message(3));
  server.send(message(4));
  BOOST_TEST(root_attribute(client.answer().body, "stream") == second);

  const Response closed = client.ask(session.next({}, "type='terminate' stream='" + second + "'"));
  BOOST_TEST(root_attribute(closed.body, "stream") == second);
  BOOST_TEST(has(server.read_until(stream_end), stream_end));
  BOOST_TEST(said(client.ask(session.next({}, "type='terminate'"))) == "terminate");
  BOOST_TEST(has(session.server.read_until(stream_end), stream_end));
}

BOOST_AUTO_TEST_CASE(B_179_a_stream_that_can_t_be_opened_ends_alone) {
  Bridge bridge("session.polling = \"0s\"\nupstream.domains = [\"example.org\"]");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const Response added = client.ask(session.next({}, "to='elsewhere.example'"));
  const std::string second = root_attribute(added.body, "stream");
  const Response refused = client.ask(session.next());
  BOOST_TEST(said(refused) == "terminate host-unknown");
  BOOST_TEST(root_attribute(refused.body, "stream") == second);
  client.post(session.next(message(1)));
  BOOST_TEST(read_message(session.server) == message(1));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(script_syntax)

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte))
      out += c;
    else
      out.append(1, '%').append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
  }
  return out;
}

std::string get(std::string_view body) {
  return "GET /http-bind?" + escaped(body) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

/// The body that an answer's call has as its argument; what is escaped in it stays so.
std::string argument(const Response& answer) {
  constexpr std::string_view call = "_BOSH_(\"";
  BOOST_TEST(answer.status == 200U);
  BOOST_TEST(answer.body.starts_with(call));
  BOOST_TEST(answer.body.ends_with("\")"));
  BOOST_TEST(!has(answer.body, "\n"));
  return answer.body.substr(call.size(), answer.body.size() - call.size() - 2);
}

struct ScriptSession {
  Bridge bridge{"session.polling = \"0s\"\nlisten.script_syntax = true\n"};
  HttpClient client = bridge.connect();
  Wire server;
  std::string sid;
  int rid = 1;

  ScriptSession() {
    client.send(get(body_element(with("rid='1'"))));
    server = bridge.server.accept();
    read_stream_start(server);
    server.send(stream_start() + std::string(features));
    sid = root_attribute(argument(client.answer()), "sid");
  }
  std::string next(std::string_view slice) {
    return body_element("sid='" + sid + "'" + attribute("rid", static_cast<std::uint64_t>(++rid)), slice);
  }
};

BOOST_AUTO_TEST_CASE(X_069_X_072_X_074_a_session_by_script) {
  ScriptSession session;
  session.client.send(get(session.next(message(1))));
  BOOST_TEST(read_message(session.server) == message(1));
  session.server.send(message(2));
  const Response answer = session.client.answer();
  BOOST_TEST(content(argument(answer)).find(message(2).substr(8)) != std::string::npos);
  BOOST_TEST(answer.header("Content-Type") == "text/javascript; charset=utf-8");
  BOOST_TEST(answer.header("Cache-Control") == "no-store");
  BOOST_TEST(answer.header("Pragma") == "no-cache");
  BOOST_TEST(answer.header("X-Content-Type-Options") == "nosniff");
  BOOST_TEST(said(session.client.ask(session.next(message(3)))) == "terminate item-not-found");  // no script
}

BOOST_AUTO_TEST_CASE(X_071_X_075_slices_are_put_together_and_answers_are_whole) {
  ScriptSession session;
  const std::string text = message(1) + message(2);
  for (std::size_t at = 0; at < text.size(); at += 5) {
    session.client.send(get(session.next(text.substr(at, 5))));
    if (at > 0) session.client.answer();
  }
  BOOST_TEST(read_message(session.server) == message(1));
  BOOST_TEST(read_message(session.server) == message(2));
  session.server.send("<message id='3'>");
  session.server.send("<body>3</body></message>");
  BOOST_TEST(has(argument(session.client.answer()), "<body>3</body></message></body>"));
}

BOOST_AUTO_TEST_CASE(X_071_X_014_a_slice_can_not_speak_for_the_stream) {
  for (const char* slice :
       {"</body><evil/>", "<a></b>", "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
        "<!-- x -->", "text"}) {
    ScriptSession session;
    session.client.send(get(session.next(slice)));
    BOOST_TEST(has(argument(session.client.answer()), "condition='bad-request'"), slice);
    BOOST_TEST(session.server.read_until(stream_end) == stream_end);
  }
}

BOOST_AUTO_TEST_CASE(X_073_what_is_escaped) {
  ScriptSession session;
  session.client.send(get(session.next({})));
  session.server.send(
      "<message a=\"'\"><body>\\ "
      "\n\r\xE2\x80\xA8\xE2\x80\xA9\xC2\xAD\xF3\xA0\x80\x81\xC3\xA4</body></message>");
  const std::string call = argument(session.client.answer());
  BOOST_TEST(has(call, "a=\\\"'\\\""));
  BOOST_TEST(has(call, "<body>\\\\ \\n\\r\\u2028\\u2029\\u00AD\\uDB40\\uDC01\xC3\xA4</body>"));
}

BOOST_AUTO_TEST_CASE(D_104_X_076_X_077_it_is_off_by_default) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.send(get(body_element(with("rid='1'"))));
  const Response answer = client.answer();
  BOOST_TEST(!has(answer.body, "sid="));
  BOOST_TEST(answer.header("Set-Cookie") == "");
  BOOST_TEST(!bridge.server.has_connection());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(undelivered)

BOOST_AUTO_TEST_CASE(X_058_X_059_X_060_X_061_X_065_stanzas_go_back_before_the_stream_ends) {
  Bridge bridge("session.polling = \"0s\"\nsession.inactivity = \"1s\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.server.send(
      "<presence from='p@a'/><message from='m@a' to='u@a/r' id='1'><body>x</body></message>"
      "<iq from='q@a' id='2' type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
  const std::string last = session.server.read_until(stream_end);
  BOOST_TEST(last ==
             "<message to='m@a' from='u@a/r' id='1' type='error'><error type='wait'><recipient-unavailable "
             "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
             "<iq to='q@a' id='2' type='error'><error type='cancel'><service-unavailable "
             "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq></stream:stream>");
}

BOOST_AUTO_TEST_CASE(X_006_X_064_U_107_a_server_that_manages_its_stream_sees_a_lost_connection) {
  Bridge bridge("session.polling = \"0s\"\nsession.inactivity = \"1s\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.post(session.next("<enable xmlns='urn:xmpp:sm:3' resume='true'/>"));
  BOOST_TEST(has(session.server.read_until("'true'/>"), "urn:xmpp:sm:3"));
  session.server.send("<enabled xmlns='urn:xmpp:sm:3' resume='true'/>");
  BOOST_TEST(has(client.answer().body, "<enabled xmlns='urn:xmpp:sm:3' resume='true'/>"));
  session.server.send(message(1));
  BOOST_TEST(session.server.read_to_end() == "");  // no footer, no error
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
