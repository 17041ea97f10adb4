// What a client may not do too often (XEP-0124 §11, §12, §14.3).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "bosh/time.hpp"

namespace bosh {

/// Looks at requests as they arrive. Once a minute it forgives: a page that reloads may poll before the loss
/// of its old connection is known. Clients are given a tenth of `polling` for the unevenness of networks
/// (B-130).
class Activity {
 public:
  struct Terms {
    unsigned requests;
    std::chrono::seconds polling;  // 0: not advertised, so frequency doesn't matter (B-127, B-135)
    bool holds;                    // false: a polling session
  };
  struct Request {
    std::uint64_t rid;
    bool last;   // none of a higher rid has come
    bool empty;  // says nothing and asks for nothing but answers: no payload, restart, pause, terminate
    bool extra;  // pause or terminate, which don't count (B-119): the window knows one of them at most
  };

  explicit Activity(Time created);

  /// A request with a new rid, when `unanswered` others, of which none is extra, are. `spoken` is the latest
  /// rid that was answered with payload. False: it is one too many, or too early.
  bool allows(Time now, const Terms&, const Request&, std::size_t unanswered, std::uint64_t spoken);
  /// A rid that came once more. False: too often since the last new one (B-151).
  bool allows_repeat();

 private:
  bool forgives(Time now);

  Time last_at_{};
  Time forgiving_from_;
  std::uint64_t last_rid_ = 0;
  bool last_empty_ = false;
  std::uint16_t repeats_ = 0;
};

}  // namespace bosh
