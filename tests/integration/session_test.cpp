// BOSH sessions over sockets: creation, payload both ways, rids, lost connections, timers, the end. The
// numbers in the names are those of the checklists for XEP-0124 (B) and XEP-0206 (X).
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <regex>

#include "tests/integration/client.hpp"

namespace integration {
namespace {

namespace data = boost::unit_test::data;

/// The one line at the session's end.
std::string end_line(Bridge& bridge) {
  bridge.daemon.wait_for_log("session-end");
  bridge.settle();
  const auto lines = bridge.daemon.log_lines("session-end");
  BOOST_TEST(lines.size() == 1U);
  return lines.front();
}

struct Granted {
  const char* asked;
  const char* wait;
  const char* hold;
  const char* requests;
  const char* version;
};

std::ostream& operator<<(std::ostream& out, const Granted& granted) {
  return out << granted.asked;
}

const Granted grants[] = {
    {"wait='45' hold='1' ver='1.6'", "45", "1", "2", "1.6"},
    {"", "60", "1", "2", "1.11"},
    {"wait='600' hold='2' ver='1.11'", "60", "2", "3", "1.11"},
    {"wait='30' hold='5' ver='1.12'", "30", "2", "6", "1.11"},
    {"wait='0' hold='1'", "0", "0", "2", "1.11"},
    {"wait='60' hold='0'", "60", "0", "1", "1.11"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(creation)

BOOST_AUTO_TEST_CASE(B_063_B_068_X_021_X_023_the_answer_has_the_terms_and_the_features) {
  Bridge bridge("session.inactivity = \"70s\"\nsession.polling = \"3s\"");
  HttpClient client = bridge.connect();
  const Session session(bridge, client,
                        "to='example.org' xml:lang='de' wait='45' hold='1' ver='1.6' xmpp:version='1.0'");
  const Response& answer = session.created;
  BOOST_TEST(answer.status == 200U);
  BOOST_TEST(answer.header("Content-Type") == "text/xml; charset=utf-8");
  BOOST_TEST(answer.header("Cache-Control") == "no-store");
  const std::pair<const char*, const char*> expected[] = {
      {"wait", "45"},
      {"hold", "1"},
      {"requests", "2"},
      {"inactivity", "70"},
      {"polling", "3"},
      {"ver", "1.6"},
      {"from", "example.org"},
      {"authid", "stream-1"},
      {"xmpp:version", "1.0"},
      {"xmpp:restartlogic", "true"},
      {"xmlns:stream", "http://etherx.jabber.org/streams"},
  };
  for (const auto& [name, value] : expected)
    BOOST_TEST(root_attribute(answer.body, name) == value,
               name << " is " << root_attribute(answer.body, name));
  BOOST_TEST(std::regex_match(session.sid, std::regex("[0-9a-f]{34}")), session.sid);
  BOOST_TEST(has(answer.body, "<mechanism>ANONYMOUS</mechanism>"));
  for (const char* part : {"to='example.org'", "version='1.0'", "xml:lang='de'", "xmlns='jabber:client'"})
    BOOST_TEST(has(session.server_saw, part), part << " is not in " << session.server_saw);
}

BOOST_DATA_TEST_CASE(B_049_B_064_B_065_B_069_what_is_granted, data::make(grants)) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(body_element("to='example.org' rid='1' " + std::string(sample.asked)));
  Wire server = bridge.server.accept();
  read_stream_start(server);
  server.send(stream_start() + std::string(features));
  const Response answer = client.answer();
  BOOST_TEST(root_attribute(answer.body, "wait") == sample.wait);
  BOOST_TEST(root_attribute(answer.body, "hold") == sample.hold);
  BOOST_TEST(root_attribute(answer.body, "requests") == sample.requests);
  BOOST_TEST(root_attribute(answer.body, "ver") == sample.version);
}

BOOST_AUTO_TEST_CASE(B_070_later_answers_do_not_repeat_the_terms) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.server.send(message(1));
  const Response answer = client.ask(session.next());
  for (const char* name : {"sid", "wait", "requests", "ver", "polling", "inactivity", "hold"})
    BOOST_TEST(root_attribute(answer.body, name) == "");
}

BOOST_AUTO_TEST_CASE(B_062_the_node_label_leads_the_sid) {
  Bridge bridge("node = \"n2\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  BOOST_TEST(session.sid.starts_with("n2-"));
  session.server.send(message(1));
  BOOST_TEST(said(client.ask(session.next())) == message(1));
}

BOOST_AUTO_TEST_CASE(X_036_X_039_X_042_X_051_U_076_restart_opens_the_stream_anew_on_the_same_connection) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.post(session.next("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"));
  BOOST_TEST(session.server.read_until(">") ==
             "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
  session.server.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  BOOST_TEST(said(client.answer()) == "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");

  client.post(session.next({}, "to='example.org' xml:lang='en' xmpp:restart='true'"));
  const std::string header = read_stream_start(session.server);
  BOOST_TEST(header.starts_with("<?xml version='1.0'?><stream:stream "),
             header);  // and no footer before it
  session.server.send(
      "<?xml version='1.0'?><s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' "
      "version='1.0' "
      "id='stream-2' from='example.org'><s:features><bind "
      "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></s:features>");
  const Response answer = client.answer();
  BOOST_TEST(root_attribute(answer.body, "type") == "");
  BOOST_TEST(has(answer.body, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"), answer.body);
  BOOST_TEST(has(answer.body, "http://etherx.jabber.org/streams"), answer.body);
  BOOST_TEST(!bridge.server.has_connection());
}

BOOST_AUTO_TEST_CASE(B_059_payload_of_the_creation_follows_the_opening_of_the_stream) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(body_element("to='example.org' rid='1'", message(1)));
  Wire server = bridge.server.accept();
  read_stream_start(server);
  bridge.settle();
  BOOST_TEST(!server.readable());
  server.send(stream_start() + std::string(features));
  BOOST_TEST(read_message(server) == message(1));
  BOOST_TEST(has(client.answer().body, "ANONYMOUS"));
}

BOOST_AUTO_TEST_CASE(X_025_features_that_come_too_late_go_to_the_next_request) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(body_element("to='example.org' rid='1' wait='1' hold='1'"));
  Wire server = bridge.server.accept();
  const Response created = client.answer();
  BOOST_TEST(said(created) == "");
  client.post(body_element("rid='2' sid='" + root_attribute(created.body, "sid") + "'"));
  read_stream_start(server);
  server.send(stream_start() + std::string(features));
  BOOST_TEST(has(client.answer().body, "ANONYMOUS"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(payload)

struct Rewritten {
  const char* payload;
  const char* forwarded;
};

std::ostream& operator<<(std::ostream& out, const Rewritten& rewritten) {
  return out << rewritten.payload;
}

// The body declares xmlns:xmpp and, here, xmlns:p. Each payload ends with what the others end with, to read
// up to it.
const Rewritten to_server[] = {
    {"<message xmlns='jabber:client'><body>x</body></message>",
     "<message xmlns='jabber:client'><body>x</body></message>"},
    {"<message><body>x</body></message>", "<message xmlns='jabber:client'><body>x</body></message>"},
    {"<message xmlns=\"http://jabber.org/protocol/httpbind\"><body>x</body></message>",
     "<message xmlns=\"jabber:client\"><body>x</body></message>"},
    {"<message xmlns='jabber:client'><p:x/></message>",
     "<message xmlns:p='urn:p' xmlns='jabber:client'><p:x/></message>"},
    {"<message xmlns='jabber:client'>&lt;&#x1F600;é</message>",
     "<message xmlns='jabber:client'>&lt;&#x1F600;é</message>"},
};

BOOST_DATA_TEST_CASE(B_038_X_008_X_011_what_the_server_gets, data::make(to_server)) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.post(session.next(sample.payload, "xmlns:p='urn:p'"));
  BOOST_TEST(session.server.read_until("</message>") == sample.forwarded);
}

const Rewritten to_client[] = {
    {"<message><body>x</body></message>", "<message xmlns='jabber:client'><body>x</body></message>"},
    {"<message xmlns='jabber:client'/>", "<message xmlns='jabber:client'/>"},
    {"<message><q:x/></message>", "<message xmlns='jabber:client' xmlns:q='urn:q'><q:x/></message>"},
    {"<iq type='error' id='1'><error type='cancel'/></iq>",
     "<iq xmlns='jabber:client' type='error' id='1'><error type='cancel'/></iq>"},
    {"<a xmlns='urn:xmpp:sm:3' h='1'/>", "<a xmlns='urn:xmpp:sm:3' h='1'/>"},
    {"<message>&amp;&#x1F600;é</message>", "<message xmlns='jabber:client'>&amp;&#x1F600;é</message>"},
};

BOOST_DATA_TEST_CASE(B_039_B_196_X_009_what_the_client_gets, data::make(to_client)) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.post(body_element("to='example.org' rid='1' xml:lang='en'"));
  Wire server = bridge.server.accept();
  std::string start = stream_start();
  server.send(start.insert(start.size() - 1, " xmlns:q='urn:q' xml:lang='en'") + std::string(features));
  const std::string sid = root_attribute(client.answer().body, "sid");
  client.post(body_element("rid='2' sid='" + sid + "'"));
  server.send(sample.payload);
  BOOST_TEST(content(client.answer().body) == sample.forwarded);
}

BOOST_AUTO_TEST_CASE(B_088_B_089_all_of_one_read_goes_in_one_answer) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  session.server.send(messages(1, 4));
  BOOST_TEST(said(client.answer()) == messages(1, 4));
}

BOOST_AUTO_TEST_CASE(B_091_what_comes_between_requests_is_kept) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  for (const std::uint64_t id : {1, 2, 3}) {
    session.server.send(message(id));
    bridge.settle();
  }
  BOOST_TEST(said(client.ask(session.next())) == messages(1, 3));
}

BOOST_AUTO_TEST_CASE(X_037_U_097_whitespace_from_the_server_is_nobody_s_answer) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  for (const std::string& bytes : {std::string(" \n"), message(1)}) {
    session.server.send(bytes);
    bridge.settle();
  }
  BOOST_TEST(said(client.answer()) == message(1));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rids)

BOOST_AUTO_TEST_CASE(B_082_B_085_B_086_a_request_more_than_hold_releases_the_oldest) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  Session session(bridge, first);
  session.hold(first);
  BOOST_TEST(!first.wire.readable());
  session.hold(second);
  BOOST_TEST(said(first.answer()) == "");
  session.server.send(message(1));
  BOOST_TEST(said(second.answer()) == message(1));
}

BOOST_AUTO_TEST_CASE(B_088_with_two_held_the_oldest_gets_the_data) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  Session session(bridge, first, "to='example.org' wait='60' hold='2'");
  session.hold(first);
  session.hold(second);
  session.server.send(message(1));
  BOOST_TEST(said(first.answer()) == message(1));
  session.server.send(message(2));
  BOOST_TEST(said(second.answer()) == message(2));
}

BOOST_AUTO_TEST_CASE(B_081_B_139_early_rids_wait_for_their_turn) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  HttpClient third = bridge.connect();
  Session session(bridge, first, "to='example.org' wait='60' hold='2'");
  const auto rid = session.rid;
  third.post(session.at(rid + 3, message(3)));
  bridge.settle();
  second.post(session.at(rid + 2, message(2)));
  bridge.settle();
  BOOST_TEST(!session.server.readable());
  first.post(session.at(rid + 1, message(1)));
  for (const std::uint64_t id : {1, 2, 3}) BOOST_TEST(read_message(session.server) == message(id));
  BOOST_TEST(said(first.answer()) == "");
  session.server.send(message(4));
  BOOST_TEST(said(second.answer()) == message(4));
}

BOOST_AUTO_TEST_CASE(B_092_a_gap_that_is_not_filled_ends_the_session) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client, "to='example.org' wait='1' hold='1' ver='1.6'");
  BOOST_TEST(said(client.ask(session.at(session.rid + 2))) == "terminate item-not-found");
  BOOST_TEST(has(end_line(bridge), "reason=rid-missing"));
}

BOOST_AUTO_TEST_CASE(B_143_B_147_an_answered_rid_gets_the_same_bytes_again) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  Session session(bridge, first);
  session.hold(first);
  session.server.send(message(1));
  const Response original = first.answer();
  BOOST_TEST(said(original) == message(1));
  for (int repeat = 0; repeat < 3; ++repeat)
    BOOST_TEST(second.ask(session.at(session.rid, message(session.rid))).body == original.body);
  BOOST_TEST(second.ask(session.at(session.rid - 1)).body == session.created.body);
  BOOST_TEST(!session.server.readable());  // and its payload is not forwarded again
}

BOOST_AUTO_TEST_CASE(B_148_B_154_B_193_B_194_a_repeat_of_a_held_rid_takes_its_place) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  Session session(bridge, first);
  session.hold(first);
  second.post(session.at(session.rid, message(session.rid)));
  BOOST_TEST(said(first.answer()) == "error");
  session.server.send(message(1));
  BOOST_TEST(said(second.answer()) == message(1));
  BOOST_TEST(!session.server.readable());
}

BOOST_DATA_TEST_CASE(B_141_B_149_a_rid_outside_the_window_ends_the_session, data::make({3, 1000, -5}),
                     offset) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  Session session(bridge, first);
  session.hold(first);
  const auto rid = static_cast<std::int64_t>(session.rid) + offset;
  BOOST_TEST(said(second.ask(session.at(static_cast<std::uint64_t>(rid)))) == "terminate item-not-found");
  BOOST_TEST(said(first.answer()) == "terminate item-not-found");
  BOOST_TEST(session.server.read_until(">") == stream_end);
  BOOST_TEST(has(end_line(bridge), "reason=rid-out-of-order"));
}

BOOST_AUTO_TEST_CASE(B_022_D_071_pipelined_requests_are_answered_in_order) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  constexpr std::uint64_t count = 50;
  std::string pipeline;
  for (std::uint64_t id = 1; id <= count; ++id) pipeline += HttpClient::post_bytes(session.next(message(id)));
  client.send(pipeline);
  for (std::uint64_t id = 1; id <= count; ++id) BOOST_TEST(read_message(session.server) == message(id));
  for (std::uint64_t id = 1; id < count; ++id) BOOST_TEST(said(client.answer()) == "");
  session.server.send(message(1));
  BOOST_TEST(said(client.answer()) == message(1));
}

BOOST_AUTO_TEST_CASE(B_022_pipelined_in_the_wrong_order_they_still_take_turns) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const auto rid = session.rid;
  client.send(HttpClient::post_bytes(session.at(rid + 2, message(2))) +
              HttpClient::post_bytes(session.at(rid + 1, message(1))));
  for (const std::uint64_t id : {1, 2}) BOOST_TEST(read_message(session.server) == message(id));
  session.server.send(message(3));
  BOOST_TEST(said(client.answer()) == message(3));
  BOOST_TEST(said(client.answer()) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(lost_connections)

void close(Wire& wire) {
  wire.close();
}
void reset(Wire& wire) {
  wire.reset();
}
using Lose = void (*)(Wire&);
constexpr Lose losses[] = {close, reset};

BOOST_DATA_TEST_CASE(B_095_data_for_a_lost_request_goes_to_the_next, data::xrange(2), way) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  Session session(bridge, first);
  session.hold(first);
  losses[way](first.wire);
  bridge.settle();
  session.server.send(message(1));
  bridge.settle();
  BOOST_TEST(said(second.ask(session.next())) == message(1));
}

// Whichever the daemon sees first, the loss or the data: a client that repeats its rid and goes on gets it,
// once.
BOOST_DATA_TEST_CASE(B_096_data_that_crosses_the_loss_is_not_lost, data::xrange(2), way) {
  Bridge bridge;
  HttpClient opener = bridge.connect();
  Session session(bridge, opener);
  for (std::uint64_t id = 1; id <= 50; ++id) {
    HttpClient lost = bridge.connect();
    session.hold(lost);
    losses[way](lost.wire);
    session.server.send(message(id));
    HttpClient client = bridge.connect();
    std::string got = said(client.ask(session.at(session.rid, message(session.rid))));
    if (got.empty()) got = said(client.ask(session.next()));
    BOOST_TEST(got == message(id));
  }
  BOOST_TEST(!session.server.readable());
}

BOOST_AUTO_TEST_CASE(D_073_a_half_closed_client_gets_an_empty_answer) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  Session session(bridge, first);
  session.hold(first);
  first.wire.finish();
  BOOST_TEST(said(first.answer()) == "");
  BOOST_TEST(first.wire.read_to_end() == "");
  session.server.send(message(1));
  BOOST_TEST(said(second.ask(session.next())) == message(1));
}

BOOST_AUTO_TEST_CASE(D_073_a_half_closed_creator_gets_its_sid_at_once) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  first.post(body_element("to='example.org' rid='1'"));
  Wire server = bridge.server.accept();
  first.wire.finish();
  const std::string sid = root_attribute(first.answer().body, "sid");
  server.send(stream_start() + std::string(features));
  BOOST_TEST(has(second.ask(body_element("rid='2' sid='" + sid + "'")).body, "ANONYMOUS"));
}

BOOST_DATA_TEST_CASE(B_060_a_session_whose_creator_is_gone_dies_of_silence, data::xrange(2), way) {
  Bridge bridge("session.inactivity = \"2s\"\nsession.polling = \"1s\"");
  HttpClient client = bridge.connect();
  client.post(body_element("to='example.org' rid='1'"));
  Wire server = bridge.server.accept();
  read_stream_start(server);
  losses[way](client.wire);
  server.send(stream_start() + std::string(features));
  BOOST_TEST(server.read_until(">") == stream_end);
  BOOST_TEST(has(end_line(bridge), "reason=inactive"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(time_and_end)

BOOST_AUTO_TEST_CASE(B_084_B_087_after_wait_the_answer_is_empty) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client, "to='example.org' wait='1' hold='1'");
  const auto before = std::chrono::steady_clock::now();
  BOOST_TEST(said(client.ask(session.next())) == "");
  BOOST_TEST((std::chrono::steady_clock::now() - before >= std::chrono::seconds(1)));
}

BOOST_AUTO_TEST_CASE(B_094_a_polling_session_is_answered_at_once) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client, "to='example.org' wait='0' hold='1'");
  bridge.settle();
  BOOST_TEST(has(said(client.ask(session.next())), "ANONYMOUS"));  // later than the creation answer (B-078)
  BOOST_TEST(said(client.ask(session.next(message(1)))) == "");
  BOOST_TEST(read_message(session.server) == message(1));
  session.server.send(messages(2, 3));
  bridge.settle();
  BOOST_TEST(said(client.ask(session.next(message(4)))) == messages(2, 3));
}

BOOST_AUTO_TEST_CASE(B_109_silence_ends_the_session) {
  Bridge bridge("session.inactivity = \"2s\"\nsession.polling = \"1s\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  BOOST_TEST(session.server.read_until(">") == stream_end);
  const std::string line = end_line(bridge);
  for (const std::string& part :
       {std::string("info session-end reason=inactive"), " sid=" + session.sid.substr(0, 6) + "…",
        std::string(" domain=example.org"), std::string(" client=127.0.0.1"), std::string(" seconds=2")})
    BOOST_TEST(has(line, part), part << " is not in " << line);
  BOOST_TEST(said(client.ask(session.next())) == "terminate item-not-found");
}

BOOST_AUTO_TEST_CASE(B_198_B_199_terminate_forwards_its_payload_and_answers_what_is_held) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  HttpClient second = bridge.connect();
  Session session(bridge, first);
  session.hold(first);
  second.post(session.next("<presence xmlns='jabber:client' type='unavailable'/>", "type='terminate'"));
  BOOST_TEST(session.server.read_until(stream_end) ==
             "<presence xmlns='jabber:client' type='unavailable'/></stream:stream>");
  BOOST_TEST(said(first.answer()) == "terminate");
  BOOST_TEST(said(second.answer()) == "");
  BOOST_TEST(has(end_line(bridge), "reason=client-terminate"));
}

BOOST_AUTO_TEST_CASE(B_153_B_200_B_203_B_205_terminate_alone_and_repeated) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const std::string terminate = session.next({}, "type='terminate'");
  BOOST_TEST(said(client.ask(terminate)) == "terminate");
  BOOST_TEST(root_attribute(client.ask(terminate).body, "type") == "terminate");
  BOOST_TEST(session.server.read_until(">") == stream_end);
}

BOOST_AUTO_TEST_CASE(B_041_an_unknown_sid_is_told_in_a_200) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  for (const std::string& sid : {std::string(34, '0'), std::string(34, 'f'), std::string("nonsense"),
                                 std::string("&lt;"), std::string(1000, 'x'), std::string("00/../../etc")})
    BOOST_TEST(said(client.ask(body_element("rid='1' sid='" + sid + "'"))) == "terminate item-not-found");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
