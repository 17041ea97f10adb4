// What is said to requests that come for a session that has ended.
#pragma once

#include <chrono>
#include <memory>
#include <memory_resource>
#include <unordered_map>
#include <utility>

#include "bosh/reply.hpp"
#include "src/loop.hpp"
#include "src/sid.hpp"

namespace boshd {

/// Kept for a while: a client that has not heard of the end repeats its request. There are two generations;
/// when the young one has its age, or is large, it becomes the old one, and the old one goes as a whole.
/// Strewn over the memory of sessions that have ended, what is kept of them would keep that memory from going
/// back.
class Farewells {
 public:
  /// `life`: so long each is kept at least, if there aren't too many of them.
  explicit Farewells(std::chrono::seconds life) : life_(life) {}

  /// From the next generation on.
  void set_life(std::chrono::seconds life) { life_ = life; }
  void add(const Sid&, const bosh::Response&, Time now);
  /// nullptr: the session is not known.
  const bosh::Response* find(const Sid&) const;
  void tidy(Time now);
  bool empty() const { return !young_ && !old_; }

 private:
  struct Generation {
    std::pmr::monotonic_buffer_resource memory;
    std::pmr::unordered_map<Sid, std::shared_ptr<const bosh::Response>, SidHash> responses{&memory};
  };
  void age(Time now);

  std::chrono::seconds life_;
  std::shared_ptr<const bosh::Response>
      latest_;  // most sessions end with the same words, which are kept once
  std::unique_ptr<Generation> young_;
  std::unique_ptr<Generation> old_;
  Time next_{};  // when the young one is old
};

}  // namespace boshd
