// Finds the servers of a domain and connects to them one after the other, until the caller is content.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/config.hpp"
#include "src/loop.hpp"
#include "src/resolver.hpp"
#include "src/socket_address.hpp"

namespace boshd {

class Connector;

/// What the connectors of a thread share.
class ConnectorHost {
 public:
  ConnectorHost(Loop&, Counters&, std::shared_ptr<const Upstream>);

  Loop& loop;
  std::shared_ptr<const Upstream> upstream;  // a reload brings another; its name servers stay
  Resolver resolver;
  /// Is told of each server that could not be connected to.
  std::function<void(const std::string& server, const std::string& reason)> failed{};

 private:
  friend class Connector;
  /// The connectors of one domain: what one server does is no other's trouble.
  struct Turns {
    unsigned under_way = 0;
    std::deque<boost::intrusive_ptr<Connector>> waiting{};
  };

  void enter(Connector&);
  void leave(const std::string& domain);
  bool is_dead(const std::string& server, Time now);
  void remember(const std::string& server, bool dead);

  std::map<std::string, Turns> turns_;      // by domain
  std::map<std::string, Time> dead_until_;  // servers that did not let us in
};

/// A connection that stands, or why there is none.
struct Connected {
  int descriptor = -1;      // the receiver's to close
  Loop::Id watched = 0;     // its place in the loop, for the next watcher; 0: none
  std::string server{};     // address and port, for the log
  bool direct_tls = false;  // TLS is to be started at once
  bool local = false;       // the server is on this machine
  bool refused = false;     // DNS names addresses only where servers may not be
  std::string error{};
};

/// Addresses of one server are tried side by side, each a little after the one before (RFC 8305); the next
/// server when the one before has had a while (RFC 6120 §3.2.1). Lives until it is told to stop.
class Connector : public boost::intrusive_ref_counter<Connector, boost::thread_unsafe_counter> {
 public:
  using Done = std::function<void(Connected&&)>;

  /// `domain`: in ASCII, for DNS. `begun`: is called when its turn has come.
  Connector(ConnectorHost&, std::shared_ptr<const Servers>, std::string domain, std::function<void()> begun);

  /// The next connection; calls back once, from the loop. After an error there are no more.
  void next(Done);
  /// Whether next() may still bring one.
  bool has_more() const { return !addresses_.empty() || !targets_.empty() || !attempts_.empty(); }
  /// For the log: "queue", "dns" or "connect".
  std::string_view step() const { return step_; }
  /// The latest server is not one that we can use: others go first for a while.
  void blame();
  /// The search is over; the connection that was given last stays.
  void stop();

 private:
  friend class ConnectorHost;
  using Pointer = boost::intrusive_ptr<Connector>;
  struct Target {
    std::string host;
    std::uint16_t port;
    bool direct_tls;
    bool configured;          // its addresses may be anywhere
    std::string unix_path{};  // instead of a host
    bool postponed = false;   // its servers were found dead
  };
  struct Candidate {
    SocketAddress address;
    std::string name;
    bool direct_tls;
    bool local;
  };
  /// A connection that is being made; taken back it is closed.
  class Attempt final : public Watcher {
   public:
    Attempt(Connector&, Candidate&&, std::uint32_t number);
    ~Attempt();
    void begin();
    /// Gives the connection away, which stays in the loop.
    Connected release();
    const Candidate candidate;
    const std::uint32_t number;  // within its connector

   private:
    void on_readable() override {}
    void on_writable() override;

    Connector& owner_;
    int descriptor_ = -1;
    Loop::Id watched_ = 0;
  };
  using AttemptPointer = std::unique_ptr<Attempt>;

  void begin();
  void find_servers();
  void take_srv(const SrvAnswer& plain, const SrvAnswer& direct_tls);
  void next_target();
  void take_host(Target&&, const HostAnswer&);
  void take_candidates(Target&&, std::vector<Candidate>&&);
  void go_on();
  void try_candidate();
  void connected(std::uint32_t attempt, int error);
  void finish(const Connected&);
  void plan(std::chrono::milliseconds);

  ConnectorHost& host_;
  std::shared_ptr<const Servers> servers_;
  std::string domain_;
  std::function<void()> begun_;
  Done done_;
  std::vector<Target> targets_;       // a few, like the addresses
  std::vector<Candidate> addresses_;  // of the present target
  std::vector<AttemptPointer> attempts_;
  std::uint32_t next_attempt_ = 0;
  Timer timer_;
  std::string last_server_;
  std::string last_error_ = "no server is known";
  std::string_view step_ = "queue";
  bool entered_ = false;
  bool counted_ = false;    // as one of those under way
  bool searching_ = false;  // an answer of DNS is awaited
  bool refused_ = false;
  bool stopped_ = false;
};

}  // namespace boshd
