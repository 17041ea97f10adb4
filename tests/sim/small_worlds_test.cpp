// All that can happen to a session in a few steps, in every order; and many random walks through it.
#include <boost/test/unit_test.hpp>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "tests/sim/checked_session.hpp"
#include "tests/sim/seeds.hpp"
#include "tests/sim/world.hpp"

using namespace sim;
using namespace std::chrono_literals;

namespace {

struct Step {
  const char* name;
  bool (CheckedSession::*take)();
};

// Two requests, their order, repetition and loss, the server and the clock.
const std::vector<Step> usual{
    {"next", &CheckedSession::send_next},
    {"one ahead", &CheckedSession::send_one_ahead},
    {"repeat oldest", &CheckedSession::repeat_oldest},
    {"repeat newest", &CheckedSession::repeat_newest},
    {"lose oldest", &CheckedSession::lose_oldest},
    {"lose newest", &CheckedSession::lose_newest},
    {"stanza", &CheckedSession::server_speaks},
    {"deadline", &CheckedSession::deadline_comes},
    {"moment", &CheckedSession::moment_passes},
};
const std::vector<Step> unusual{
    {"repeat answered", &CheckedSession::repeat_answered},
    {"pause", &CheckedSession::send_pause},
    {"terminate", &CheckedSession::send_terminate},
    {"faulty", &CheckedSession::send_faulty},
    {"server opens", &CheckedSession::server_opens},
    {"no room", &CheckedSession::server_takes_no_more},
    {"room", &CheckedSession::server_takes_more},
    {"server ends", &CheckedSession::server_ends},
    {"shutdown", &CheckedSession::shut_down},
};

const std::vector<Step> with_streams{
    {"another stream", &CheckedSession::send_addition},
    {"its stanza", &CheckedSession::server_speaks_on_another},
    {"the client closes it", &CheckedSession::send_closing},
    {"the server ends it", &CheckedSession::server_ends_another},
};

std::vector<Step> everything() {
  std::vector<Step> all = usual;
  all.insert(all.end(), unusual.begin(), unusual.end());
  all.insert(all.end(), with_streams.begin(), with_streams.end());
  return all;
}

const std::vector<CheckedSession::Kind> kinds{
    {"hold 1", 1, 60s, true},
    {"hold 2", 2, 60s, true},
    {"not open yet", 1, 60s, false},
    {"polling, hold 0", 0, 60s, true},
    {"polling, wait 0", 0, 0s, true},
    {"acknowledging", 1, 60s, true, true},
    {"several streams", 1, 60s, true, false, true},
};

/// A path through the steps; the last one is under way.
class Path {
 public:
  explicit Path(std::string start) : start_(std::move(start)) {}

  bool take(CheckedSession& session, const Step& step) {
    path_.push_back(step.name);
    ++steps_;
    try {
      return (session.*step.take)();
    } catch (const Broken& broken) {
      std::string text = start_;
      for (const char* name : path_) text += std::string(", ") + name;
      throw Broken(text + ": " + broken.what());
    }
  }
  void back() { path_.pop_back(); }
  std::uint64_t steps() const { return steps_; }

 private:
  std::string start_;
  std::vector<const char*> path_;
  std::uint64_t steps_ = 0;
};

void explore(const CheckedSession& session, const std::vector<Step>& steps, unsigned depth, Path& path) {
  for (const Step& step : steps) {
    CheckedSession next = session;
    const bool possible = path.take(next, step);
    if (possible && depth > 1 && !next.ended()) explore(next, steps, depth - 1, path);
    path.back();
  }
}

void explore_all(const std::vector<Step>& steps, unsigned depth) {
  for (const CheckedSession::Kind& kind : kinds) {
    Path path(kind.name);
    try {
      explore(CheckedSession(kind), steps, depth, path);
    } catch (const Broken& broken) {
      BOOST_ERROR(broken.what());
    }
    std::cout << kind.name << ": " << path.steps() << " steps\n";
  }
}

/// SIM_DEPTH=9 takes some seconds, and more finds more.
unsigned most_steps() {
  return static_cast<unsigned>(from_environment("SIM_DEPTH", 7));
}

void walk(std::uint64_t seed) {
  const std::vector<Step> steps = everything();
  std::mt19937_64 random(seed);
  const CheckedSession::Kind& kind = kinds[seed % kinds.size()];
  CheckedSession session(kind);
  Path path(kind.name + ", seed " + std::to_string(seed));
  for (int i = 0; i < 60 && !session.ended(); ++i) {
    // What ends a session is drawn less often.
    const bool rare = std::uniform_int_distribution(0, 9)(random) == 0;
    const std::size_t last = (rare ? steps.size() : usual.size() + 1) - 1;
    path.take(session, steps[std::uniform_int_distribution<std::size_t>(0, last)(random)]);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(small_worlds)

BOOST_AUTO_TEST_CASE(two_requests_in_every_order_with_loss_and_repetition) {
  explore_all(usual, most_steps());
}

BOOST_AUTO_TEST_CASE(everything_that_can_happen_in_a_few_steps) {
  explore_all(everything(), most_steps() - 2);
}

BOOST_AUTO_TEST_CASE(random_walks) {
  const std::uint64_t first = first_seed();
  const std::uint64_t count = seeds(20'000);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    try {
      walk(seed);
    } catch (const Broken& broken) {
      BOOST_ERROR(broken.what());
      return;
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
