// The answers a client may ask for once more by repeating a rid (XEP-0124 §14.3).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bosh/outbox.hpp"
#include "bosh/reply.hpp"
#include "bosh/time.hpp"

namespace bosh {

/// Bounded by bytes, count and age. The newest `least` answers stay whatever their size: a client in the
/// middle of a retry needs them.
class AnswerCache {
 public:
  struct Kept {
    std::uint64_t rid;
    Time at;  // when it was first given
    Bytes bytes;
    StreamId stream;    // whose elements are in it
    bool read = false;  // for certain, by the client: it need not be kept behind the newest `least`
  };
  struct Limits {
    std::size_t bytes = 256 * 1024;
    std::size_t count = 32;
    std::size_t least = 2;
    std::chrono::seconds age{90};
  };

  void keep(Kept, const Limits&);
  /// nullptr when it is no longer there. Valid until the next change.
  const Kept* find(std::uint64_t rid) const;
  /// The client has this answer and all before it (XEP-0124 §9.2).
  void forget_up_to(std::uint64_t rid);
  const std::vector<Kept>& all() const { return answers_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return answers_.size(); }

 private:
  void forget_before(std::vector<Kept>::iterator);

  std::vector<Kept> answers_;  // oldest first, in rid order; few
  std::size_t bytes_ = 0;      // of all of them
};

}  // namespace bosh
