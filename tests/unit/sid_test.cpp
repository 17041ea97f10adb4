#include "src/sid.hpp"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

using boshd::parse_sid;
using boshd::random_sid;
using boshd::Sid;
using boshd::to_string;

BOOST_AUTO_TEST_SUITE(sid)

BOOST_AUTO_TEST_CASE(B_062_a_sid_is_read_back_and_names_its_shard) {
  for (const std::string label : {"", "n2", "a"}) {
    for (const unsigned shard : {0U, 1U, 17U, 255U}) {
      const Sid made = random_sid(shard);
      const auto read = parse_sid(to_string(made, label), label);
      BOOST_REQUIRE(read.has_value());
      BOOST_CHECK(*read == made);
      BOOST_CHECK_EQUAL(read->shard, shard);
    }
  }
}

BOOST_AUTO_TEST_CASE(B_062_B_211_X_024_no_two_are_equal) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(to_string(random_sid(0), ""));
  BOOST_CHECK_EQUAL(seen.size(), 1000U);
}

BOOST_AUTO_TEST_CASE(the_label_leads_so_that_a_balancer_finds_it) {
  BOOST_CHECK(to_string(random_sid(3), "n2").starts_with("n2-03"));
}

BOOST_AUTO_TEST_CASE(what_this_node_can_not_have_made_is_no_sid) {
  const std::string good = to_string(random_sid(1), "");
  BOOST_REQUIRE(parse_sid(good, "").has_value());
  for (const std::string& bad :
       {std::string(), good.substr(1), good + "0", "n1-" + good, good.substr(1) + "g", good.substr(1) + "A",
        good.substr(1) + " ", std::string(good.size(), '-'), std::string(34, '\0'),
        std::string(100'000, '0')})
    BOOST_CHECK(!parse_sid(bad, "").has_value());
  BOOST_CHECK(!parse_sid(good, "n1").has_value());
  BOOST_CHECK(!parse_sid("n1-" + good, "n11").has_value());
  BOOST_CHECK(!parse_sid("n11-" + good, "n1").has_value());
  BOOST_CHECK(!parse_sid("n1" + good, "n1").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
