#include "bosh/session.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/unit/session_fixture.hpp"

using namespace tests;
using bosh::Body;
using bosh::Condition;
using bosh::End;

namespace {

constexpr auto rid = Fixture::first_rid;

Body asking(std::optional<std::uint64_t> wait, std::optional<std::uint64_t> hold) {
  Body body;
  body.wait = wait;
  body.hold = hold;
  return body;
}

/// The value of an attribute in the creation response.
std::string granted(Body body, const std::string& name) {
  Fixture f;
  f.open(std::move(body));
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  const std::string& answer = f.answers[0].body;
  const auto at = answer.find(' ' + name + "='");
  if (at == std::string::npos) return "-";
  const auto begin = at + name.size() + 3;
  return answer.substr(begin, answer.find('\'', begin) - begin);
}

/// The features, when the creation was answered before the server's header came.
const std::string late_features =
    "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' from='a.example' "
    "authid='id' xmpp:version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>" +
    std::string(Fixture::features) + "</body>";

}  // namespace

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(B_064_wait_is_at_most_what_was_asked_and_what_is_set) {
  BOOST_CHECK_EQUAL(granted(asking(10, 1), "wait"), "10");
  BOOST_CHECK_EQUAL(granted(asking(600, 1), "wait"), "60");
  BOOST_CHECK_EQUAL(granted(asking({}, {}), "wait"), "60");
  BOOST_CHECK_EQUAL(granted(asking(9007199254740991, 1), "wait"), "60");
}

BOOST_AUTO_TEST_CASE(B_065_requests_exceeds_the_hold_that_was_asked) {
  BOOST_CHECK_EQUAL(granted(asking({}, {}), "hold"), "1");
  BOOST_CHECK_EQUAL(granted(asking({}, {}), "requests"), "2");
  BOOST_CHECK_EQUAL(granted(asking(60, 2), "hold"), "2");
  BOOST_CHECK_EQUAL(granted(asking(60, 2), "requests"), "3");
  BOOST_CHECK_EQUAL(granted(asking(60, 5), "hold"), "2");
  BOOST_CHECK_EQUAL(granted(asking(60, 5), "requests"), "6");
  BOOST_CHECK_EQUAL(granted(asking(60, 1'000'000), "requests"), "11");
}

BOOST_AUTO_TEST_CASE(B_066_ver_is_the_lower_one) {
  const auto version = [](bosh::Version asked) {
    Body body;
    body.version = asked;
    return granted(body, "ver");
  };
  BOOST_CHECK_EQUAL(version({1, 6}), "1.6");
  BOOST_CHECK_EQUAL(version({1, 99}), "1.11");
  BOOST_CHECK_EQUAL(version({2, 0}), "1.11");
  BOOST_CHECK_EQUAL(granted({}, "ver"), "1.11");
}

BOOST_AUTO_TEST_CASE(B_077_the_creation_response_brings_the_features) {
  Fixture f;
  f.create();
  CHECK_ANSWERS(f, {});
  f.upstream_open();
  CHECK_ANSWERS(f, {});
  f.upstream(Fixture::features);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(f.answers[0].body.find(Fixture::features) != std::string::npos);
  BOOST_CHECK(f.answers[0].body.find("authid='id'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(too_early_a_ring_does_nothing) {
  Fixture f;
  f.open();
  f.ring();
  f.request(rid + 2, 2);
  f.ring();
  f.request(rid + 1, 1);
  f.upstream("<a/>");
  f.ring();
  CHECK_ANSWERS(f, {});
  BOOST_CHECK(!f.ended);
  BOOST_CHECK_EQUAL(f.session->held(), 0U);
}

BOOST_AUTO_TEST_CASE(B_078_B_075_X_021_without_features_it_comes_by_wait_and_they_come_later) {
  Fixture f;
  f.create(asking(5, 1));
  f.advance(4999ms);
  CHECK_ANSWERS(f, {});
  f.advance(1ms);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(f.answers[0].body.find("sid='sid'") != std::string::npos);
  f.request(rid + 1, 1);
  CHECK_ANSWERS(f, {});
  f.upstream_open();
  f.upstream(Fixture::features);
  CHECK_ANSWERS(f, {{1, late_features}});
}

BOOST_AUTO_TEST_CASE(X_033_a_server_without_features_gets_the_creation_answered) {
  Fixture f;
  f.create();
  f.upstream_open("");
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(f.answers[0].body.find("xmpp:version") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(B_083_data_leaves_on_the_request_that_waits_at_once) {
  Fixture f;
  f.open_holding(1);
  CHECK_ANSWERS(f, {});
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{1, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_091_data_without_a_request_waits_in_order) {
  Fixture f;
  f.open();
  f.upstream("<a/>");
  f.upstream("<b/>");
  CHECK_ANSWERS(f, {});
  f.advance(1s);
  f.request(rid + 1, 1);
  CHECK_ANSWERS(f, {{1, plain("<a/><b/>")}});
}

BOOST_AUTO_TEST_CASE(B_085_no_more_than_hold_are_held_and_the_oldest_is_answered) {
  Fixture f;
  f.open_holding(1);
  f.request(rid + 2, 2, "<x/>");
  BOOST_CHECK_EQUAL(f.forwarded, "<x/>");
  CHECK_ANSWERS(f, {{1, plain()}});
  BOOST_CHECK_EQUAL(f.session->held(), 1U);

  Fixture two;
  two.open_holding(2, asking(60, 2));
  CHECK_ANSWERS(two, {});
  two.request(rid + 3, 3);
  CHECK_ANSWERS(two, {{1, plain()}});
}

BOOST_AUTO_TEST_CASE(B_084_B_093_a_request_is_answered_when_wait_is_over) {
  Fixture f;
  f.open_holding(1, asking(30, 1));
  f.advance(29'999ms);
  CHECK_ANSWERS(f, {});
  f.advance(1ms);
  CHECK_ANSWERS(f, {{1, plain()}});
}

BOOST_AUTO_TEST_CASE(D_041_or_when_the_proxy_in_between_would_lose_patience) {
  Fixture f;
  f.open();
  f.patience = 55s;
  f.request(rid + 1, 1);
  f.advance(54'999ms);
  CHECK_ANSWERS(f, {});
  f.advance(1ms);
  CHECK_ANSWERS(f, {{1, plain()}});
}

// The simulation found it: the younger of two waited for its turn first, and was then held for too long.
BOOST_AUTO_TEST_CASE(B_084_a_request_that_came_before_its_turn_is_not_held_longer_for_it) {
  Fixture f;
  f.open(asking(30, 2));
  f.request(rid + 2, 2);
  f.advance(10s);
  f.request(rid + 1, 1);
  f.advance(20s);
  CHECK_ANSWERS(f, {{1, plain()}, {2, plain()}});
}

BOOST_AUTO_TEST_CASE(B_094_B_133_a_polling_session_never_holds) {
  for (const Body& body : {asking(0, 1), asking(60, 0)}) {
    Fixture f;
    f.settings.polling = 2s;
    f.create(body);
    BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);  // as soon as there is a sid (B-078)
    BOOST_CHECK(f.answers[0].body.find(" hold='0'") != std::string::npos);
    BOOST_CHECK(f.answers[0].body.find(" inactivity='94'") !=
                std::string::npos);  // longer by polling and more (B-133)
    f.upstream_open();
    f.upstream(Fixture::features);
    f.advance(1s);
    f.request(rid + 1, 1);
    CHECK_ANSWERS(f, {{1, late_features}});
    f.request(rid + 2, 2);
    CHECK_ANSWERS(f, {{2, plain()}});
  }
}

BOOST_AUTO_TEST_CASE(B_081_requests_are_taken_in_rid_order_whatever_the_order_of_arrival) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2, "<b/>");
  BOOST_CHECK_EQUAL(f.forwarded, "");
  CHECK_ANSWERS(f, {});
  f.request(rid + 1, 1, "<a/>");
  BOOST_CHECK_EQUAL(f.forwarded, "<a/><b/>");
  CHECK_ANSWERS(f, {{1, plain()}});
}

BOOST_AUTO_TEST_CASE(B_141_a_rid_above_the_window_ends_the_session) {
  Fixture f;
  f.open_holding(1);
  f.request(rid + 4, 4);  // 1001 is taken, the window is 1002 and 1003
  CHECK_ANSWERS(f, {{1, over(Condition::item_not_found)}, {4, over(Condition::item_not_found)}});
  BOOST_CHECK(f.ended == End::rid_out_of_order);
}

BOOST_AUTO_TEST_CASE(B_140_B_142_the_window_is_as_wide_as_requests_and_one_more_for_terminate) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2);
  BOOST_CHECK(!f.ended);
  f.terminate(rid + 3, 3);
  BOOST_CHECK(!f.ended);  // it waits for its turn
  f.request(rid + 1, 1);
  BOOST_CHECK(f.ended == End::client_terminated);

  Fixture g;
  g.open();
  g.terminate(rid + 4, 4);
  BOOST_CHECK(g.ended == End::rid_out_of_order);
}

BOOST_AUTO_TEST_CASE(B_092_a_gap_that_is_not_filled_ends_the_session) {
  Fixture f;
  f.open(asking(20, 1));
  f.request(rid + 2, 2, "<b/>");
  f.advance(19'999ms);
  BOOST_CHECK(!f.ended);
  f.advance(1ms);
  BOOST_CHECK(f.ended == End::rid_missing);
  CHECK_ANSWERS(f, {{2, over(Condition::item_not_found)}});
}

BOOST_AUTO_TEST_CASE(B_092_a_gap_gets_no_more_time_because_of_others) {
  for (const auto later : {rid + 1, rid + 2}) {  // held, or early too
    Fixture f;
    f.open(asking(20, 2));
    f.request(rid + 3, 3);
    f.advance(10s);
    f.request(later, 1);
    f.advance(9'999ms);
    BOOST_CHECK(!f.ended);
    f.advance(1ms);
    BOOST_CHECK(f.ended == End::rid_missing);
    CHECK_ANSWERS(f, {{1, over(Condition::item_not_found)}, {3, over(Condition::item_not_found)}});
  }
}

BOOST_AUTO_TEST_CASE(B_147_a_repeated_rid_gets_the_same_bytes_and_is_not_forwarded_again) {
  Fixture f;
  f.open_holding(1);
  f.upstream("<a/>");
  f.request(rid + 2, 2);
  f.request(rid + 1, 9, "<x/>");
  BOOST_CHECK_EQUAL(f.forwarded, "");
  CHECK_ANSWERS(f, {{9, plain("<a/>")}});
  BOOST_CHECK_EQUAL(f.session->held(), 1U);
}

BOOST_AUTO_TEST_CASE(B_148_a_repeated_rid_that_is_held_moves_to_the_new_connection) {
  Fixture f;
  f.open_holding(1);
  f.request(rid + 1, 9);
  CHECK_ANSWERS(f, {{1, repeated}});
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{9, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_148_so_does_one_that_waits_for_its_turn) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2, "<b/>");
  f.request(rid + 2, 9, "<b/>");
  CHECK_ANSWERS(f, {{2, repeated}});
  f.request(rid + 1, 1);
  BOOST_CHECK_EQUAL(f.forwarded, "<b/>");
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{9, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_149_a_rid_that_is_no_longer_kept_ends_the_session) {
  Fixture f;
  f.settings.cache_bytes = 200;
  f.open();
  for (unsigned i = 1; i <= 10; ++i) f.request(rid + i, i);
  f.request(rid + 1, 99);
  BOOST_CHECK(f.ended == End::rid_out_of_order);
}

BOOST_AUTO_TEST_CASE(B_145_the_answers_kept_are_bounded_but_never_fewer_than_requests) {
  Fixture f;
  f.settings.cache_bytes = 1000;
  f.open();
  const std::string large(5000, 'x');
  for (unsigned i = 1; i <= 50; ++i) {
    f.request(rid + i, i);
    f.upstream(large);
    f.advance(1s);
  }
  BOOST_CHECK_LE(f.session->cached_bytes(), 2 * (large.size() + 100));
  f.request(rid + 49, 99);
  BOOST_CHECK_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(!f.ended);
}

BOOST_AUTO_TEST_CASE(B_095_a_lost_connection_gives_its_data_to_the_next_request) {
  Fixture f;
  f.open_holding(1);
  f.lose(1);
  CHECK_ANSWERS(f, {{1, plain()}});  // nothing that could get lost; a half-closed client gets it (D-073)
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {});
  f.request(rid + 2, 2);
  CHECK_ANSWERS(f, {{2, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_095_a_repeat_of_the_lost_one_gets_its_empty_answer) {
  Fixture f;
  f.open_holding(1);
  f.lose(1);
  f.upstream("<a/>");
  f.request(rid + 1, 9);
  CHECK_ANSWERS(f, {{9, plain()}});
  f.request(rid + 2, 2);
  CHECK_ANSWERS(f, {{2, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_095_the_second_of_two_is_lost_and_waits_for_its_turn) {
  Fixture f;
  f.open_holding(2, asking(60, 2));
  f.lose(2);
  CHECK_ANSWERS(f, {});
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{1, plain("<a/>")}, {2, plain()}});
  f.advance(1s);
  f.upstream("<b/>");
  f.request(rid + 3, 3);
  CHECK_ANSWERS(f, {{3, plain("<b/>")}});
}

BOOST_AUTO_TEST_CASE(B_095_a_lost_request_that_is_early_keeps_its_payload) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2, "<b/>");
  f.lose(2);
  f.request(rid + 1, 1, "<a/>");
  BOOST_CHECK_EQUAL(f.forwarded, "<a/><b/>");
  CHECK_ANSWERS(f, {{1, plain()}, {2, plain()}});
}

BOOST_AUTO_TEST_CASE(B_095_a_lost_one_that_came_again_is_no_longer_lost) {
  Fixture f;
  f.open_holding(2, asking(60, 2));
  f.lose(2);
  f.request(rid + 2, 9);
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{1, plain("<a/>")}});
  f.advance(10ms);
  f.upstream("<b/>");
  CHECK_ANSWERS(f, {{9, plain("<b/>")}});
}

BOOST_AUTO_TEST_CASE(D_073_a_creator_that_half_closes_gets_its_sid) {
  Fixture f;
  f.create();
  f.lose(0);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(f.answers[0].body.find("sid='sid'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(B_109_silence_for_longer_than_inactivity_ends_the_session) {
  Fixture f;
  f.open_holding(1, asking(30, 1));
  f.advance(30s);
  f.advance(89'999ms);
  BOOST_CHECK(!f.ended);
  f.advance(1ms);
  BOOST_CHECK(f.ended == End::inactive);
}

BOOST_AUTO_TEST_CASE(B_112_any_request_stops_the_clock_also_a_repeated_one) {
  Fixture f;
  f.open_holding(1, asking(1, 1));
  f.advance(1s);
  f.advance(80s);
  f.request(rid + 1, 9);
  f.advance(80s);
  BOOST_CHECK(!f.ended);
  f.request(rid + 2, 2);
  f.advance(80s);
  BOOST_CHECK(!f.ended);
  f.advance(20s);
  BOOST_CHECK(f.ended == End::inactive);
}

BOOST_AUTO_TEST_CASE(X_040_X_041_X_044_X_049_a_restart_takes_its_turn_and_ignores_its_payload) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2, "<b/>");
  Body restart;
  restart.rid = rid + 1;
  restart.restart = true;
  restart.payload = "<ignored/>";
  f.request(restart, 1);
  BOOST_TEST(f.said == std::vector<std::string>{"restart"}, boost::test_tools::per_element());
  BOOST_CHECK_EQUAL(f.forwarded, "<b/>");
}

BOOST_AUTO_TEST_CASE(rule_5_reading_stops_while_the_client_does_not_fetch) {
  Fixture f;
  f.settings.queue_bytes = 100;
  f.open();
  f.upstream(std::string(99, 'x'));
  BOOST_CHECK(f.said.empty());
  f.upstream("y");
  BOOST_TEST(f.said == std::vector<std::string>{"pause"}, boost::test_tools::per_element());
  f.upstream("z");
  BOOST_CHECK(f.said.empty());
  f.advance(1s);
  f.request(rid + 1, 1);
  BOOST_TEST(f.said == std::vector<std::string>{"read"}, boost::test_tools::per_element());
  CHECK_ANSWERS(f, {{1, plain(std::string(99, 'x') + "yz")}});
}

BOOST_AUTO_TEST_CASE(rule_5_requests_with_payload_wait_while_the_server_takes_nothing) {
  Fixture f;
  f.open_holding(1, asking(60, 2));
  f.room(false);
  f.request(rid + 2, 2, "<a/>");
  f.request(rid + 3, 3, "<b/>");
  BOOST_CHECK_EQUAL(f.forwarded, "");
  f.upstream("<x/>");
  CHECK_ANSWERS(f, {{1, plain("<x/>")}});
  f.room(true);
  BOOST_CHECK_EQUAL(f.forwarded, "<a/><b/>");
  BOOST_CHECK_EQUAL(f.session->held(), 2U);
}

BOOST_AUTO_TEST_CASE(rule_5_a_server_that_takes_nothing_for_wait_ends_the_session) {
  Fixture f;
  f.open(asking(20, 1));
  f.room(false);
  f.request(rid + 1, 1, "<a/>");
  f.advance(20s);
  BOOST_CHECK(f.ended == End::upstream_stalled);
  CHECK_ANSWERS(f, {{1, over(Condition::remote_connection_failed)}});
}

BOOST_AUTO_TEST_CASE(the_next_answer_with_data_waits_until_the_first_has_arrived) {
  Fixture f;
  f.open_holding(2, asking(60, 2));
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{1, plain("<a/>")}});
  f.upstream("<b/>");
  CHECK_ANSWERS(f, {});
  f.upstream("<c/>");
  f.advance(4ms);
  CHECK_ANSWERS(f, {});
  f.advance(1ms);
  CHECK_ANSWERS(f, {{2, plain("<b/><c/>")}});
}

BOOST_AUTO_TEST_CASE(no_wait_on_the_same_connection_unless_a_proxy_owns_it) {
  for (const bool direct : {true, false}) {
    Fixture f;
    f.direct = direct;
    f.open();
    f.request(rid + 1, 7);
    f.upstream("<a/>");
    f.request(rid + 2, 7, "<x/>");
    f.upstream("<b/>");
    BOOST_CHECK_EQUAL(f.answers.empty(), !direct);
    f.advance(5ms);
    BOOST_CHECK_EQUAL(f.answers.empty(), direct);
  }
}

BOOST_AUTO_TEST_CASE(no_wait_when_the_client_has_gone_on_since) {
  Fixture f;
  f.open_holding(1);
  f.upstream("<a/>");
  f.request(rid + 2, 2, "<x/>");
  f.upstream("<b/>");
  CHECK_ANSWERS(f, {});
  f.request(rid + 3, 3);  // two are open at most: it has the answer to 1001 or 1002
  CHECK_ANSWERS(f, {{2, plain("<b/>")}});
}

BOOST_AUTO_TEST_SUITE_END()
