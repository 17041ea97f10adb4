// Following sessions live: what shards tell, and whom.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/operate/session_query.hpp"

namespace boshd {

class Loop;

/// One thing that happened in a session.
struct TraceEvent {
  std::vector<std::uint64_t> traces;  // that want to know
  std::chrono::system_clock::time_point time;
  std::string id;  // the session's
  std::uint64_t key = 0;
  std::string jid;
  std::string_view event;  // begin, request, answer, to-server, from-server, upstream, end
  std::uint64_t rid = 0;   // 0: none
  std::string text;        // what it was, in words
  std::string server;
  std::string xml;      // not yet masked
  std::size_t cut = 0;  // bytes of it that were left out
};

/// What is on the way between the threads; beyond a limit events are dropped, and counted.
struct TraceBacklog {
  std::atomic<std::size_t> bytes = 0;
  std::atomic<std::uint64_t> dropped = 0;
};

/// All traces that are wanted now. Each shard has it, and a new one when something changes.
struct Traces {
  struct Wanted {
    std::uint64_t id;
    SessionQuery query;
  };
  std::vector<Wanted> list;
  Loop* loop;                                   // on which …
  std::function<void(const TraceEvent&)> tell;  // … this is called
  std::shared_ptr<TraceBacklog> backlog;
};

/// Sends it to the loop of `tell`, or drops it. From any thread.
void tell_trace(const Traces&, TraceEvent&&);

}  // namespace boshd
