// What is said to requests that come for a session that has ended.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <memory_resource>
#include <unordered_map>

#include "bosh/reply.hpp"
#include "src/loop.hpp"
#include "src/sid.hpp"

namespace boshd {

/// Kept for a while, and not too many of them: a client that has not heard of the end repeats its request.
class Farewells {
 public:
  explicit Farewells(std::chrono::seconds life) : life_(life) {}

  void add(const Sid&, const bosh::Response&, Time now);
  /// nullptr: the session is not known.
  const bosh::Response* find(const Sid&) const;
  /// Forgets those whose time is over.
  void tidy(Time now);
  bool empty() const { return order_.empty(); }

 private:
  struct Kept {
    Sid sid;
    Time until;
  };
  void drop_oldest();

  std::chrono::seconds life_;
  std::shared_ptr<const bosh::Response> latest_;  // most end with the same words, which are kept once
  // Together: strewn over the memory of the sessions that have ended they would keep it from going back.
  std::pmr::unsynchronized_pool_resource memory_;
  std::pmr::unordered_map<Sid, std::shared_ptr<const bosh::Response>, SidHash> responses_{&memory_};
  std::pmr::deque<Kept> order_{&memory_};
};

}  // namespace boshd
