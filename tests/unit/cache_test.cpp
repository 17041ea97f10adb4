#include "bosh/cache.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace bosh;
using namespace std::chrono_literals;

namespace {

constexpr Time start{1h};

Bytes answer(std::size_t size) {
  return Bytes(std::string(size, 'x'));
}

/// Keeps answers to rids 1, 2, … of this size, a second apart, and says which is the oldest left.
std::uint64_t oldest_of(unsigned count, std::size_t size, const AnswerCache::Limits& limits) {
  AnswerCache cache;
  for (unsigned rid = 1; rid <= count; ++rid) cache.keep({rid, start + rid * 1s, answer(size), 0}, limits);
  for (unsigned rid = 1; rid <= count; ++rid)
    if (cache.find(rid)) return rid;
  return 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cache)

BOOST_AUTO_TEST_CASE(B_147_the_very_bytes_are_found_again) {
  AnswerCache cache;
  const Bytes first = answer(3);
  cache.keep({7, start, first, 0}, {});
  BOOST_CHECK(cache.find(7)->bytes == first);
  BOOST_CHECK(cache.find(8) == nullptr);
  BOOST_CHECK_EQUAL(cache.size(), 1U);
  BOOST_CHECK_EQUAL(cache.bytes(), 3U);
}

BOOST_AUTO_TEST_CASE(B_145_count_bytes_and_age_are_bounds_at_their_exact_value) {
  AnswerCache::Limits limits{.bytes = 1000, .count = 5, .least = 1, .age = 100s};
  BOOST_CHECK_EQUAL(oldest_of(5, 1, limits), 1U);
  BOOST_CHECK_EQUAL(oldest_of(6, 1, limits), 2U);
  limits = {.bytes = 30, .count = 100, .least = 1, .age = 100s};
  BOOST_CHECK_EQUAL(oldest_of(3, 10, limits), 1U);
  BOOST_CHECK_EQUAL(oldest_of(4, 10, limits), 2U);
  limits = {.bytes = 1000, .count = 100, .least = 1, .age = 9s};
  BOOST_CHECK_EQUAL(oldest_of(10, 1, limits), 1U);
  BOOST_CHECK_EQUAL(oldest_of(11, 1, limits), 2U);
}

BOOST_AUTO_TEST_CASE(B_144_the_newest_stay_whatever_their_size_and_age) {
  const AnswerCache::Limits limits{.bytes = 1, .count = 1, .least = 3, .age = 0s};
  BOOST_CHECK_EQUAL(oldest_of(10, 1000, limits), 8U);
}

BOOST_AUTO_TEST_CASE(B_145_the_bytes_are_those_of_what_is_left) {
  const AnswerCache::Limits limits{.bytes = 1000, .count = 40, .least = 1, .age = 1000s};
  AnswerCache cache;
  const auto left = [&] {
    std::size_t sum = 0;
    for (const AnswerCache::Kept& kept : cache.all()) sum += kept.bytes.size();
    return sum;
  };
  for (unsigned rid = 1; rid <= 100; ++rid) {
    cache.keep({rid, start, answer(rid), 0}, limits);
    BOOST_CHECK_EQUAL(cache.bytes(), left());
    if (rid % 10 == 0) cache.forget_up_to(rid - 3);
    BOOST_CHECK_EQUAL(cache.bytes(), left());
    BOOST_CHECK(cache.find(rid) && cache.bytes() <= 1000);
  }
  BOOST_CHECK_EQUAL(cache.size(), 3U);
  cache.forget_up_to(1000);
  BOOST_CHECK_EQUAL(cache.bytes() + cache.size(), 0U);
}

BOOST_AUTO_TEST_CASE(B_144_what_was_read_for_certain_is_kept_among_the_newest_only) {
  AnswerCache cache;
  const Bytes creation = answer(500);
  cache.keep({1, start, creation, 0, true}, {.least = 2});
  cache.keep({2, start, answer(10), 0}, {.least = 2});
  BOOST_CHECK(cache.find(1)->bytes == creation);
  cache.keep({3, start, answer(10), 0}, {.least = 2});
  BOOST_REQUIRE(cache.find(1));
  BOOST_CHECK_EQUAL(*cache.find(1)->bytes, *silent_reply());
  BOOST_CHECK_EQUAL(cache.find(2)->bytes.size(), 10U);
  BOOST_CHECK_EQUAL(cache.bytes(), silent_reply().size() + 20);
}

BOOST_AUTO_TEST_CASE(rule_4_a_session_at_rest_has_no_room_for_many) {
  AnswerCache cache;
  for (unsigned rid = 1; rid <= 32; ++rid) cache.keep({rid, start, answer(1), 0}, {});
  cache.keep({33, start + 1h, answer(1), 0}, {});
  BOOST_CHECK_EQUAL(cache.size(), 2U);
  BOOST_CHECK_LE(cache.all().capacity(), 8U);
}

BOOST_AUTO_TEST_SUITE_END()
