// Which seeds are run: SIM_FIRST and SIM_SEEDS in the environment say it.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace sim {

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

inline std::uint64_t first_seed() {
  return from_environment("SIM_FIRST", 1);
}

/// Fewer under a sanitizer, which takes ten times as long.
inline std::uint64_t seeds(std::uint64_t usual) {
#ifdef __SANITIZE_ADDRESS__
  usual /= 10;
#endif
  return from_environment("SIM_SEEDS", usual);
}

}  // namespace sim
