// Whether every thread's loop turns, and how long what is given to it has to wait.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "src/loop.hpp"

namespace boshd {

class Shard;

/// Asks every shard from the main thread's loop, again and again; one that has not answered is not asked
/// anew.
class Pulse {
 public:
  /// `shards` outlive it and run as long as it does.
  Pulse(Loop& main, const std::vector<std::unique_ptr<Shard>>& shards)
      : loop_(main), shards_(shards), timer_(main) {}

  /// `round` is called whenever all have answered.
  void start(std::chrono::milliseconds period, std::function<void()> round);
  void stop() { timer_.cancel(); }
  bool is_on() const { return period_.count() > 0; }

  struct Reading {
    /// From asking to the answer; if that is overdue, until now.
    std::chrono::duration<double> lag{};
    bool stuck = false;
  };
  /// One for each shard; all zero when it is not on.
  std::vector<Reading> readings(Time now) const;
  /// Whether a shard owes an answer for too long.
  bool is_stuck(Time now) const;

 private:
  struct Beat {
    Time asked{};
    bool answered = true;
    std::chrono::duration<double> lag{};
  };
  void beat();
  void plan();
  void answered(std::size_t shard, Time at);

  Loop& loop_;
  const std::vector<std::unique_ptr<Shard>>& shards_;
  std::chrono::milliseconds period_{0};
  std::function<void()> round_;
  std::vector<Beat> beats_;
  Timer timer_;
};

}  // namespace boshd
