// What boshd tells of its work: the line at a session's end, metrics, health, status.
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

constexpr std::string_view bound =
    "<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<jid>romeo@example.org/balcony</jid></bind></iq>";

/// The value of a field in a line of the log.
std::string field(const std::string& line, const std::string& name) {
  const auto at = line.find(" " + name + "=");
  BOOST_REQUIRE_MESSAGE(at != line.npos, "no " << name << " in " << line);
  const auto begin = at + name.size() + 2;
  return line.substr(begin, line.find(' ', begin) - begin);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(figures)

BOOST_AUTO_TEST_CASE(a_session_s_last_line_tells_what_it_has_done) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.server.send(bound);
  BOOST_TEST(!client.ask(session.next()).body.empty());
  const std::string again = session.next(message(1) + message(2));
  client.post(again);
  read_message(session.server);
  read_message(session.server);
  session.server.send(message(3));
  BOOST_TEST(said(client.answer()) == message(3));
  BOOST_TEST(said(client.ask(again)) == message(3));
  const std::string last = session.next({}, "type='terminate'");
  BOOST_TEST(said(client.ask(last)) == "terminate");
  const std::string line = bridge.daemon.wait_for_log("session-end");
  BOOST_TEST(has(line, "session-end reason=client-terminated sid=" + session.sid.substr(0, 6) + "… domain="));
  BOOST_TEST(field(line, "transport") == "bosh");
  BOOST_TEST(field(line, "jid") == "romeo@example.org/balcony");
  BOOST_TEST(field(line, "requests") == "5");
  BOOST_TEST(field(line, "replays") == "1");
  BOOST_TEST(field(line, "stanzas_in") == "2");
  BOOST_TEST(field(line, "stanzas_out") == "3");  // features, the bound resource, a message
  BOOST_TEST(std::stoul(field(line, "bytes_in")) > 2 * again.size() + last.size());
  BOOST_TEST(std::stoul(field(line, "bytes_out")) > session.created.body.size());
  BOOST_TEST(std::stoul(field(line, "max_delay_ms")) < 1000U);
}

BOOST_AUTO_TEST_CASE(a_websocket_s_last_line_counts_messages) {
  Bridge bridge;
  {
    WebSession session(bridge);
    session.server.send(bound);
    session.client.hears();
    session.client.say(without_namespace(message(1)));
    session.server.read_until("</message>");
    session.server.send(message(2));
    session.client.hears();
  }
  const std::string line = bridge.daemon.wait_for_log("session-end");
  BOOST_TEST(field(line, "transport") == "websocket");
  BOOST_TEST(field(line, "jid") == "romeo@example.org/balcony");
  BOOST_TEST(field(line, "requests") == "2");  // <open/> and the message
  BOOST_TEST(field(line, "stanzas_in") == "1");
  BOOST_TEST(field(line, "stanzas_out") == "3");
}

BOOST_AUTO_TEST_CASE(without_a_login_there_is_no_name) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.ask(session.next({}, "type='terminate'"));
  BOOST_TEST(field(bridge.daemon.wait_for_log("session-end"), "jid") == "\"\"");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
