#include "bosh/activity.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;
using bosh::Activity;

namespace {

/// A client with two requests at most, asked for two seconds between polls.
struct Client {
  bool holds = true;
  std::chrono::seconds polling = 2s;
  bosh::Time now{1h};
  Activity activity{now};
  std::uint64_t rid = 100;
  std::uint64_t spoken = 0;

  bool sends(bool empty, std::size_t unanswered, bool extra = false) {
    return activity.allows(now, {2, polling, holds}, {++rid, true, empty, extra}, unanswered, spoken);
  }
  bool polls(std::size_t unanswered) { return sends(true, unanswered); }
  bool says(std::size_t unanswered) { return sends(false, unanswered); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(activity)

BOOST_AUTO_TEST_CASE(B_124_no_more_than_requests_at_a_time) {
  Client client;
  BOOST_CHECK(client.says(0));
  BOOST_CHECK(client.says(1));
  BOOST_CHECK(!client.says(2));
}

BOOST_AUTO_TEST_CASE(B_119_a_pause_or_terminate_may_be_one_more) {
  Client client;
  BOOST_CHECK(client.says(1));
  BOOST_CHECK(client.sends(false, 2, true));
}

BOOST_AUTO_TEST_CASE(B_126_the_last_possible_request_must_not_be_an_early_poll) {
  Client client;
  BOOST_CHECK(client.polls(0));
  client.now += 1s;
  BOOST_CHECK(!client.polls(1));

  Client patient;
  BOOST_CHECK(patient.polls(0));
  patient.now += 2s;
  BOOST_CHECK(patient.polls(1));

  Client busy;  // B-090: it has something to say
  BOOST_CHECK(busy.polls(0));
  BOOST_CHECK(busy.says(1));
}

BOOST_AUTO_TEST_CASE(B_126_a_poll_that_was_overtaken_is_not_the_last) {
  Client client;
  BOOST_CHECK(client.says(0));
  BOOST_CHECK(client.activity.allows(client.now, {2, 2s, true}, {90, false, true, false}, 1, 0));
}

BOOST_AUTO_TEST_CASE(B_130_a_tenth_is_tolerated) {
  Client client;
  BOOST_CHECK(client.polls(0));
  client.now += 1800ms;
  BOOST_CHECK(client.polls(1));
  client.now += 1799ms;
  BOOST_CHECK(!client.polls(1));
}

BOOST_AUTO_TEST_CASE(B_127_B_135_without_polling_any_frequency_is_allowed) {
  for (const bool holds : {true, false}) {
    Client client;
    client.holds = holds;
    client.polling = 0s;
    for (int i = 0; i < 10; ++i) BOOST_CHECK(client.polls(1));
  }
}

BOOST_AUTO_TEST_CASE(B_134_a_polling_client_waits_between_two_empty_requests) {
  Client client;
  client.holds = false;
  BOOST_CHECK(client.polls(0));
  client.now += 1s;
  BOOST_CHECK(!client.polls(0));

  Client patient;
  patient.holds = false;
  for (int i = 0; i < 5; ++i) {
    BOOST_CHECK(patient.polls(0));
    patient.now += 2s;
  }
}

BOOST_AUTO_TEST_CASE(B_136_unless_it_got_or_said_something) {
  Client client;
  client.holds = false;
  BOOST_CHECK(client.polls(0));
  client.spoken = client.rid;  // that one was answered with data
  BOOST_CHECK(client.polls(0));
  client.spoken = 0;
  BOOST_CHECK(client.says(0));
  BOOST_CHECK(client.polls(0));
}

BOOST_AUTO_TEST_CASE(once_a_minute_an_early_poll_is_forgiven_but_not_at_once) {
  Client client;
  client.now += 9s;
  BOOST_CHECK(client.polls(0));
  BOOST_CHECK(!client.polls(1));
  client.now += 1s;
  BOOST_CHECK(client.polls(1));
  BOOST_CHECK(!client.polls(1));
  client.now += 60s;
  BOOST_CHECK(client.polls(0));
  BOOST_CHECK(client.polls(1));
}

BOOST_AUTO_TEST_CASE(B_151_a_rid_is_not_repeated_for_ever) {
  Client client;
  for (int i = 0; i < 50; ++i) BOOST_REQUIRE(client.activity.allows_repeat());
  BOOST_CHECK(!client.activity.allows_repeat());

  Client lively;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) BOOST_REQUIRE(lively.activity.allows_repeat());
    BOOST_CHECK(lively.says(0));  // a new request
  }
}

BOOST_AUTO_TEST_SUITE_END()
