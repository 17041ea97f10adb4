// All the ways in which a session ends, and who is told what.
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/unit/session_fixture.hpp"

using namespace tests;
using bosh::Condition;
using bosh::End;

namespace {

constexpr auto rid = Fixture::first_rid;

bosh::Body hold_two() {
  bosh::Body body;
  body.hold = 2;
  return body;
}

const bosh::Terminal stream_error{Condition::remote_stream_error, "<e/>"};

}  // namespace

BOOST_AUTO_TEST_SUITE(session_end)

BOOST_AUTO_TEST_CASE(B_200_a_terminate_that_is_alone_gets_the_terminal_body) {
  Fixture f;
  f.open();
  f.terminate(rid + 1, 1, "<presence type='unavailable'/>");
  BOOST_CHECK_EQUAL(f.forwarded, "<presence type='unavailable'/>");
  CHECK_ANSWERS(f, {{1, over()}});
  BOOST_CHECK(f.ended == End::client_terminated);
}

BOOST_AUTO_TEST_CASE(B_199_the_oldest_gets_the_terminal_body_and_the_others_an_empty_one) {
  Fixture f;
  f.open_holding(2, hold_two());
  f.terminate(rid + 3, 3);
  CHECK_ANSWERS(f, {{1, over()}, {2, plain()}, {3, plain()}});
}

BOOST_AUTO_TEST_CASE(B_202_what_is_queued_goes_to_the_request_that_is_held) {
  Fixture f;
  f.open_holding(2, hold_two());
  f.upstream("<a/>");
  f.upstream("<b/>");  // waits for the guard
  f.now += 5ms;
  f.terminate(rid + 3, 3);
  CHECK_ANSWERS(f, {{2, plain("<b/>")}, {3, over()}});

  Fixture unsure;  // it might come before <a/>
  unsure.open_holding(2, hold_two());
  unsure.upstream("<a/>");
  unsure.upstream("<b/>");
  unsure.terminate(rid + 3, 3);
  CHECK_ANSWERS(unsure, {{2, over()}, {3, plain()}});
  BOOST_CHECK_EQUAL(unsure.undelivered, "<b/>");
}

BOOST_AUTO_TEST_CASE(B_201_a_terminate_takes_its_turn) {
  Fixture f;
  f.open();
  f.terminate(rid + 2, 2, "<b/>");
  BOOST_CHECK(!f.ended);
  f.request(rid + 1, 1, "<a/>");
  BOOST_CHECK_EQUAL(f.forwarded, "<a/><b/>");
  CHECK_ANSWERS(f, {{1, over()}, {2, plain()}});
}

BOOST_AUTO_TEST_CASE(B_199_a_lost_request_is_not_the_oldest) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2);
  f.lose(2);
  f.terminate(rid + 3, 3);
  f.request(rid + 1, 1);
  CHECK_ANSWERS(f, {{1, over()}, {2, plain()}, {3, plain()}});
}

BOOST_AUTO_TEST_CASE(B_199_nor_is_a_lost_one_behind_what_was_queued) {
  Fixture f;
  f.open_holding(2, hold_two());
  f.upstream("<a/>");
  f.request(rid + 3, 3);
  f.lose(3);
  f.upstream("<b/>");  // waits for the guard
  f.terminate(rid + 4, 4);
  CHECK_ANSWERS(f, {{2, plain("<b/>")}, {3, plain()}, {4, over()}});
}

// While the server takes nothing, requests with payload wait together.
BOOST_AUTO_TEST_CASE(B_199_lost_ones_may_come_first_or_be_all_there_are) {
  Fixture f;
  f.open(hold_two());
  f.room(false);
  f.request(rid + 1, 1, "<x/>");
  f.lose(1);
  f.request(rid + 2, 2, "<y/>");
  f.terminate(rid + 3, 3);
  f.upstream("<a/>");
  f.room(true);
  BOOST_CHECK_EQUAL(f.forwarded, "<x/><y/>");
  CHECK_ANSWERS(f, {{1, plain()}, {2, plain("<a/>")}, {3, over()}});

  Fixture alone;
  alone.open();
  alone.room(false);
  alone.terminate(rid + 1, 1, "<x/>");
  alone.lose(1);
  alone.room(true);
  CHECK_ANSWERS(alone, {{1, over()}});
}

BOOST_AUTO_TEST_CASE(B_059_terminate_before_the_stream_is_open) {
  Fixture f;
  f.create();
  f.terminate(rid + 1, 1);
  BOOST_CHECK(f.ended == End::client_terminated);
  BOOST_CHECK_EQUAL(f.answers.size(), 2U);
}

BOOST_AUTO_TEST_CASE(B_189_the_real_condition_reaches_everything_that_waits) {
  Fixture f;
  f.open_holding(2, hold_two());
  f.end(stream_error);
  CHECK_ANSWERS(f, {{1, over(Condition::remote_stream_error, "<e/>")},
                    {2, over(Condition::remote_stream_error, "<e/>")}});
  BOOST_CHECK(f.ended == End::told);
}

BOOST_AUTO_TEST_CASE(B_190_an_end_with_nothing_held_waits_for_the_next_request) {
  Fixture f;
  f.open();
  f.end(stream_error);
  BOOST_CHECK(!f.ended);
  f.advance(10s);
  f.request(rid + 1, 1, "<lost/>");
  BOOST_CHECK_EQUAL(f.forwarded, "");
  CHECK_ANSWERS(f, {{1, over(Condition::remote_stream_error, "<e/>")}});
  BOOST_CHECK(f.ended == End::told);
}

BOOST_AUTO_TEST_CASE(X_052_what_is_queued_comes_before_the_terminal_body) {
  Fixture f;
  f.open();
  f.upstream("<a/>");
  f.end(stream_error);
  f.advance(1s);
  f.request(rid + 1, 1);
  CHECK_ANSWERS(f, {{1, plain("<a/>")}});
  f.request(rid + 2, 2);
  CHECK_ANSWERS(f, {{2, over(Condition::remote_stream_error, "<e/>")}});
}

BOOST_AUTO_TEST_CASE(X_057_an_end_that_nobody_fetches_is_forgotten_after_inactivity) {
  Fixture f;
  f.open();
  f.end(stream_error);
  f.advance(90s);
  BOOST_CHECK(f.ended == End::told);
}

BOOST_AUTO_TEST_CASE(B_190_while_ending_a_gap_that_stays_open_changes_no_reason) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2);
  f.end(stream_error);
  f.advance(60s);
  CHECK_ANSWERS(f, {{2, over(Condition::remote_stream_error, "<e/>")}});
  BOOST_CHECK(f.ended == End::told);
}

BOOST_AUTO_TEST_CASE(B_147_while_ending_a_repeated_rid_still_gets_its_answer) {
  Fixture f;
  f.open_holding(1);
  f.upstream("<a/>");
  f.end(stream_error);
  f.request(rid + 1, 9);
  CHECK_ANSWERS(f, {{9, plain("<a/>")}});
  BOOST_CHECK(!f.ended);
}

BOOST_AUTO_TEST_CASE(B_079_a_creation_that_fails_is_told_in_its_response) {
  Fixture f;
  f.create();
  f.end({Condition::remote_connection_failed, {}});
  CHECK_ANSWERS(f, {{0, over(Condition::remote_connection_failed)}});
}

BOOST_AUTO_TEST_CASE(shutdown_tells_all_at_once_and_what_is_queued_is_undelivered) {
  Fixture f;
  f.open_holding(2, hold_two());
  f.upstream("<a/>");
  f.upstream("<b/>");  // waits for the guard
  f.end({Condition::system_shutdown, {}}, true);
  CHECK_ANSWERS(f, {{2, over(Condition::system_shutdown)}});
  BOOST_CHECK(f.ended == End::told);
  BOOST_CHECK_EQUAL(f.undelivered, "<b/>");

  Fixture nothing_held;
  nothing_held.open();
  nothing_held.end({Condition::system_shutdown, {}}, true);
  BOOST_CHECK(nothing_held.ended == End::told);
}

BOOST_AUTO_TEST_CASE(shutdown_gives_what_is_queued_to_an_older_request_if_there_is_one) {
  Fixture f;
  f.open_holding(2, hold_two());
  f.upstream("<a/>");
  f.request(rid + 3, 3);
  f.upstream("<b/>");  // waits for the guard
  f.end({Condition::system_shutdown, {}}, true);
  CHECK_ANSWERS(f, {{2, plain("<b/>")}, {3, over(Condition::system_shutdown)}});
}

BOOST_AUTO_TEST_CASE(X_057_of_two_ends_the_first_is_told) {
  Fixture f;
  f.open();
  f.end(stream_error);
  f.end({Condition::remote_connection_failed, {}});
  f.request(rid + 1, 1);
  CHECK_ANSWERS(f, {{1, over(Condition::remote_stream_error, "<e/>")}});
}

BOOST_AUTO_TEST_CASE(X_057_an_end_reaches_a_request_that_the_server_did_not_take) {
  Fixture f;
  f.open();
  f.room(false);
  f.request(rid + 1, 1, "<x/>");
  f.end(stream_error);
  BOOST_CHECK_EQUAL(f.forwarded, "");
  CHECK_ANSWERS(f, {{1, over(Condition::remote_stream_error, "<e/>")}});
}

BOOST_AUTO_TEST_CASE(B_188_a_faulty_request_with_the_next_rid_ends_the_session) {
  Fixture f;
  f.open_holding(1);
  f.faulty(rid + 2, 2);
  CHECK_ANSWERS(f, {{1, over(Condition::bad_request)}, {2, over(Condition::bad_request)}});
  BOOST_CHECK(f.ended == End::bad_request);
}

BOOST_AUTO_TEST_CASE(B_187_with_any_other_rid_it_ends_nothing) {
  for (const auto other : {rid, rid + 1, rid + 4, rid + 1'000'000}) {
    Fixture f;
    f.open_holding(1);
    f.faulty(other, 2);
    CHECK_ANSWERS(f, {{2, over(Condition::bad_request)}});
    BOOST_CHECK(!f.ended);
    f.upstream("<a/>");
    CHECK_ANSWERS(f, {{1, plain("<a/>")}});
  }
}

BOOST_AUTO_TEST_CASE(B_189_requests_that_wait_for_their_turn_are_told_too) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2);
  f.request(rid + 9, 9);
  CHECK_ANSWERS(f, {{9, over(Condition::item_not_found)}, {2, over(Condition::item_not_found)}});
}

BOOST_AUTO_TEST_SUITE_END()
