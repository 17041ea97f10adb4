// What metrics and status show: the counters of all threads, and what the daemon itself knows.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/operate/counters.hpp"
#include "src/operate/doctor.hpp"
#include "src/reload.hpp"

namespace boshd {

using WallTime = std::chrono::system_clock::time_point;

/// Seconds since 1970, to the millisecond.
double unix_seconds(WallTime);

/// What the system says of this process.
struct ProcessReadings {
  double cpu_seconds = 0;
  std::uint64_t resident = 0;  // bytes
  std::uint64_t virtual_size = 0;
  std::uint64_t open_files = 0;
  std::uint64_t max_files = 0;
  double started = 0;  // seconds since 1970
};
ProcessReadings read_process();

/// Whether a balancer may send new sessions here.
enum class ReadyState { ready, draining, full, stuck };
std::string_view to_string(ReadyState);

struct ThreadReadings {
  std::uint64_t sessions = 0;
  double lag = 0;  // seconds that its loop took to answer the latest ping
};

struct CertificateReadings {
  std::string file;
  std::vector<std::string> names;
  WallTime expires{};
};

/// Cheap to take: no thread is asked for anything.
struct Readings {
  Totals totals;
  std::vector<ThreadReadings> threads;
  std::uint64_t sessions_limit = 0;
  ReadyState state = ReadyState::ready;
  bool draining = false;
  std::vector<CertificateReadings> certificates;
  ReloadState reloads;
  std::array<std::uint64_t, proxy_problems> proxy_problem_counts{};  // requests that had it
  ProcessReadings process;
};

}  // namespace boshd
