// SRV records of a domain and the order in which they are tried (RFC 2782, XEP-0368). No socket in it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boshd {

struct SrvRecord {
  std::string target;  // without a dot at its end; empty: "." was there, there is no such service
  std::uint16_t port = 0;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  bool direct_tls = false;
  friend bool operator==(const SrvRecord&, const SrvRecord&) = default;
};

/// The answer to a question for SRV records.
struct SrvAnswer {
  enum class State { found, none, failed };
  State state = State::none;
  std::vector<SrvRecord> records{};
  std::uint32_t ttl = 0;  // seconds; of the shortest-lived
  std::string error{};    // when failed
};

/// Reads a DNS message.
SrvAnswer read_srv_answer(std::string_view message);

/// Both answers as one list in the order of trying: by priority, and within one by weighted chance
/// (U-003..U-006, U-014). `random(n)`: 0 to n, both included.
std::vector<SrvRecord> srv_order(std::vector<SrvRecord> records,
                                 const std::function<std::uint32_t(std::uint32_t)>& random);

/// What follows from the answers for `_xmpp-client` and `_xmpps-client`.
struct SrvVerdict {
  std::vector<SrvRecord> records{};  // to be put in order
  bool fall_back = false;            // none exist: the domain's own addresses, port 5222 (U-012)
  std::string error{};               // nothing can be tried (U-007, U-008, U-013)
};
SrvVerdict judge_srv(const SrvAnswer& plain, const SrvAnswer& direct_tls);

}  // namespace boshd
