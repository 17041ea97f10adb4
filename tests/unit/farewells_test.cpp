#include "src/farewells.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

namespace {

using namespace boshd;
using namespace std::chrono_literals;

bosh::Response saying(const std::string& words) {
  return {bosh::Bytes(words)};
}

Sid sid(std::uint64_t number) {
  return {0, 1, number};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(farewells)

BOOST_AUTO_TEST_CASE(B_186_what_is_said_of_a_session_is_kept_for_its_time_at_least) {
  Farewells kept(90s);
  const Time start{};
  kept.add(sid(1), saying("one"), start);
  kept.add(sid(2), saying("two"), start + 89s);
  for (Time now = start; now <= start + 179s; now += 1s) {
    kept.tidy(now);
    if (now <= start + 90s) BOOST_REQUIRE_EQUAL(*kept.find(sid(1))->body, "one");
    if (now >= start + 89s) BOOST_REQUIRE_EQUAL(*kept.find(sid(2))->body, "two");
  }
  BOOST_CHECK(kept.find(sid(3)) == nullptr);
}

BOOST_AUTO_TEST_CASE(then_it_is_forgotten) {
  Farewells kept(90s);
  const Time start{};
  kept.add(sid(1), saying("one"), start);
  kept.tidy(start + 90s);
  kept.tidy(start + 180s);
  BOOST_CHECK(kept.find(sid(1)) == nullptr);
  BOOST_CHECK(kept.empty());
}

BOOST_AUTO_TEST_CASE(of_too_many_the_latest_are_kept) {
  Farewells kept(90s);
  constexpr std::uint64_t many = 25'000;
  for (std::uint64_t i = 0; i < many; ++i) kept.add(sid(i), saying(i % 2 ? "odd" : "even"), Time{});
  BOOST_CHECK(kept.find(sid(0)) == nullptr);
  for (std::uint64_t i = many - 10'000; i < many; ++i)
    BOOST_REQUIRE_EQUAL(*kept.find(sid(i))->body, i % 2 ? "odd" : "even");
}

BOOST_AUTO_TEST_SUITE_END()
