// Who may begin a session: rates, sessions and failed logins, with the time as an argument.
#include "src/admission.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

namespace boshd {

static std::ostream& operator<<(std::ostream& out, Refusal refusal) {
  return out << to_string(refusal);
}

namespace {

using namespace std::chrono_literals;
using Time = Admission::Time;
using Place = Admission::Place;

const Time start = Time{} + 24h;

Address ip(std::string_view text) {
  const auto address = parse_ip(text);
  BOOST_REQUIRE_MESSAGE(address, text);
  return *address;
}

const Address somebody = ip("203.0.113.7");
const Address somebody_else = ip("203.0.113.8");
const Address proxy = ip("10.1.2.3");

std::vector<Network> proxies() {
  return {parse_network("10.0.0.0/8").value()};
}

/// One of many addresses, each in a /64 of its own.
Address other(unsigned number) {
  Address address = ip("2001:db8::1");
  for (unsigned i = 0; i < 4; ++i) address.bytes[4 + i] = static_cast<std::uint8_t>(number >> (8 * i));
  return address;
}

/// An admission without any limit but those that a test sets.
struct House {
  House() {
    limits.sessions_per_address = 0;
    limits.new_sessions_per_second = 0;
    limits.login_failures = 0;
  }
  Refusal admit(const Address& address, Time now = start) {
    Admission::Verdict verdict = admission().admit(address, now);
    if (verdict.refusal == Refusal::none) places.push_back(std::move(verdict.place));
    return verdict.refusal;
  }
  /// How many of so many tries were let in; the others had this reason.
  unsigned admitted(unsigned tries, const Address& address, Refusal reason, Time now = start) {
    unsigned count = 0;
    for (unsigned i = 0; i < tries; ++i) {
      const Refusal refusal = admit(address, now);
      if (refusal == Refusal::none)
        ++count;
      else
        BOOST_TEST(to_string(refusal) == to_string(reason));
    }
    return count;
  }
  void fail(const Address& address, const std::string& account, Time now, unsigned times = 1) {
    for (unsigned i = 0; i < times; ++i) admission().login_failed(address, account, now);
  }

  /// With the limits as they are now.
  Admission& admission() {
    made.change(limits, proxies());
    return made;
  }

  LimitSettings limits;
  Admission made{limits, proxies()};
  std::vector<Place> places;
};

unsigned taken(Bucket& bucket, double rate, Time now) {
  unsigned count = 0;
  while (count < 1000 && bucket.take(rate, 10, now)) ++count;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(buckets)

BOOST_AUTO_TEST_CASE(what_was_not_used_may_be_used_at_once) {
  Bucket bucket;
  BOOST_TEST(taken(bucket, 2, start) == 20U);
  BOOST_TEST(taken(bucket, 2, start + 499ms) == 0U);
  BOOST_TEST(taken(bucket, 2, start + 500ms) == 1U);
  BOOST_TEST(taken(bucket, 2, start + 2s) == 3U);
  BOOST_TEST(taken(bucket, 2, start + 12s) == 20U);
  BOOST_TEST(taken(bucket, 2, start + 24h) == 20U);  // and no more than that
}

BOOST_AUTO_TEST_CASE(who_keeps_to_the_rate_is_never_refused) {
  Bucket bucket;
  BOOST_TEST(taken(bucket, 4, start) == 40U);
  for (int i = 1; i <= 1000; ++i) BOOST_TEST(taken(bucket, 4, start + i * 250ms) == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_refused_costs_nothing) {
  Bucket bucket;
  BOOST_TEST(taken(bucket, 1, start) == 10U);
  for (int i = 0; i < 1000; ++i) BOOST_TEST(!bucket.take(1, 10, start + i * 500us));
  BOOST_TEST(taken(bucket, 1, start + 1s) == 1U);
}

BOOST_AUTO_TEST_CASE(a_time_that_was_taken_a_little_earlier_does_no_harm) {
  Bucket bucket;
  BOOST_TEST(taken(bucket, 1, start + 1s) == 10U);
  BOOST_TEST(!bucket.take(1, 10, start));
  BOOST_TEST(!bucket.take(1, 10, start + 1999ms));
  BOOST_TEST(bucket.take(1, 10, start + 2s));
}

BOOST_AUTO_TEST_CASE(a_bucket_is_full_when_a_new_one_is_as_good) {
  Bucket bucket;
  BOOST_TEST(bucket.is_full(2, 10, start));
  BOOST_TEST(bucket.is_full(0, 10, start));
  bucket.take(2, 10, start);
  bucket.take(2, 10, start);
  BOOST_TEST(!bucket.is_full(2, 10, start));
  BOOST_TEST(!bucket.is_full(2, 10, start + 999ms));
  BOOST_TEST(bucket.is_full(2, 10, start + 1s));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(rates)

BOOST_AUTO_TEST_CASE(each_address_has_its_own_rate) {
  Rates rates(1, {});
  for (const Address& address : {somebody, somebody_else, proxy}) {
    for (int i = 0; i < 10; ++i) BOOST_TEST(rates.take(address, start));
    BOOST_TEST(!rates.take(address, start));
  }
  BOOST_TEST(rates.take(somebody, start + 1s));
  BOOST_TEST(!rates.take(somebody, start + 1s));
}

BOOST_AUTO_TEST_CASE(a_network_of_IPv6_has_one_rate) {
  Rates rates(1, {});
  for (const auto* address : {"2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff:ffff:ffff:ffff"})
    for (int i = 0; i < 3; ++i) BOOST_TEST(rates.take(ip(address), start));
  BOOST_TEST(rates.take(ip("2001:db8:1:2:3::"), start));
  BOOST_TEST(!rates.take(ip("2001:db8:1:2::4"), start));
  BOOST_TEST(rates.take(ip("2001:db8:1:3::4"), start));
}

BOOST_AUTO_TEST_CASE(trusted_proxies_and_a_rate_of_0_have_no_limit) {
  Rates rates(1, proxies());
  for (int i = 0; i < 100; ++i) BOOST_TEST(rates.take(proxy, start));
  Rates unlimited(0, {});
  for (int i = 0; i < 100; ++i) BOOST_TEST(unlimited.take(somebody, start));
}

BOOST_AUTO_TEST_CASE(who_used_up_a_rate_is_not_forgotten) {
  Rates rates(1, {});
  for (int i = 0; i < 10; ++i) rates.take(somebody, start);
  rates.tidy(start);
  BOOST_TEST(!rates.take(somebody, start));
  for (unsigned i = 0; i < 20'000; ++i) BOOST_REQUIRE(rates.take(other(i), start));
  BOOST_TEST(!rates.take(somebody, start));
  rates.tidy(start + 3s);
  for (int i = 0; i < 3; ++i) BOOST_TEST(rates.take(somebody, start + 3s));
  BOOST_TEST(!rates.take(somebody, start + 3s));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(places)

BOOST_AUTO_TEST_CASE(a_place_is_given_back_when_it_is_gone) {
  House house;
  house.limits.sessions = 1;
  {
    const Admission::Verdict verdict = house.admission().admit(somebody, start);
    BOOST_TEST(verdict.refusal == Refusal::none);
    BOOST_TEST(house.admit(somebody) == Refusal::sessions);
  }
  BOOST_TEST(house.admit(somebody) == Refusal::none);
  house.places.clear();
  BOOST_TEST(house.admit(somebody) == Refusal::none);
}

BOOST_AUTO_TEST_CASE(a_place_that_moves_is_one_place) {
  House house;
  house.limits.sessions = 1;
  BOOST_REQUIRE(house.admit(somebody) == Refusal::none);
  {
    Place moved(std::move(house.places.front()));
    house.places.clear();
    BOOST_TEST(house.admit(somebody) == Refusal::sessions);
    Place assigned;
    assigned = std::move(moved);
    BOOST_TEST(house.admit(somebody) == Refusal::sessions);
    Place& same = assigned;
    assigned = std::move(same);
    BOOST_TEST(house.admit(somebody) == Refusal::sessions);
  }
  BOOST_TEST(house.admit(somebody) == Refusal::none);
  BOOST_TEST(house.admit(somebody) == Refusal::sessions);
}

BOOST_AUTO_TEST_CASE(what_a_place_replaces_is_given_back_at_once) {
  House house;
  house.limits.sessions = 2;
  house.limits.sessions_per_address = 1;
  BOOST_REQUIRE(house.admit(somebody) == Refusal::none);
  BOOST_REQUIRE(house.admit(somebody_else) == Refusal::none);
  house.places[0] = std::move(house.places[1]);
  BOOST_TEST(house.admit(somebody_else) == Refusal::address_sessions);
  BOOST_TEST(house.admit(somebody) == Refusal::none);
  house.places[0] = {};
  BOOST_TEST(house.admit(somebody_else) == Refusal::none);
  BOOST_TEST(house.admit(somebody_else) == Refusal::sessions);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(admissions)

BOOST_AUTO_TEST_CASE(sessions_are_counted_over_all_addresses) {
  House house;
  house.limits.sessions = 3;
  BOOST_TEST(house.admit(somebody) == Refusal::none);
  BOOST_TEST(house.admit(somebody_else) == Refusal::none);
  BOOST_TEST(house.admit(proxy) == Refusal::none);
  for (const Address& address : {somebody, ip("::1"), proxy})
    BOOST_TEST(house.admit(address) == Refusal::sessions);
  house.places.pop_back();
  BOOST_TEST(house.admit(ip("::1")) == Refusal::none);
}

BOOST_AUTO_TEST_CASE(new_limits_count_at_once_and_nobody_has_to_go) {
  House house;
  house.limits.sessions_per_address = 2;
  BOOST_TEST(house.admitted(3, somebody, Refusal::address_sessions) == 2U);
  house.limits.sessions_per_address = 1;
  house.places.pop_back();
  BOOST_TEST(house.admit(somebody) == Refusal::address_sessions);
  house.limits.sessions_per_address = 3;
  BOOST_TEST(house.admitted(3, somebody, Refusal::address_sessions) == 2U);
  BOOST_TEST(house.admission().sessions() == 3U);
  house.made.change(house.limits, {{somebody, 128}});
  BOOST_TEST((house.made.admit(somebody, start).refusal == Refusal::none));  // like a trusted proxy
}

BOOST_AUTO_TEST_CASE(while_it_drains_nobody_begins_and_the_last_end_is_told_once) {
  House house;
  BOOST_REQUIRE(house.admit(somebody) == Refusal::none);
  BOOST_REQUIRE(house.admit(proxy) == Refusal::none);
  int told = 0;
  house.made.drain([&] { ++told; });
  BOOST_TEST(house.made.is_draining());
  BOOST_TEST(house.admit(somebody) == Refusal::draining);
  BOOST_TEST(house.admit(proxy) == Refusal::draining);
  BOOST_TEST(is_overload(Refusal::draining));
  house.places.pop_back();
  BOOST_TEST(told == 0);
  house.places.pop_back();
  BOOST_TEST(told == 1);
  house.made.resume();
  BOOST_TEST(house.admit(somebody) == Refusal::none);
  house.places.clear();
  BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(to_drain_what_is_empty_is_done_at_once) {
  House house;
  int told = 0;
  house.made.drain([&] { ++told; });
  BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(above_the_limit_of_memory_nobody_begins) {
  House house;
  house.limits.memory = 1;
  BOOST_TEST(house.admit(somebody) == Refusal::memory);
  BOOST_TEST(house.admit(proxy) == Refusal::memory);
  house.limits.memory = std::size_t{1} << 50U;
  BOOST_TEST(house.admit(somebody) == Refusal::none);
}

BOOST_AUTO_TEST_CASE(an_address_has_so_many_sessions) {
  House house;
  house.limits.sessions_per_address = 2;
  BOOST_TEST(house.admitted(5, somebody, Refusal::address_sessions) == 2U);
  BOOST_TEST(house.admitted(5, ip("::ffff:203.0.113.7"), Refusal::address_sessions) == 0U);
  BOOST_TEST(house.admitted(5, somebody_else, Refusal::address_sessions) == 2U);
  BOOST_TEST(house.admitted(5, proxy, Refusal::address_sessions) == 5U);
  house.places.erase(house.places.begin());
  BOOST_TEST(house.admitted(5, somebody, Refusal::address_sessions) == 1U);
  house.limits.sessions_per_address = 0;
  BOOST_TEST(house.admitted(5, somebody, Refusal::address_sessions) == 5U);
}

BOOST_AUTO_TEST_CASE(a_network_of_IPv6_is_one_address) {
  House house;
  house.limits.sessions_per_address = 2;
  BOOST_TEST(house.admit(ip("2001:db8:1:2::1")) == Refusal::none);
  BOOST_TEST(house.admit(ip("2001:db8:1:2:ffff::")) == Refusal::none);
  BOOST_TEST(house.admit(ip("2001:db8:1:2::3")) == Refusal::address_sessions);
  BOOST_TEST(house.admit(ip("2001:db8:1:3::1")) == Refusal::none);
  house.places.erase(house.places.begin());
  BOOST_TEST(house.admit(ip("2001:db8:1:2::4")) == Refusal::none);
}

BOOST_AUTO_TEST_CASE(an_address_begins_sessions_at_a_rate) {
  House house;
  house.limits.new_sessions_per_second = 2;
  BOOST_TEST(house.admitted(50, somebody, Refusal::address_rate) == 20U);
  house.places.clear();  // ended ones count as well
  BOOST_TEST(house.admitted(50, somebody, Refusal::address_rate) == 0U);
  BOOST_TEST(house.admitted(50, somebody_else, Refusal::address_rate) == 20U);
  BOOST_TEST(house.admitted(50, proxy, Refusal::address_rate) == 50U);
  BOOST_TEST(house.admitted(50, somebody, Refusal::address_rate, start + 499ms) == 0U);
  BOOST_TEST(house.admitted(50, somebody, Refusal::address_rate, start + 1s) == 2U);
  BOOST_TEST(house.admitted(50, somebody, Refusal::address_rate, start + 1h) == 20U);
}

BOOST_AUTO_TEST_CASE(sessions_that_were_refused_are_not_begun) {
  House house;
  house.limits.new_sessions_per_second = 1;
  house.limits.sessions_per_address = 1;
  BOOST_TEST(house.admitted(50, somebody, Refusal::address_sessions) == 1U);
  house.limits.sessions_per_address = 0;
  BOOST_TEST(house.admitted(50, somebody, Refusal::address_rate) == 9U);
}

BOOST_AUTO_TEST_CASE(an_address_whose_logins_fail_waits_for_the_end_of_the_minute) {
  House house;
  house.limits.login_failures = 3;
  house.fail(somebody, "", start, 2);
  BOOST_TEST(house.admit(somebody) == Refusal::none);
  house.fail(somebody, "", start + 59s);
  BOOST_TEST(house.admit(somebody, start + 59s) == Refusal::logins);
  BOOST_TEST(house.admit(somebody_else, start + 59s) == Refusal::none);
  BOOST_TEST(house.admit(somebody, start + 59'999ms) == Refusal::logins);
  BOOST_TEST(house.admit(somebody, start + 60s) == Refusal::none);
  house.fail(somebody, "", start + 60s, 2);  // in the next minute
  BOOST_TEST(house.admit(somebody, start + 60s) == Refusal::none);
  house.fail(somebody, "", start + 60s);
  BOOST_TEST(house.admit(somebody, start + 119s) == Refusal::logins);
  BOOST_TEST(house.admit(somebody, start + 120s) == Refusal::none);
}

BOOST_AUTO_TEST_CASE(failed_logins_of_a_network_of_IPv6_count_together_and_those_of_proxies_do_not) {
  House house;
  house.limits.login_failures = 2;
  house.fail(ip("2001:db8:1:2::1"), "", start);
  house.fail(ip("2001:db8:1:2::2"), "", start);
  BOOST_TEST(house.admit(ip("2001:db8:1:2::3")) == Refusal::logins);
  BOOST_TEST(house.admit(ip("2001:db8:1:3::3")) == Refusal::none);
  house.fail(proxy, "", start, 100);
  BOOST_TEST(house.admit(proxy) == Refusal::none);
  house.limits.login_failures = 0;
  BOOST_TEST(house.admit(ip("2001:db8:1:2::3")) == Refusal::none);
}

BOOST_AUTO_TEST_CASE(an_account_is_guarded_wherever_the_logins_come_from) {
  House house;
  house.limits.login_failures = 3;
  const std::string alice = "alice@a.example";
  BOOST_TEST(house.admission().may_log_in(alice, start));
  house.fail(somebody, alice, start);
  house.fail(somebody_else, alice, start);
  BOOST_TEST(house.admission().may_log_in(alice, start));
  house.fail(proxy, alice, start + 30s);
  BOOST_TEST(!house.admission().may_log_in(alice, start + 30s));
  BOOST_TEST(!house.admission().may_log_in(alice, start + 59'999ms));
  BOOST_TEST(house.admission().may_log_in("alice@b.example", start + 30s));
  BOOST_TEST(house.admission().may_log_in(alice, start + 60s));
  BOOST_TEST(house.admit(somebody, start + 30s) == Refusal::none);
  house.limits.login_failures = 0;
  BOOST_TEST(house.admission().may_log_in(alice, start + 30s));
}

BOOST_AUTO_TEST_CASE(a_login_without_a_name_is_of_no_account) {
  House house;
  house.limits.login_failures = 1;
  house.fail(somebody, "", start, 5);
  BOOST_TEST(house.admission().may_log_in("", start));
}

// Each failure went through all accounts once.
BOOST_AUTO_TEST_CASE(names_that_somebody_makes_up_do_not_hide_the_accounts_that_are_known) {
  House house;
  house.limits.login_failures = 3;
  house.fail(somebody, "alice@a.example", start, 2);
  for (unsigned i = 0; i < 130'000; ++i) house.fail(somebody, "a" + std::to_string(i), start);
  house.fail(somebody, "alice@a.example", start);
  BOOST_TEST(!house.admission().may_log_in("alice@a.example", start));
  house.fail(somebody, "bob@a.example", start, 3);  // there is no room
  BOOST_TEST(house.admission().may_log_in("bob@a.example", start));
  house.fail(somebody, "bob@a.example", start + 1min, 3);
  BOOST_TEST(!house.admission().may_log_in("bob@a.example", start + 1min));
}

BOOST_AUTO_TEST_CASE(refusals_are_counted_by_their_reason) {
  House house;
  house.limits.sessions = 2;
  house.limits.sessions_per_address = 1;
  for (int i = 0; i < 4; ++i) house.admit(somebody);
  house.admit(somebody_else);
  for (int i = 0; i < 2; ++i) house.admit(proxy);
  BOOST_TEST(house.admission().count(Refusal::none) == 2U);
  BOOST_TEST(house.admission().count(Refusal::address_sessions) == 3U);
  BOOST_TEST(house.admission().count(Refusal::sessions) == 2U);
  BOOST_TEST(house.admission().count(Refusal::logins) == 0U);
}

BOOST_AUTO_TEST_CASE(each_reason_has_its_word_and_its_sentence) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < refusals; ++i) {
    const auto refusal = static_cast<Refusal>(i);
    words.insert(to_string(refusal));
    BOOST_TEST(explain(refusal).empty() == (refusal == Refusal::none));
    BOOST_TEST(is_overload(refusal) ==
               (refusal == Refusal::sessions || refusal == Refusal::memory || refusal == Refusal::draining));
  }
  BOOST_TEST(words.size() == refusals);
  BOOST_TEST(words.count("") == 0U);
}

BOOST_AUTO_TEST_CASE(among_many_addresses_those_that_matter_are_not_forgotten) {
  House house;
  house.limits.sessions_per_address = 10;
  house.limits.new_sessions_per_second = 1;
  house.limits.login_failures = 2;
  BOOST_REQUIRE(house.admitted(10, somebody, Refusal::none) == 10U);
  house.fail(somebody_else, "", start, 2);
  BOOST_REQUIRE(house.admitted(10, ip("192.0.2.1"), Refusal::none) == 10U);
  house.places.resize(10);  // the last address has none any more
  for (unsigned i = 0; i < 25'000; ++i)
    BOOST_REQUIRE(house.admission().admit(other(i), start).refusal == Refusal::none);
  BOOST_TEST(house.admit(ip("192.0.2.1")) == Refusal::address_rate);
  BOOST_TEST(house.admit(somebody) == Refusal::address_sessions);
  BOOST_TEST(house.admit(somebody_else) == Refusal::logins);
  // Later, when rates have recovered, sessions that are still there count on.
  const Time later = start + 50s;
  for (unsigned i = 0; i < 25'000; ++i)
    BOOST_REQUIRE(house.admission().admit(other(i), later).refusal == Refusal::none);
  BOOST_TEST(house.admit(somebody, later) == Refusal::address_sessions);
  BOOST_TEST(house.admit(somebody_else, later) == Refusal::logins);
  house.places.clear();
  BOOST_TEST(house.admitted(11, somebody, Refusal::address_sessions, later) == 10U);
}

// Each new session went through all addresses once, with the mutex held.
BOOST_AUTO_TEST_CASE(many_addresses_with_sessions_are_no_burden) {
  House house;
  Rates rates(1, {});
  for (unsigned i = 0; i < 100'000; ++i) {
    BOOST_REQUIRE(house.admit(other(i)) == Refusal::none);
    BOOST_REQUIRE(rates.take(other(i), start));
  }
  BOOST_TEST(house.admission().count(Refusal::none) == 100'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
