// The bodies that a connection manager sends, as bytes (XEP-0124 §7.2, §8, §17; XEP-0206 §4).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "bosh/body.hpp"
#include "bosh/end.hpp"

namespace bosh {

/// The highest version spoken here.
inline constexpr Version own_version{1, 11};

/// What was granted to a client, as its creation response tells it.
struct Granted {
  std::string sid;
  Version version = own_version;
  std::chrono::seconds wait{};
  unsigned hold = 0;
  unsigned requests = 0;
  std::chrono::seconds inactivity{};
  std::chrono::seconds polling{};
};

/// What the server's stream header told.
struct ServerHeader {
  std::string from;
  std::string id;
  std::string version;  // empty: not known yet, or a server older than XMPP 1.0
};

std::string creation_reply(const Granted&, const ServerHeader&, std::string_view content);
std::string plain_reply(std::string_view content);
std::string terminal_reply(const Terminal&);
/// The recoverable condition: the request was repeated on another connection (XEP-0124 §14.3, §17.3).
std::string repeated_reply();

}  // namespace bosh
