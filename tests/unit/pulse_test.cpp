// Whether every thread's loop turns: two shards on threads of their own.
#include "src/pulse.hpp"

#include <boost/test/unit_test.hpp>
#include <future>
#include <thread>

#include "src/operate/findings.hpp"
#include "src/shard.hpp"

namespace boshd {
namespace {

using namespace std::chrono_literals;

Time now() {
  return std::chrono::steady_clock::now();
}

struct Threads {
  Threads() {
    for (unsigned i = 0; i < 2; ++i)
      shards.push_back(std::make_unique<Shard>(i, config, tls, shards, admission, findings));
    for (const auto& shard : shards) running.emplace_back([&shard] { shard->run(); });
  }
  ~Threads() {
    for (const auto& shard : shards) shard->stop();
  }

  /// Runs the main thread's loop until so many rounds have come, or the time is over.
  unsigned rounds(unsigned most, std::chrono::milliseconds time) {
    Timer deadline(loop);
    deadline.start_in(time, [this] { loop.stop(); });
    count = 0;
    wanted = most;
    loop.run();
    return count;
  }
  void on_round() {
    if (++count == wanted) loop.stop();
  }

  std::shared_ptr<const Config> config = std::make_shared<const Config>();
  std::shared_ptr<const TlsFiles> tls = std::make_shared<const TlsFiles>(*config);
  Admission admission{config->limits, {}};
  Findings findings;
  std::vector<std::unique_ptr<Shard>> shards;
  Loop loop;
  std::vector<std::jthread> running;
  unsigned count = 0;
  unsigned wanted = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(pulses)

BOOST_AUTO_TEST_CASE(rounds_come_while_all_threads_turn_and_a_stuck_one_shows) {
  Threads threads;
  Pulse pulse(threads.loop, threads.shards);
  BOOST_TEST(!pulse.is_on());
  BOOST_TEST(pulse.readings(now()).size() == 2U);
  pulse.start(10ms, [&] { threads.on_round(); });
  BOOST_TEST(threads.rounds(3, 20s) == 3U);
  BOOST_TEST(!pulse.is_stuck(now()));
  for (const Pulse::Reading& reading : pulse.readings(now())) BOOST_TEST(reading.lag.count() > 0);

  std::promise<void> release;
  threads.shards[1]->ask([&](Shard&) { release.get_future().wait(); });
  threads.rounds(0, 200ms);  // what was under way may come yet
  BOOST_TEST(threads.rounds(1, 200ms) == 0U);
  const auto readings = pulse.readings(now());
  BOOST_TEST(readings[1].lag.count() >= 0.2);
  BOOST_TEST(!readings[1].stuck);
  BOOST_TEST(pulse.readings(now() + 6s)[1].stuck);
  BOOST_TEST(pulse.is_stuck(now() + 6s));

  release.set_value();
  BOOST_TEST(threads.rounds(2, 20s) == 2U);
  BOOST_TEST(!pulse.is_stuck(now()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
