// Which seeds are run: SIM_FIRST and SIM_SEEDS in the environment say it.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace sim {

inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

}  // namespace sim
