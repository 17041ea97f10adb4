// What the threads' doctors have found, for the status page, metrics and the log; and what is done about it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "src/operate/doctor.hpp"

namespace boshd {

/// A proxy's problem.
struct Finding {
  Address proxy;
  ProxyProblem problem{};
  std::string advice;
  std::chrono::system_clock::time_point since;
  std::chrono::system_clock::time_point latest;
  std::uint64_t requests = 0;  // that had it
};

/// Of all threads; from any of them. A finding is told in the log once a day, and forgotten a day after its
/// latest request.
class Findings {
 public:
  using Time = std::chrono::system_clock::time_point;
  static constexpr std::size_t most = 100;

  void add(Diagnosis&&, Time now);
  /// Those there are, the latest first.
  std::vector<Finding> list(Time now) const;
  /// Requests that had this problem, since the start.
  std::uint64_t count(ProxyProblem problem) const {
    return counts_[static_cast<std::size_t>(problem)].load(std::memory_order_relaxed);
  }

  /// How long requests may be held behind this proxy, if it is known to cut them.
  std::optional<std::chrono::seconds> patience_behind(const Address& proxy, Time now) const;
  bool has_cuts() const { return has_cuts_.load(std::memory_order_relaxed); }
  /// Begins anew: proxies may have been mended.
  void forget();

 private:
  struct Entry {
    Finding finding;
    std::chrono::seconds cut_after{};
    Time told{};
  };

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  std::array<std::atomic<std::uint64_t>, proxy_problems> counts_{};
  std::atomic<bool> has_cuts_ = false;
};

}  // namespace boshd
