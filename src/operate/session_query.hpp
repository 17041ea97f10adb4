// Which sessions an operator means: by what the log shows of a sid, by the key in lists, a JID or an address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/address.hpp"

namespace boshd {

/// What is known of a session to find it by.
struct SessionNames {
  std::uint64_t key = 0;  // unique in the process
  std::string_view sid;
  std::string_view jid;  // bare or full; empty: not known yet
  Address client;
};

/// What an operator has written. One of these.
struct SessionQuery {
  std::uint64_t key = 0;
  std::string sid;  // its beginning
  std::string jid;  // bare: all its resources
  std::optional<Address> client;

  bool matches(const SessionNames&) const;
};

/// `#1a00000002`: a key; an IP address; anything with an `@`: a JID; else the beginning of a sid, of which
/// `label` is the node's. Nothing: it is none of these, or too short for a sid.
std::optional<SessionQuery> read_session_query(std::string_view text, std::string_view label);

/// The key as lists show it and queries take it.
std::string key_text(std::uint64_t key);

}  // namespace boshd
