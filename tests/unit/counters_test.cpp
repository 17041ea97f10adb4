// Counters, histograms, and who is how many.
#include "src/operate/counters.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <thread>

#include "src/operate/census.hpp"
#include "src/operate/figures.hpp"

namespace boshd {
namespace {

using namespace std::chrono_literals;

bool near(std::optional<double> found, double wanted) {
  return found && std::abs(*found - wanted) < 1e-9;
}

BOOST_AUTO_TEST_SUITE(counters)

BOOST_AUTO_TEST_CASE(a_counter_goes_up_and_down_and_is_read_by_others) {
  Counter counter;
  counter.add();
  counter.add(41);
  counter.take(2);
  std::uint64_t seen = 0;
  std::thread([&] { seen = counter.value(); }).join();
  BOOST_TEST(seen == 40U);
}

BOOST_AUTO_TEST_CASE(threads_that_count_share_no_cache_line) {
  BOOST_TEST(alignof(Counters) == cache_line);
  BOOST_TEST(sizeof(Counters) % cache_line == 0U);
}

BOOST_AUTO_TEST_CASE(a_time_falls_into_the_bucket_that_ends_at_it_or_behind_it) {
  Histogram histogram;
  histogram.add(0ns);
  histogram.add(100us);
  histogram.add(101us);
  histogram.add(60s);
  histogram.add(61s);
  histogram.add(-5s);  // a clock of another thread that is a little late
  const Distribution read = histogram.read();
  BOOST_TEST(read.buckets.front() == 3U);
  BOOST_TEST(read.buckets[1] == 1U);
  BOOST_TEST(read.buckets[bucket_ends.size() - 1] == 1U);
  BOOST_TEST(read.buckets.back() == 1U);
  BOOST_TEST(read.count() == 6U);
  BOOST_TEST(near(read.seconds(), 121.000201));
}

BOOST_AUTO_TEST_CASE(quantiles_lie_between_the_ends_of_their_bucket) {
  Distribution times;
  BOOST_TEST(!times.quantile(0.5));
  times.buckets[0] = 50;  // up to 100 µs
  times.buckets[1] = 50;  // up to 500 µs
  BOOST_TEST(near(times.quantile(0.25), 0.00005));
  BOOST_TEST(near(times.quantile(0.5), 0.0001));
  BOOST_TEST(near(times.quantile(0.75), 0.0003));
  BOOST_TEST(near(times.quantile(1), 0.0005));
}

BOOST_AUTO_TEST_CASE(above_the_last_end_all_that_is_known_is_that_end) {
  Distribution times;
  times.buckets.back() = 1;
  BOOST_TEST(near(times.quantile(0.99), 60));
}

BOOST_AUTO_TEST_CASE(what_came_since_is_a_difference) {
  Histogram histogram;
  histogram.add(50us);
  const Distribution before = histogram.read();
  histogram.add(2ms);
  histogram.add(3ms);
  Distribution since = histogram.read() - before;
  BOOST_TEST(since.count() == 2U);
  BOOST_TEST(near(since.seconds(), 0.005));
  since += before;
  BOOST_TEST(since.count() == 3U);
}

BOOST_AUTO_TEST_CASE(every_reason_has_its_word) {
  BOOST_TEST(not_begun_word(static_cast<std::size_t>(Refusal::address_rate)) == "address-rate");
  BOOST_TEST(not_begun_word(static_cast<std::size_t>(Refusal::draining)) == "draining");
  BOOST_TEST(not_begun_word(not_begun_host_unknown) == "host-unknown");
  BOOST_TEST(not_begun_word(not_begun_origin_refused) == "origin-refused");
  BOOST_TEST(to_string(RequestOutcome::replayed) == "replayed");
  BOOST_TEST(to_string(Transport::websocket) == "websocket");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(figures)

BOOST_AUTO_TEST_CASE(the_longest_delay_stays) {
  Figures figures;
  figures.note_delay(7ms);
  figures.note_delay(3ms);
  figures.note_delay(-1s);
  BOOST_TEST(figures.longest_delay.count() == 7U);
  figures.note_delay(std::chrono::hours(24 * 365));
  BOOST_TEST(figures.longest_delay.count() == 24U * 3600 * 1000);
}

BOOST_AUTO_TEST_CASE(a_jid_is_kept_and_may_be_replaced) {
  Figures figures;
  BOOST_TEST(figures.jid() == "");
  figures.set_jid("romeo@example.org");
  figures.set_jid("romeo@example.org/balcony");
  BOOST_TEST(figures.jid() == "romeo@example.org/balcony");
}

BOOST_AUTO_TEST_CASE(a_session_costs_no_more_than_this) {
  BOOST_TEST(sizeof(Figures) <= 56U);
}

BOOST_AUTO_TEST_CASE(what_sessions_keep_adds_up_and_goes_with_them) {
  Counter all;
  std::uint32_t one = 0;
  std::uint32_t other = 0;
  recount(all, one, 100);
  recount(all, other, 11);
  recount(all, one, 40);
  BOOST_TEST(all.value() == 51U);
  recount(all, one, 0);
  BOOST_TEST(all.value() == 11U);
  recount(all, other, 0);
  BOOST_TEST(all.value() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(census)

BOOST_AUTO_TEST_CASE(the_largest_come_first_and_equal_ones_by_name) {
  Census census;
  for (const char* name : {"b.example", "a.example", "c.example", "c.example", "d.example"})
    census.enter(name);
  const Tally three{{"c.example", 2}, {"a.example", 1}, {"b.example", 1}};
  BOOST_TEST((census.largest(3) == three));
  BOOST_TEST(census.largest(10).size() == 4U);
}

BOOST_AUTO_TEST_CASE(whose_last_session_has_gone_is_not_there_any_more) {
  Census census;
  const Census::Mark first = census.enter("a.example");
  const Census::Mark second = census.enter("a.example");
  census.leave(first);
  BOOST_TEST((census.largest(9) == Tally{{"a.example", 1}}));
  census.leave(second);
  census.leave(nullptr);
  BOOST_TEST(census.largest(9).empty());
}

BOOST_AUTO_TEST_CASE(addresses_are_counted_where_they_are_limited) {
  const LimitSettings limits;
  Admission admission(limits, {});
  const Admission::Time now{};
  const auto one = admission.admit(*parse_ip("192.0.2.1"), now);
  const auto two = admission.admit(*parse_ip("192.0.2.2"), now);
  auto three = admission.admit(*parse_ip("192.0.2.2"), now);
  BOOST_TEST((admission.busiest(9) == Tally{{"192.0.2.2", 2}, {"192.0.2.1", 1}}));
  BOOST_TEST((admission.busiest(1) == Tally{{"192.0.2.2", 2}}));
  three.place = {};
  BOOST_TEST((admission.busiest(9) == Tally{{"192.0.2.1", 1}, {"192.0.2.2", 1}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace boshd
