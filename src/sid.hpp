// Session ids: `[label-]` shard (2 hex digits) and 128 random bits (32 hex digits). The label routes a
// balancer, the digits route between the shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace boshd {

struct Sid {
  unsigned shard = 0;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const Sid&, const Sid&) = default;
};

/// A new one from the kernel's random source (B-062).
Sid random_sid(unsigned shard);

/// As clients see it. `label` is the node's; empty: none.
std::string to_string(const Sid&, std::string_view label);

/// The sid in a request; nothing if this node can't have made it.
std::optional<Sid> parse_sid(std::string_view text, std::string_view label);

/// Only own random bits are ever put into a table under it, so they need no seed.
struct SidHash {
  std::size_t operator()(const Sid& sid) const { return sid.low; }
};

}  // namespace boshd
