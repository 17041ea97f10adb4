// Thousands of schedules, each under a seed of its own. SIM_SEEDS says how many of each kind, SIM_FIRST where
// to begin.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <iostream>
#include <string>

#include "tests/sim/seeds.hpp"
#include "tests/sim/world.hpp"

using namespace std::chrono_literals;
using namespace sim;

namespace {

/// Runs the same seed once more with a log, and shows it.
void show(std::uint64_t seed, const Manners& manners, const Faults& faults, unsigned stanzas,
          const char* what) {
  std::vector<std::string> log;
  try {
    World(seed, manners, faults, stanzas, &log).run();
  } catch (const Broken&) {
  }
  std::string text = manners.name + ", seed " + std::to_string(seed) + ": " + what;
  for (const std::string& line : log) text += "\n  " + line;
  BOOST_ERROR(text);
}

void run_many(const Manners& manners, const Faults& faults, std::uint64_t most = 16'000,
              unsigned stanzas = 20) {
  const std::uint64_t first = first_seed();
  const std::uint64_t count = seeds(most);
  std::uint64_t events = 0;
  std::uint64_t dead = 0;
  std::uint64_t overtaken = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    try {
      const Outcome outcome = World(seed, manners, faults, stanzas).run();
      events += outcome.events;
      dead += outcome.lost_to_a_dead_page;
      overtaken += outcome.overtaken ? 1 : 0;
    } catch (const Broken& broken) {
      return show(seed, manners, faults, stanzas, broken.what());
    }
  }
  // Strophe handles answers as they come. Until it is known how a client works, a network can be slower than
  // patience.
  if (manners.keeps_window && faults.reload == 0) BOOST_TEST(overtaken <= count / 5);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << manners.name << ": " << count << " schedules, " << events << " events, " << dead
            << " answers to dead pages, " << overtaken << " overtaken, "
            << static_cast<std::uint64_t>(static_cast<double>(count) / took.count()) << " schedules/s\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(without_faults_answers_arrive_in_order) {
  Faults quiet;
  quiet.slowest = 4ms;
  run_many(strophe_manners(), quiet);
  run_many(stanza_manners(), quiet);
}

BOOST_AUTO_TEST_CASE(slow_and_reordering_networks) {
  Faults slow;
  slow.slowest = 3s;
  run_many(strophe_manners(), slow);
  run_many(stanza_manners(), slow);
}

BOOST_AUTO_TEST_CASE(requests_and_answers_that_get_lost) {
  Faults lossy;
  lossy.lose_request = 0.1;
  lossy.lose_answer = 0.1;
  lossy.slowest = 200ms;
  run_many(strophe_manners(), lossy);
  run_many(stanza_manners(), lossy);
}

BOOST_AUTO_TEST_CASE(connections_that_are_reset_while_held) {
  Faults resets;
  resets.reset = 0.3;
  resets.lose_answer = 0.05;
  run_many(strophe_manners(), resets);
  run_many(stanza_manners(), resets);
}

BOOST_AUTO_TEST_CASE(pages_that_reload) {
  Faults reloads;
  reloads.reload = 0.3;
  reloads.slowest = 50ms;
  run_many(strophe_manners(), reloads);
}

BOOST_AUTO_TEST_CASE(servers_that_stall) {
  Faults stalls;
  stalls.stall = 0.3;
  stalls.slowest = 100ms;
  run_many(strophe_manners(), stalls);
  run_many(stanza_manners(), stalls);
}

BOOST_AUTO_TEST_CASE(all_at_once) {
  Faults all;
  all.lose_request = 0.05;
  all.lose_answer = 0.05;
  all.reset = 0.1;
  all.stall = 0.1;
  all.slowest = 1s;
  run_many(strophe_manners(), all);
  run_many(stanza_manners(), all);
}

BOOST_AUTO_TEST_SUITE_END()
