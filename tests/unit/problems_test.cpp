// What the log remembers, and what it keeps back.
#include "src/log/problems.hpp"

#include <boost/test/unit_test.hpp>

namespace boshd {
namespace {

using namespace std::chrono_literals;

Problem problem(std::string event, std::string text, int seconds = 0, LogLevel level = LogLevel::warning) {
  return {std::chrono::system_clock::time_point(std::chrono::seconds(seconds)), level, std::move(event),
          std::move(text), 1};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(problems)

BOOST_AUTO_TEST_CASE(equal_ones_are_counted_and_stand_at_the_time_of_the_latest) {
  ProblemList list;
  list.add(problem("a", "x", 1));
  list.add(problem("b", "x", 2));
  list.add(problem("a", "x", 3));
  list.add(problem("a", "y", 4));
  list.add(problem("a", "x", 5, LogLevel::error));
  const auto kept = list.list();
  BOOST_TEST_REQUIRE(kept.size() == 4U);
  BOOST_TEST(kept[0].count == 1U);
  BOOST_TEST((kept[0].level == LogLevel::error));
  BOOST_TEST(kept[1].text == "y");
  BOOST_TEST(kept[2].event == "a");
  BOOST_TEST(kept[2].count == 2U);
  BOOST_TEST((kept[2].time.time_since_epoch() == 3s));
  BOOST_TEST(kept[3].event == "b");
}

BOOST_AUTO_TEST_CASE(the_latest_fifty_are_kept) {
  ProblemList list;
  for (int i = 0; i < 60; ++i) list.add(problem("e" + std::to_string(i), "", i));
  const auto kept = list.list();
  BOOST_TEST_REQUIRE(kept.size() == 50U);
  BOOST_TEST(kept.front().event == "e59");
  BOOST_TEST(kept.back().event == "e10");
}

BOOST_AUTO_TEST_CASE(one_event_does_not_push_out_the_others) {
  ProblemList list;
  list.add(problem("rare", ""));
  for (int i = 0; i < 1000; ++i) list.add(problem("often", std::to_string(i)));
  const auto kept = list.list();
  BOOST_TEST_REQUIRE(kept.size() == 1 + ProblemList::most_of_one_event);
  BOOST_TEST(kept.front().text == "999");
  BOOST_TEST(kept[ProblemList::most_of_one_event - 1].text == "985");
  BOOST_TEST(kept.back().event == "rare");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(line_limits)

BOOST_AUTO_TEST_CASE(ten_lines_of_an_event_in_ten_seconds) {
  LineLimits limits;
  const LineLimits::Time start{};
  for (unsigned i = 0; i < LineLimits::most; ++i) BOOST_TEST(limits.pass("a", start + 1s * i));
  BOOST_TEST(!limits.pass("a", start + 9999ms));
  BOOST_TEST(limits.pass("b", start + 9999ms));
  BOOST_TEST(limits.pass("a", start + 10s));
}

BOOST_AUTO_TEST_CASE(what_was_kept_back_is_told_once_when_its_time_is_over) {
  LineLimits limits;
  const LineLimits::Time start{};
  for (int i = 0; i < 15; ++i) limits.pass("a", start);
  BOOST_TEST(limits.take_kept(start + 9s).empty());
  const auto kept = limits.take_kept(start + 10s);
  BOOST_TEST_REQUIRE(kept.size() == 1U);
  BOOST_TEST(kept[0].event == "a");
  BOOST_TEST(kept[0].count == 5U);
  BOOST_TEST(limits.take_kept(start + 30s).empty());
}

BOOST_AUTO_TEST_CASE(nothing_of_the_count_is_lost_when_the_next_span_begins) {
  LineLimits limits;
  const LineLimits::Time start{};
  for (int i = 0; i < 15; ++i) limits.pass("a", start);
  for (int i = 0; i < 12; ++i) limits.pass("a", start + 11s);
  const auto kept = limits.take_kept(start + 12s);
  BOOST_TEST_REQUIRE(kept.size() == 1U);
  BOOST_TEST(kept[0].count == 7U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
