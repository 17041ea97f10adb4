// The answers a client may ask for once more by repeating a rid (XEP-0124 §14.3).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bosh {

/// A point of the monotonic clock. Always an argument: nothing here asks for the time.
using Time = std::chrono::steady_clock::time_point;

/// An answer's body, shared between the cache and the connection that sends it.
using Bytes = std::shared_ptr<const std::string>;

/// Bounded by bytes, count and age. The newest `least` answers stay whatever their size: a client in the
/// middle of a retry needs them.
class AnswerCache {
 public:
  struct Limits {
    std::size_t bytes = 256 * 1024;
    std::size_t count = 32;
    std::size_t least = 2;
    std::chrono::seconds age{90};
  };

  void keep(std::uint64_t rid, Bytes, Time now, const Limits&);
  /// nullptr when it is no longer there.
  Bytes find(std::uint64_t rid) const;
  std::size_t bytes() const;
  std::size_t size() const { return answers_.size(); }

 private:
  struct Kept {
    std::uint64_t rid;
    Time at;
    Bytes bytes;
  };
  std::vector<Kept> answers_;  // oldest first; few
};

}  // namespace bosh
