// The bodies that a connection manager sends, as bytes (XEP-0124 §7.2, §8, §17; XEP-0206 §4).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bosh/body.hpp"
#include "bosh/bytes.hpp"
#include "bosh/end.hpp"

namespace bosh {

/// The highest version spoken here.
inline constexpr Version own_version{1, 11};

/// What HTTP is to send.
struct Response {
  Bytes body;            // may be none
  Bytes content_type{};  // none: the default of XEP-0124 §5
  unsigned status = 200;
};

/// What was granted to a client, as its creation response tells it.
struct Granted {
  std::string sid;
  Version version = own_version;
  std::chrono::seconds wait{};
  unsigned hold = 0;
  unsigned requests = 0;
  std::chrono::seconds inactivity{};
  std::chrono::seconds polling{};   // 0: not told
  std::chrono::seconds maxpause{};  // 0: not told
  std::string_view accept;          // content codings of requests; empty: not told
  std::string stream;               // name of the first stream; empty: there can be only one
};

/// What the server's stream header told.
struct ServerHeader {
  std::string from;
  std::string id;
  std::string version;  // empty: not known yet, or a server older than XMPP 1.0
};

/// What may stand on a body beside its children.
struct Notes {
  std::uint64_t ack = 0;                 // 0: none (XEP-0124 §9.1)
  std::uint64_t report = 0;              // 0: none (XEP-0124 §9.2)
  std::chrono::milliseconds age{};       // of the response that `report` names
  std::string stream;                    // empty: none (XEP-0124 §16.4)
  const ServerHeader* server = nullptr;  // told late, since the creation response could not
  bool terminate = false;                // of the session, or of `stream`
  std::optional<Condition> condition{};
  friend bool operator==(const Notes&, const Notes&) = default;
};

Bytes creation_reply(const Granted&, const ServerHeader&, const Notes&, std::string_view content);
Bytes reply(const Notes&, std::string_view content);
Bytes plain_reply(std::string_view content);
/// Neither notes nor content: what most requests are answered with.
Bytes silent_reply();
Bytes terminal_reply(const Terminal&);
/// The recoverable condition: the request was repeated on another connection (XEP-0124 §14.3, §17.3).
Bytes repeated_reply();

}  // namespace bosh
