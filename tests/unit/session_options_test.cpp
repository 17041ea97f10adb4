// What a client may ask for beside the plain exchange: acknowledgements, pauses, keys, older manners.
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/unit/session_fixture.hpp"

using namespace tests;
using bosh::Body;
using bosh::Condition;
using bosh::End;
using bosh::Notes;

namespace {

constexpr auto rid = Fixture::first_rid;

Body acknowledging() {
  Body body;
  body.ack = 1;
  return body;
}

Body numbered(std::uint64_t number, std::string payload = {}) {
  Body body;
  body.rid = number;
  body.sid = "sid";
  body.payload = std::move(payload);
  return body;
}

Body with_ack(std::uint64_t number, std::uint64_t ack) {
  Body body = numbered(number);
  body.ack = ack;
  return body;
}

Body pausing(std::uint64_t number, std::uint64_t seconds, std::string payload = {}) {
  Body body = numbered(number, std::move(payload));
  body.pause = seconds;
  return body;
}

std::string with_ack(std::string_view content, std::uint64_t ack) {
  Notes notes;
  notes.ack = ack;
  return std::string(*bosh::reply(notes, content));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(acknowledgements)

BOOST_AUTO_TEST_CASE(B_074_B_098_the_creation_response_has_the_creation_s_rid) {
  Fixture f;
  f.open(acknowledging());
  BOOST_CHECK(has(f.answers[0].body, " ack='1000'"));
}

BOOST_AUTO_TEST_CASE(B_056_only_ack_1_announces_them) {
  for (const std::uint64_t other : {0, 2, 1000}) {
    Fixture f;
    Body body;
    body.ack = other;
    f.open(body);
    BOOST_CHECK(!has(f.answers[0].body, " ack="));
  }
}

BOOST_AUTO_TEST_CASE(B_097_B_099_an_answer_has_the_highest_rid_unless_that_is_its_own) {
  Fixture f;
  f.open_holding(1, acknowledging());
  f.request(rid + 2, 2);
  CHECK_ANSWERS(f, {{1, with_ack("", rid + 2)}});
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{2, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_097_what_came_early_does_not_count_before_the_gap_is_filled) {
  Fixture f;
  Body body = acknowledging();
  body.hold = 2;
  f.open_holding(1, body);
  f.request(rid + 3, 3);
  f.upstream("<a/>");
  CHECK_ANSWERS(f, {{1, plain("<a/>")}});
  f.request(rid + 2, 2, "<x/>");
  f.advance(60s);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 2U);
  BOOST_CHECK_EQUAL(f.answers[0].body, with_ack("", rid + 3));
}

BOOST_AUTO_TEST_CASE(B_103_an_acknowledged_answer_is_forgotten) {
  Fixture f;
  f.open_holding(1, acknowledging());
  f.upstream("<a/>");
  f.request(with_ack(rid + 2, rid), 2);
  BOOST_CHECK_EQUAL(f.session->cached_bytes(), plain("<a/>").size());
  f.request(rid + 1, 9);
  CHECK_ANSWERS(f, {{9, plain("<a/>")}});  // it has not said that it has this one
  f.upstream("<b/>");
  f.request(numbered(rid + 3), 3);  // says nothing: it has all
  BOOST_CHECK_EQUAL(f.session->cached_bytes(), 0U);
}

BOOST_AUTO_TEST_CASE(B_103_without_the_announcement_silence_forgets_nothing) {
  Fixture f;
  f.open_holding(1);
  f.upstream("<a/>");
  f.request(with_ack(rid + 2, rid + 1), 2);
  f.request(rid + 1, 9);
  CHECK_ANSWERS(f, {{9, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_104_an_impossible_ack_forgets_nothing) {
  for (const std::uint64_t odd : {rid + 3, rid + 500, std::uint64_t{3}}) {
    Fixture f;
    f.open_holding(1, acknowledging());
    f.upstream("<a/>");
    f.request(with_ack(rid + 2, rid), 2);
    const std::size_t kept = f.session->cached_bytes();
    f.upstream("<b/>");
    f.request(with_ack(rid + 3, odd), 3);
    BOOST_CHECK(f.session->cached_bytes() >= kept);
    BOOST_CHECK(!f.ended);
  }
}

BOOST_AUTO_TEST_CASE(B_105_B_106_B_107_a_response_that_looks_lost_is_reported) {
  Fixture f;
  f.open_holding(1, acknowledging());
  f.upstream("<a/>");
  f.request(with_ack(rid + 2, rid), 2);
  CHECK_ANSWERS(f, {});  // they may have crossed
  f.advance(3s);
  f.request(with_ack(rid + 3, rid), 3);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 2U);
  BOOST_CHECK(has(f.answers[1].body, " report='1001' time='3000'"));
  f.request(rid + 1, 9);
  CHECK_ANSWERS(f, {{9, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_106_a_report_is_not_given_with_every_answer) {
  Fixture f;
  f.open_holding(1, acknowledging());
  f.upstream("<a/>");
  f.advance(3s);
  f.request(with_ack(rid + 2, rid), 2);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  f.request(with_ack(rid + 3, rid), 3);
  CHECK_ANSWERS(f, {});
}

BOOST_AUTO_TEST_CASE(B_002_time_fits_its_type) {
  Notes notes;
  notes.report = 7;
  notes.age = 100s;
  BOOST_CHECK(has(std::string(*bosh::reply(notes, {})), " report='7' time='65535'"));
}

BOOST_AUTO_TEST_CASE(B_144_an_acknowledging_client_may_come_back_for_any_answer) {
  Fixture f;
  f.open_holding(1, acknowledging());
  for (unsigned i = 2; i <= 60; ++i) f.request(with_ack(rid + i, rid), i);
  f.request(rid + 1, 99);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(!f.ended);
}

BOOST_AUTO_TEST_CASE(X_065_what_was_never_acknowledged_is_undelivered) {
  Fixture f;
  f.open_holding(1, acknowledging());
  f.upstream("<a/>");
  f.request(with_ack(rid + 2, rid), 2);
  f.upstream("<b/>");
  f.advance(5ms);
  f.upstream("<c/>");
  f.advance(90s);
  BOOST_CHECK(f.ended == End::inactive);
  BOOST_CHECK_EQUAL(f.undelivered, "<a/><b/><c/>");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pauses)

BOOST_AUTO_TEST_CASE(B_071_maxpause_is_told_when_there_are_pauses) {
  Fixture f;
  f.open();
  BOOST_CHECK(has(f.answers[0].body, " maxpause='120'"));
  Fixture none;
  none.settings.max_pause = 0s;
  none.open();
  BOOST_CHECK(!has(none.answers[0].body, " maxpause="));
}

BOOST_AUTO_TEST_CASE(B_115_B_122_a_pause_answers_everything_at_once_and_forwards_its_payload) {
  Fixture f;
  f.open_holding(1);
  f.request(pausing(rid + 2, 100, "<x/>"), 2);
  BOOST_CHECK_EQUAL(f.forwarded, "<x/>");
  CHECK_ANSWERS(f, {{1, plain()}, {2, plain()}});
}

BOOST_AUTO_TEST_CASE(B_116_the_answer_to_a_pause_has_no_payload) {
  Fixture f;
  Body body;
  body.hold = 2;
  f.open_holding(2, body);
  f.upstream("<a/>");
  f.upstream("<b/>");  // waits for the guard
  f.request(pausing(rid + 3, 100), 3);
  CHECK_ANSWERS(f, {{2, plain("<b/>")}, {3, plain()}});

  Fixture alone;
  alone.open();
  alone.upstream("<a/>");
  alone.request(pausing(rid + 1, 100), 1);
  CHECK_ANSWERS(alone, {{1, plain()}});
  alone.request(rid + 2, 2);
  CHECK_ANSWERS(alone, {{2, plain("<a/>")}});
}

BOOST_AUTO_TEST_CASE(B_115_B_117_the_silence_may_last_so_long_and_only_once) {
  Fixture f;
  f.open();
  f.request(pausing(rid + 1, 110), 1);
  f.advance(109s);
  BOOST_CHECK(!f.ended);
  f.request(numbered(rid + 2), 2);
  f.advance(60s);  // answered by wait
  f.advance(89s);
  BOOST_CHECK(!f.ended);
  f.advance(1s);
  BOOST_CHECK(f.ended == End::inactive);
}

BOOST_AUTO_TEST_CASE(B_118_a_pause_may_be_shorter_than_inactivity) {
  Fixture f;
  f.open();
  f.request(pausing(rid + 1, 10), 1);
  f.advance(10s);
  BOOST_CHECK(f.ended == End::inactive);

  Fixture flush;
  flush.open_holding(1);
  flush.request(pausing(rid + 2, 0), 2);
  BOOST_CHECK_EQUAL(flush.answers.size(), 2U);
  flush.advance(89s);
  BOOST_CHECK(!flush.ended);
}

BOOST_AUTO_TEST_CASE(B_120_no_pause_is_longer_than_maxpause) {
  Fixture f;
  f.open();
  f.request(pausing(rid + 1, 100'000), 1);
  f.advance(119s);
  BOOST_CHECK(!f.ended);
  f.advance(1s);
  BOOST_CHECK(f.ended == End::inactive);

  Fixture none;
  none.settings.max_pause = 0s;
  none.open();
  none.request(pausing(rid + 1, 100), 1);
  CHECK_ANSWERS(none, {});  // an ordinary request
}

BOOST_AUTO_TEST_CASE(B_121_a_pause_that_comes_again_does_no_harm) {
  Fixture f;
  f.open();
  f.request(pausing(rid + 1, 110, "<x/>"), 1);
  f.advance(50s);
  f.request(pausing(rid + 1, 110, "<x/>"), 2);
  CHECK_ANSWERS(f, {{2, plain()}});
  BOOST_CHECK_EQUAL(f.forwarded, "");
  f.advance(109s);
  BOOST_CHECK(!f.ended);
}

BOOST_AUTO_TEST_CASE(B_119_a_pause_may_be_one_more_than_requests) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2);
  f.request(pausing(rid + 3, 100), 3);
  BOOST_CHECK(!f.ended);
  f.request(rid + 1, 1);
  BOOST_CHECK_EQUAL(f.answers.size(), 3U);
}

BOOST_AUTO_TEST_CASE(B_113_what_comes_during_a_pause_is_kept) {
  Fixture f;
  f.settings.queue_bytes = 8;
  f.open();
  f.request(pausing(rid + 1, 100), 1);
  f.upstream("<a/>");
  f.upstream("<b/>");
  BOOST_CHECK_EQUAL(f.said.size(), 1U);  // and no more is read
  f.request(rid + 2, 2);
  CHECK_ANSWERS(f, {{2, plain("<a/><b/>")}});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(key_sequences)

const std::string seed = "pelican-42";
const std::string k1 = boshd::sha1_hex(seed);
const std::string k2 = boshd::sha1_hex(k1);
const std::string k3 = boshd::sha1_hex(k2);

Body keyed(std::uint64_t number, std::string key) {
  Body body = numbered(number, "<x/>");
  body.key = std::move(key);
  return body;
}

BOOST_AUTO_TEST_CASE(B_160_a_request_with_a_wrong_key_is_not_processed) {
  Fixture f;
  Body body;
  body.newkey = k3;
  f.open(body);
  f.request(keyed(rid + 1, k2), 1);
  BOOST_CHECK_EQUAL(f.forwarded, "<x/>");
  f.request(keyed(rid + 2, k3), 2);
  BOOST_CHECK_EQUAL(f.forwarded, "");
  CHECK_ANSWERS(f, {{1, over(Condition::item_not_found)}, {2, over(Condition::item_not_found)}});
  BOOST_CHECK(f.ended == End::bad_key);
}

BOOST_AUTO_TEST_CASE(B_163_keys_are_taken_in_rid_order_and_repeats_need_none) {
  Fixture f;
  Body body;
  body.newkey = k3;
  f.open(body);
  f.request(keyed(rid + 2, k1), 2);
  f.request(keyed(rid + 1, k2), 1);
  BOOST_CHECK_EQUAL(f.forwarded, "<x/><x/>");
  f.request(keyed(rid + 1, k2), 3);
  CHECK_ANSWERS(f, {{3, plain()}});
  BOOST_CHECK(!f.ended);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(manners)

BOOST_AUTO_TEST_CASE(B_183_a_client_without_ver_is_told_by_HTTP_codes) {
  Body legacy;
  legacy.legacy = true;
  Fixture window;
  window.open_holding(1, legacy);
  window.request(rid + 50, 2);
  CHECK_ANSWERS(window, {{1, "404"}, {2, "404"}});
  Fixture bad;
  bad.open(legacy);
  bad.faulty(rid + 1, 1);
  CHECK_ANSWERS(bad, {{1, "400"}});
  Fixture busy;
  busy.settings.polling = 2s;
  busy.open_holding(1, legacy);
  busy.request(rid + 2, 2);
  CHECK_ANSWERS(busy, {{1, "403"}, {2, "403"}});
  BOOST_CHECK(busy.ended == End::overactive);
}

BOOST_AUTO_TEST_CASE(B_183_all_other_conditions_are_bodies_for_it_too) {
  Body legacy;
  legacy.legacy = true;
  Fixture f;
  f.open_holding(1, legacy);
  f.end({Condition::remote_connection_failed, {}});
  CHECK_ANSWERS(f, {{1, over(Condition::remote_connection_failed)}});
}

BOOST_AUTO_TEST_CASE(B_151_a_rid_that_is_repeated_for_ever_ends_the_session) {
  Fixture f;
  f.open();
  f.request(rid + 1, 1);
  for (unsigned i = 0; i < 50; ++i) f.request(rid + 1, 10 + i);
  BOOST_CHECK(!f.ended);
  f.request(rid + 1, 99);
  BOOST_CHECK(f.ended == End::overactive);
}

BOOST_AUTO_TEST_CASE(B_152_a_repeat_is_known_by_its_rid_alone) {
  Fixture f;
  f.open();
  f.request(rid + 1, 1, "<a/>");
  f.request(rid + 1, 2, "<b/>");
  BOOST_CHECK_EQUAL(f.forwarded, "");
  CHECK_ANSWERS(f, {{1, repeated}});
}

BOOST_AUTO_TEST_CASE(B_226_a_poller_with_one_request_may_terminate_beside_it) {
  Fixture f;
  Body body;
  body.hold = 0;
  f.create(body);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(has(f.answers[0].body, " requests='1'"));
  f.terminate(rid + 2, 2);
  BOOST_CHECK(!f.ended);
  f.request(rid + 1, 1);
  BOOST_CHECK(f.ended == End::client_terminated);
}

BOOST_AUTO_TEST_CASE(B_129_a_restart_is_no_poll) {
  Fixture f;
  f.settings.polling = 2s;
  f.open_holding(1);
  Body restart = numbered(rid + 2);
  restart.restart = true;
  f.request(std::move(restart), 2);
  BOOST_CHECK(!f.ended);
}

BOOST_AUTO_TEST_CASE(X_025_the_first_poll_may_come_at_once) {
  for (const unsigned hold : {0U, 1U}) {
    Fixture f;
    f.settings.polling = 2s;
    Body body;
    body.hold = hold;
    f.open(body);
    f.request(rid + 1, 1);
    BOOST_CHECK(!f.ended);
  }
}

BOOST_AUTO_TEST_CASE(X_058_B_113_what_nobody_fetched_is_undelivered) {
  Fixture silent;
  silent.open();
  silent.upstream("<a/>");
  silent.upstream("<b/>");
  silent.advance(90s);
  BOOST_CHECK(silent.ended == End::inactive);
  BOOST_CHECK_EQUAL(silent.undelivered, "<a/><b/>");

  Fixture leaving;
  leaving.open();
  leaving.upstream("<a/>");
  leaving.terminate(rid + 1, 1);
  BOOST_CHECK_EQUAL(leaving.undelivered, "<a/>");
}

BOOST_AUTO_TEST_SUITE_END()
