#include "src/table.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using boshd::shard_of;
using boshd::Table;

BOOST_AUTO_TEST_SUITE(table)

BOOST_AUTO_TEST_CASE(a_thing_is_found_by_its_id_until_it_is_erased) {
  Table<std::string> things(7);
  const auto one = things.emplace("one");
  const auto two = things.emplace("two");
  BOOST_CHECK_EQUAL(*things.find(one), "one");
  BOOST_CHECK_EQUAL(*things.find(two), "two");
  BOOST_CHECK_EQUAL(things.size(), 2U);
  things.erase(one);
  BOOST_CHECK(things.find(one) == nullptr);
  BOOST_CHECK_EQUAL(*things.find(two), "two");
}

BOOST_AUTO_TEST_CASE(a_slot_that_is_used_again_has_another_id) {
  Table<std::string> things(0);
  const auto first = things.emplace("first");
  things.erase(first);
  const auto second = things.emplace("second");
  BOOST_CHECK_NE(first, second);
  BOOST_CHECK(things.find(first) == nullptr);
  things.erase(first);  // a late event for what is gone
  BOOST_CHECK_EQUAL(*things.find(second), "second");
  BOOST_CHECK_EQUAL(things.size(), 1U);
}

BOOST_AUTO_TEST_CASE(growing_moves_nothing_that_is_boxed) {
  Table<int, boshd::Boxed> things(0);
  const auto first = things.emplace(1);
  const int* where = things.find(first);
  for (int i = 0; i < 1000; ++i) things.emplace(i);
  BOOST_CHECK(things.find(first) == where);
}

BOOST_AUTO_TEST_CASE(after_a_peak_memory_goes_and_ids_of_old_do_not_come_back) {
  Table<std::string> things(0);
  const auto stays = things.emplace("stays");
  std::vector<std::uint64_t> gone;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) gone.push_back(things.emplace("goes"));
    for (int i = 0; i < 100; ++i) things.erase(gone[gone.size() - 100 + static_cast<std::size_t>(i)]);
    things.shrink();
  }
  const auto next = things.emplace("next");
  BOOST_CHECK(std::find(gone.begin(), gone.end(), next) == gone.end());
  for (const auto id : gone) BOOST_CHECK(things.find(id) == nullptr);
  BOOST_CHECK_EQUAL(*things.find(stays), "stays");
  BOOST_CHECK_EQUAL(*things.find(next), "next");
  things.erase(stays);  // below one that is used
  things.shrink();
  BOOST_CHECK_EQUAL(*things.find(next), "next");
}

BOOST_AUTO_TEST_CASE(an_id_names_its_shard_and_is_never_0) {
  for (const unsigned shard : {0U, 1U, 255U}) {
    Table<int> things(shard);
    const auto id = things.emplace(1);
    BOOST_CHECK_NE(id, 0U);
    BOOST_CHECK_EQUAL(shard_of(id), shard);
    BOOST_CHECK(things.find(0) == nullptr);
    BOOST_CHECK(things.find(id + (std::uint64_t{1} << 56)) == nullptr);
  }
}

BOOST_AUTO_TEST_CASE(ids_lists_what_is_there) {
  Table<int> things(0);
  const auto one = things.emplace(1);
  const auto two = things.emplace(2);
  things.erase(one);
  BOOST_REQUIRE_EQUAL(things.ids().size(), 1U);
  BOOST_CHECK_EQUAL(things.ids().front(), two);
}

BOOST_AUTO_TEST_SUITE_END()
