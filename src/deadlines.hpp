// All deadlines of a shard in one queue with one timer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "src/loop.hpp"

namespace boshd {

/// When a thing is queued to be looked at. It stays where it is when the thing's deadline moves to later, and
/// is corrected when it rings; so a deadline that moves with every request costs nothing.
struct Queued {
  Time at = Time::max();
};

/// Rings with the ids whose time may have come. Whoever is rung compares `at` with its own Queued: another
/// time there means an entry that was overtaken by an earlier one, to be ignored. Too early is normal.
class Deadlines {
 public:
  Deadlines(Loop& loop, std::function<void(Time now, std::uint64_t id, Time at)> ring)
      : timer_(loop), ring_(std::move(ring)) {}

  void set(std::uint64_t id, Time deadline, Queued& queued) {
    if (deadline >= queued.at) return;
    queued.at = deadline;
    queue_.push({deadline, id});
    arm();
  }
  /// Nothing rings any more, and nothing keeps the loop from its end.
  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

 private:
  struct Entry {
    Time at;
    std::uint64_t id;
    friend bool operator>(const Entry& a, const Entry& b) { return a.at > b.at; }
  };

  void arm() {
    if (stopped_ || queue_.empty() || queue_.top().at >= armed_) return;
    armed_ = queue_.top().at;
    timer_.start(armed_, [this] { rung(); });
  }

  void rung() {
    armed_ = Time::max();
    const Time now = std::chrono::steady_clock::now();
    while (!queue_.empty() && queue_.top().at <= now) {
      const Entry entry = queue_.top();
      queue_.pop();
      ring_(now, entry.id, entry.at);
    }
    arm();
  }

  Timer timer_;
  std::function<void(Time, std::uint64_t, Time)> ring_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
  Time armed_ = Time::max();
  bool stopped_ = false;
};

}  // namespace boshd
