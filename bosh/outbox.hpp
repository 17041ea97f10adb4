// What waits for the client: letters, each of one stream (XEP-0124 §16.4).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bosh/end.hpp"
#include "bosh/time.hpp"
#include "xml/element.hpp"

namespace bosh {

/// Names a stream within its session; 0 is the first.
using StreamId = std::uint32_t;

/// The children of one answer's body.
struct Letter {
  StreamId stream = 0;
  std::string content;
  std::shared_ptr<const Terminal> end;  // the stream is over, and its session is not
  Time since{};                         // when the oldest element came
};

/// In order for each stream; whose oldest element waits the longest comes first. A session with one stream
/// has one letter at most.
class Outbox {
 public:
  void add(StreamId, std::span<const xml::Element>, Time now);
  /// The last that is told of a stream.
  void end(StreamId, Terminal);

  bool empty() const { return letters_.empty(); }
  std::size_t bytes() const;
  /// Not when it is empty.
  Letter take();
  std::vector<Letter> take_all() { return std::exchange(letters_, {}); }

 private:
  std::vector<Letter> letters_;
};

}  // namespace bosh
