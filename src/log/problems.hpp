// What the log remembers of its warnings and errors: the latest ones, and how many lines were kept back.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/log/log.hpp"

namespace boshd {

/// The latest warnings and errors, equal ones counted. Of one event only so many, so that it does not push
/// out all others.
class ProblemList {
 public:
  static constexpr std::size_t most = 50;
  static constexpr std::size_t most_of_one_event = 15;

  void add(Problem&&);
  /// The newest first.
  std::vector<Problem> list() const { return {problems_.begin(), problems_.end()}; }

 private:
  std::deque<Problem> problems_;
};

/// Lets the first lines of an event pass in a span of time, and counts the others.
class LineLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr unsigned most = 10;
  static constexpr std::chrono::seconds span{10};

  struct Kept {
    std::string event;
    std::uint64_t count = 0;
  };

  /// Whether one more line may be written.
  bool pass(std::string_view event, Time now);
  /// Of which events lines were kept back since a span of time ago or longer; told once.
  std::vector<Kept> take_kept(Time now);

 private:
  struct Window {
    Time since;
    unsigned passed = 0;
    std::uint64_t kept = 0;
    Time kept_since{};
  };
  std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace boshd
