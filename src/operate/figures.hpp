// What one session has done so far: for the line at its end and for those who ask.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "src/operate/counters.hpp"

namespace boshd {

/// `in` is from the client to the server, `out` the other way. Small: each session has one.
struct Figures {
  std::uint64_t bytes_in = 0;  // of request bodies, or of messages over WebSocket
  std::uint64_t bytes_out = 0;
  std::uint32_t requests = 0;  // or messages
  std::uint32_t replays = 0;   // requests that came once more
  std::uint32_t stanzas_in = 0;
  std::uint32_t stanzas_out = 0;
  std::chrono::duration<std::uint32_t, std::milli> longest_delay{};  // of what the server had sent
  // What it keeps, as far as its thread has counted that.
  std::uint32_t cached = 0;
  std::uint32_t for_client = 0;
  std::uint32_t for_server = 0;

  void note_delay(std::chrono::nanoseconds delay) {
    longest_delay =
        std::max(longest_delay,
                 std::chrono::duration_cast<decltype(longest_delay)>(std::clamp<std::chrono::nanoseconds>(
                     delay, std::chrono::nanoseconds(0), std::chrono::hours(24))));
  }

  /// The client's address; empty: not known.
  std::string_view jid() const { return jid_ ? std::string_view(jid_.get()) : std::string_view(); }
  void set_jid(std::string_view jid) {
    jid_ = std::make_unique<char[]>(jid.size() + 1);
    std::ranges::copy(jid, jid_.get());
  }

 private:
  std::unique_ptr<char[]> jid_;
};

/// What a session keeps is `now`; what was counted of it before is `known`.
inline void recount(Counter& all, std::uint32_t& known, std::size_t now) {
  if (known == now) return;
  all.add(now - known);
  known = static_cast<std::uint32_t>(now);
}

}  // namespace boshd
