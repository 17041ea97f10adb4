#include "src/pulse.hpp"

#include <algorithm>
#include <utility>

#include "src/shard.hpp"

namespace boshd {

namespace {

constexpr std::chrono::seconds stuck_after{5};

}  // namespace

void Pulse::start(std::chrono::milliseconds period, std::function<void()> round) {
  period_ = period;
  round_ = std::move(round);
  beats_.resize(shards_.size());
  beat();
}

void Pulse::plan() {
  timer_.start_in(period_, [this] { beat(); });
}

void Pulse::beat() {
  for (std::size_t i = 0; i < beats_.size(); ++i) {
    Beat& one = beats_[i];
    if (!std::exchange(one.answered, false)) continue;
    one.asked = std::chrono::steady_clock::now();
    shards_[i]->ask([this, i](Shard&) {
      const Time at = std::chrono::steady_clock::now();
      loop_.send([this, i, at] { answered(i, at); });
    });
  }
  plan();
}

void Pulse::answered(std::size_t shard, Time at) {
  beats_[shard].answered = true;
  beats_[shard].lag = at - beats_[shard].asked;
  if (std::ranges::all_of(beats_, &Beat::answered)) round_();
}

std::vector<Pulse::Reading> Pulse::readings(Time now) const {
  std::vector<Reading> all;
  for (const Beat& beat : beats_) {
    const bool overdue = !beat.answered && now - beat.asked > period_;
    all.push_back({overdue ? std::chrono::duration<double>(now - beat.asked) : beat.lag,
                   !beat.answered && now - beat.asked > stuck_after});
  }
  all.resize(shards_.size());
  return all;
}

bool Pulse::is_stuck(Time now) const {
  return std::ranges::any_of(readings(now), &Reading::stuck);
}

}  // namespace boshd
