// Answers with data arrive in order, and a page that was left leaves no gap for ever.
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/unit/session_fixture.hpp"

using namespace tests;
using bosh::Body;
using bosh::End;

namespace {

constexpr auto rid = Fixture::first_rid;

/// A session past its login: it has said something.
struct Chat : Fixture {
  std::uint64_t last = rid;

  Chat() { open(); }
  void says(std::uint64_t connection) {
    Body body;
    body.rid = ++last;
    body.sid = "sid";
    body.payload = "<m/>";
    body.talks = true;
    request(std::move(body), connection);
  }
  void polls(std::uint64_t connection) { request(++last, connection); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(order)

BOOST_AUTO_TEST_CASE(a_client_that_overlaps_is_answered_empty_until_it_shows_what_it_has) {
  Chat chat;
  chat.says(1);
  chat.says(2);  // the first is answered, and overlap is seen
  chat.upstream("<a/>");
  CHECK_ANSWERS(chat, {{2, plain("<a/>")}});
  chat.says(3);
  chat.upstream("<b/>");
  CHECK_ANSWERS(chat, {{3, plain()}});
  chat.polls(4);  // nothing of its own is open: it has both
  CHECK_ANSWERS(chat, {{4, plain("<b/>")}});
}

BOOST_AUTO_TEST_CASE(two_requests_further_it_must_have_the_answer) {
  Chat chat;
  chat.says(1);
  chat.says(2);
  chat.upstream("<a/>");
  chat.says(3);
  chat.says(4);  // it has two open at most
  chat.upstream("<b/>");
  CHECK_ANSWERS(chat, {{4, plain("<b/>")}});
}

BOOST_AUTO_TEST_CASE(B_088_a_client_that_sends_one_at_a_time_is_asked_for_proof_too) {
  Chat chat;
  chat.says(1);
  chat.upstream("<a/>");
  CHECK_ANSWERS(chat, {{1, plain("<a/>")}});  // it could not have logged in without the answers before
  chat.says(2);
  chat.upstream("<b/>");
  CHECK_ANSWERS(chat, {{2, plain()}});
  chat.polls(3);
  CHECK_ANSWERS(chat, {{3, plain("<b/>")}});
}

BOOST_AUTO_TEST_CASE(who_never_polls_has_its_data_two_requests_later) {
  Chat chat;
  chat.says(1);
  chat.upstream("<a/>");
  CHECK_ANSWERS(chat, {{1, plain("<a/>")}});
  chat.says(2);
  chat.upstream("<b/>");
  CHECK_ANSWERS(chat, {{2, plain()}});
  chat.says(3);  // more than it may, had it not the first answer
  CHECK_ANSWERS(chat, {{3, plain("<b/>")}});
}

BOOST_AUTO_TEST_CASE(data_does_not_pass_an_answer_that_is_waiting_to_be_repeated) {
  Chat chat;
  chat.says(1);
  chat.upstream("<a/>");
  CHECK_ANSWERS(chat, {{1, plain("<a/>")}});  // lost, and its client takes its time to repeat it
  chat.says(2);
  chat.upstream("<b/>");
  CHECK_ANSWERS(chat, {{2, plain()}});
  chat.advance(8s);
  chat.request(rid + 1, 3);
  CHECK_ANSWERS(chat, {{3, plain("<a/>")}});
  chat.polls(4);
  CHECK_ANSWERS(chat, {{4, plain("<b/>")}});
}

BOOST_AUTO_TEST_CASE(a_client_that_is_logging_in_waits_for_milliseconds_only) {
  Fixture f;
  f.open();
  f.request(rid + 1, 1, "<auth/>");
  f.upstream("<challenge/>");
  CHECK_ANSWERS(f, {{1, plain("<challenge/>")}});
  f.request(rid + 2, 2, "<response/>");
  f.upstream("<success/>");
  f.advance(5ms);
  CHECK_ANSWERS(f, {{2, plain("<success/>")}});
}

BOOST_AUTO_TEST_CASE(what_is_lost_or_repeated_shows_that_nothing_is_certain) {
  Chat chat;
  chat.says(1);
  chat.upstream("<a/>");
  chat.request(chat.last, 2);
  CHECK_ANSWERS(chat, {{2, plain("<a/>")}});
  chat.says(3);
  chat.upstream("<b/>");
  CHECK_ANSWERS(chat, {{3, plain()}});
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_is_a_proof) {
  Fixture f;
  Body body;
  body.ack = 1;
  f.open(body);
  for (unsigned i = 1; i <= 3; ++i) {
    f.request(rid + i, i, "<x/>");  // without ack: it has all
    f.upstream("<a/>");
    CHECK_ANSWERS(f, {{i, plain("<a/>")}});
  }
}

BOOST_AUTO_TEST_CASE(a_rid_that_a_reload_used_up_is_given_up) {
  Fixture f;
  f.open_holding(1);
  f.lose(1);
  f.request(rid + 3, 3, "<x/>");
  f.advance(11999ms);
  CHECK_ANSWERS(f, {});
  f.now += 1ms;
  f.ring();
  BOOST_REQUIRE_EQUAL(f.said.size(), 1U);
  BOOST_CHECK_EQUAL(f.said[0], "gave up 1002");
  BOOST_CHECK_EQUAL(f.forwarded, "<x/>");
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{3, plain("<a/>")}});
  f.request(rid + 2, 9);  // should it come nevertheless, that is said
  BOOST_CHECK(f.ended == End::rid_out_of_order);
}

BOOST_AUTO_TEST_CASE(B_092_what_is_given_up_leaves_no_deadline_behind) {
  Fixture f;
  f.open_holding(1);
  f.request(rid + 3, 3, "<x/>");
  f.advance(59s);
  f.lose(1);
  f.room(false);
  f.advance(1s);  // for the one the gap is over, and the server does not take it
  BOOST_CHECK(f.ended == End::upstream_stalled);
}

BOOST_AUTO_TEST_CASE(B_092_nothing_is_given_up_while_the_client_is_there) {
  Fixture repeats;
  repeats.open_holding(1);
  repeats.lose(1);
  repeats.request(rid + 1, 2);
  repeats.request(rid + 3, 3);
  repeats.advance(60s);
  BOOST_CHECK(repeats.ended == End::rid_missing);

  Fixture two;
  two.open_holding(1);
  two.lose(1);
  Body terminate;
  terminate.rid = rid + 4;
  terminate.terminate = true;
  two.request(std::move(terminate), 4);  // two are missing
  two.advance(60s);
  BOOST_CHECK(two.ended == End::rid_missing);
}

BOOST_AUTO_TEST_SUITE_END()
