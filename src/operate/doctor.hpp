// What usually goes wrong in front of boshd, told by the requests that come. No socket, no clock.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "src/address.hpp"
#include "src/config.hpp"
#include "src/http_request.hpp"

namespace boshd {

enum class ProxyProblem { no_forwarded_for, untrusted_forwarded_for, held_requests_cut, http10, no_upgrade };
inline constexpr std::size_t proxy_problems = 5;
/// The word in the log and in metrics.
std::string_view to_string(ProxyProblem);

/// How long requests may be held behind a proxy that cuts them after so long.
std::chrono::seconds patience_below(std::chrono::seconds cut_after);

/// A problem, and the proxy that has it.
struct Diagnosis {
  ProxyProblem problem{};
  Address proxy;
  std::string advice;                // what is wrong, and what to write where
  std::uint64_t requests = 0;        // that had it, since the last time it was told
  std::chrono::seconds cut_after{};  // held_requests_cut: so long they were held
};

/// The way a request has come.
struct Passage {
  Address proxy;           // the other end of its connection: a proxy's, or the client's own
  bool trusted = false;    // as a proxy
  bool by_header = false;  // its connection began with a PROXY header
};

/// One for each thread. It says nothing before there is evidence: a client alone can look like a faulty
/// proxy, and a browser on this machine like a proxy.
class Doctor {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;
  enum class Kind { bosh, websocket };

  /// `report` is called from the functions below.
  explicit Doctor(std::function<void(Diagnosis&&)> report) : report_(std::move(report)) {}

  /// Whether there is anything to be seen in a request, so that most need not be looked at. `proxied`: a
  /// proxy that is trusted has named the client.
  bool looks_at(const HttpRequest&, bool proxied, Kind, bool opens, ForwardingHeader) const;
  /// A request of a BOSH session, or a WebSocket's handshake. `opens`: a session that was not there before.
  void on_request(const Passage&, const HttpRequest&, Kind, bool opens, const Config&, Time);
  /// The connection of a held request has ended before it was answered.
  void on_cut(const Address& proxy, Duration held, const Config&, Time);
  /// A request was answered after so long. Needed while `suspects_cuts`.
  void on_answer(const Address& proxy, Duration held, Time);
  bool suspects_cuts() const { return suspects_cuts_; }

 private:
  /// Requests with a problem, and the sessions that began with them.
  struct Evidence {
    std::uint64_t requests = 0;
    std::uint64_t sessions = 0;
    Time since{};
  };
  struct Cut {
    Duration held{};
    Time at{};
  };
  struct Patient {
    std::array<Evidence, 2> bare;     // by Kind: without the header
    std::array<Evidence, 2> foreign;  // with a header that is not believed
    Evidence old_version;
    Evidence no_upgrade;
    Address first_client;  // that the header named
    bool several_clients = false;
    std::array<Cut, 8> cuts;  // the latest, from any place on
    std::size_t cut_count = 0;
    Duration longest_answered{};
    Time answered_at{};
    Time seen{};
  };

  Patient& patient(const Address&, Time);
  static void add(Evidence&, bool opens, Time);
  void look_at_header(const Passage&, const HttpRequest&, Kind, bool opens, const Config&, Time);
  void look_at_foreign(const Passage&, std::string_view list, Kind, bool opens, const Config&, Time);
  void look_at_version(const Passage&, const HttpRequest&, Kind, Time);
  void tell(ProxyProblem, const Address&, Evidence&, std::string advice);
  void judge_cuts(const Address&, Patient&, const Config&);

  std::function<void(Diagnosis&&)> report_;
  std::map<Address, Patient> patients_;
  bool suspects_cuts_ = false;
};

}  // namespace boshd
