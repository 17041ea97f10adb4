// What a session tells of its work: how long data waited, what was made of a request, what was cut off.
#include <boost/test/unit_test.hpp>

#include "tests/unit/session_fixture.hpp"

using namespace tests;
using bosh::Taken;

namespace {

constexpr auto rid = Fixture::first_rid;

/// The only answer's delay; -1 ms: there is none in it.
std::chrono::milliseconds delay(const Fixture& f) {
  BOOST_REQUIRE_EQUAL(f.delays.size(), 1U);
  const auto found = f.delays.front();
  return found ? std::chrono::duration_cast<std::chrono::milliseconds>(*found) : -1ms;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(counts)

BOOST_AUTO_TEST_CASE(what_finds_a_request_that_waits_is_not_delayed) {
  Fixture f;
  f.open_holding(1);
  f.advance(20s);
  f.upstream("<a/>");
  BOOST_TEST((delay(f) == 0ms));
}

BOOST_AUTO_TEST_CASE(time_without_a_request_to_answer_does_not_count) {
  Fixture f;
  f.open();
  f.upstream("<a/>");
  f.now += 30s;
  f.upstream("<b/>");
  f.request(rid + 1, 1);
  BOOST_TEST((delay(f) == 0ms));
}

BOOST_AUTO_TEST_CASE(time_in_which_the_order_is_guarded_counts_from_the_oldest_element) {
  Fixture f;
  f.open_holding(1);
  f.upstream("<a/>");
  f.request(rid + 2, 2, "<m/>");  // on another connection, and nothing shows that the answer has come
  f.upstream("<b/>");
  CHECK_ANSWERS(f, {});
  f.advance(2ms);
  f.upstream("<c/>");
  f.advance(3ms);
  CHECK_ANSWERS(f, {{2, plain("<b/><c/>")}});
  BOOST_TEST((delay(f) == 5ms));
}

BOOST_AUTO_TEST_CASE(the_next_letter_s_time_begins_anew) {
  Fixture f;
  f.open_holding(1);
  f.upstream("<a/>");
  f.now += 10s;
  f.upstream("<b/>");
  f.now += 10s;
  f.request(rid + 2, 2);
  BOOST_TEST((delay(f) == 0ms));
  f.now += 10s;
  f.request(rid + 3, 3);
  f.upstream("<c/>");
  BOOST_TEST((delay(f) == 0ms));
}

BOOST_AUTO_TEST_CASE(an_answer_without_data_has_no_delay) {
  Fixture f;
  f.open_holding(1);
  f.advance(61s);
  CHECK_ANSWERS(f, {{1, plain()}});
  BOOST_TEST((delay(f) == -1ms));
}

BOOST_AUTO_TEST_CASE(a_repeated_answer_has_no_delay) {
  Fixture f;
  f.open_holding(1);
  f.upstream("<a/>");
  f.now += 1s;
  f.request(rid + 1, 2);
  CHECK_ANSWERS(f, {{2, plain("<a/>")}});
  BOOST_TEST((delay(f) == -1ms));
}

BOOST_AUTO_TEST_CASE(a_request_is_new_or_repeated_or_none_that_may_come) {
  Fixture f;
  f.open_holding(1);
  BOOST_TEST((f.taken == Taken::new_one));
  f.request(rid + 1, 2);
  BOOST_TEST((f.taken == Taken::repeated));
  f.request(rid + 2, 3);
  BOOST_TEST((f.taken == Taken::new_one));
  f.request(rid + 99, 4);
  BOOST_TEST((f.taken == Taken::outside));
  BOOST_TEST((f.ended == bosh::End::rid_out_of_order));
}

BOOST_AUTO_TEST_CASE(a_request_too_many_is_told_apart) {
  Fixture f;
  f.settings.polling = 5s;
  f.open();
  for (unsigned i = 1; !f.ended; ++i) {
    BOOST_REQUIRE(i < 10);
    f.request(rid + i, i);
  }
  BOOST_TEST((f.ended == bosh::End::overactive));
  BOOST_TEST((f.taken == Taken::too_active));
}

BOOST_AUTO_TEST_CASE(a_held_request_that_is_cut_tells_once_how_long_it_was_held) {
  Fixture f;
  f.open_holding(1);
  f.now += 20s;
  f.lose(1);
  BOOST_REQUIRE(f.waited);
  BOOST_TEST((*f.waited == 20s));
  f.lose(1);
  BOOST_TEST(!f.waited);
  f.lose(77);
  BOOST_TEST(!f.waited);
}

BOOST_AUTO_TEST_CASE(a_request_before_its_turn_is_cut_once_too) {
  Fixture f;
  f.open();
  f.request(rid + 2, 2);
  f.now += 3s;
  f.lose(2);
  BOOST_TEST((f.waited == 3s));
  f.lose(2);
  BOOST_TEST(!f.waited);
}

BOOST_AUTO_TEST_SUITE_END()
