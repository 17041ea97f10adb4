// What an operator is shown of sessions: plain values that a thread gives away.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/forwarding.hpp"

namespace boshd {

/// One XMPP stream of a session, and its connection.
struct LegFigures {
  unsigned stream = 0;
  std::string domain;
  std::string account;  // that the client tries to log in to
  std::string server;
  std::string step;  // how far the connection has come; "open", "login" when the stream is there
  std::string tls;   // version; empty: none
  std::string cipher;
  std::size_t unsent = 0;
  bool managed = false;  // XEP-0198
  std::optional<std::chrono::seconds> open_within;
  std::optional<std::chrono::seconds> log_in_within;
};

struct SessionFigures {
  std::string id;  // of the sid what the log shows
  std::uint64_t key = 0;
  unsigned thread = 0;
  bool websocket = false;
  bool script = false;
  bool tls = false;  // the client speaks TLS, with us or with its proxy
  std::string domain;
  std::string jid;  // as far as it is known
  Endpoint client;
  std::chrono::seconds age{};
  std::string_view state;
  std::size_t held = 0;    // requests
  std::size_t queued = 0;  // bytes for the client
  std::size_t cached = 0;  // bytes of answers, for repeats
  std::uint32_t requests = 0;
  std::uint32_t replays = 0;
  std::uint32_t stanzas_in = 0;  // from the client to the server
  std::uint32_t stanzas_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::milliseconds longest_delay{};
  bool server_full = false;
  bool client_full = false;
  std::optional<std::chrono::seconds> due_within;
  std::vector<LegFigures> legs;
};

/// A piece of a thread's sessions.
struct SessionPage {
  std::vector<SessionFigures> sessions;
  std::uint32_t next = 0;  // where the next piece begins; 0: that was the last
};

struct ShardFigures {
  std::size_t sessions = 0;
  std::size_t bosh = 0;
  std::size_t http_connections = 0;
};

/// How often one server let us down.
struct ServerFailures {
  std::string server;
  std::uint64_t count = 0;
  std::string step;  // of the last
  std::string reason;
  std::chrono::system_clock::time_point at{};
};

}  // namespace boshd
