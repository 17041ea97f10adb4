// What a reload can't change, and how reloads went.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "src/config.hpp"

namespace boshd {

/// Of the latest reload; all good before the first.
struct ReloadState {
  bool ok = true;
  std::string error{};                             // why the latest failed, and what to do
  std::chrono::system_clock::time_point tried{};   // the latest
  std::chrono::system_clock::time_point loaded{};  // the configuration that counts; at first the start
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::vector<std::string> need_restart{};  // keys that the latest left as they were
};

/// Gives `fresh` the values of `present` for keys that only a restart can change; returns those whose values
/// differed.
std::vector<std::string> keep_fixed_keys(Config& fresh, const Config& present);

}  // namespace boshd
