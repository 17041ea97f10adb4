// One thread with its own loop, sessions, connections, buffers and parsers: the place where all parts
// meet.
#pragma once

#include <array>
#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "bosh/session.hpp"
#include "bosh/slices.hpp"
#include "src/admission.hpp"
#include "src/config.hpp"
#include "src/connector.hpp"
#include "src/deadlines.hpp"
#include "src/end.hpp"
#include "src/farewells.hpp"
#include "src/http.hpp"
#include "src/listener.hpp"
#include "src/log/access_log.hpp"
#include "src/loop.hpp"
#include "src/mail.hpp"
#include "src/operate/census.hpp"
#include "src/operate/counters.hpp"
#include "src/operate/doctor.hpp"
#include "src/operate/figures.hpp"
#include "src/operate/findings.hpp"
#include "src/operate/session_figures.hpp"
#include "src/operate/trace.hpp"
#include "src/sid.hpp"
#include "src/table.hpp"
#include "src/upstream.hpp"
#include "src/websocket.hpp"
#include "websocket/session.hpp"
#include "xml/splitter.hpp"
#include "xmpp/stream.hpp"

namespace boshd {

/// For a server to close a stream that was ended, for a client to close its WebSocket.
inline constexpr std::chrono::seconds leaving_time{5};

/// Made for all threads before any of them runs; `run` then belongs to one thread, and everything but `post`
/// and `stop` to that thread alone. A session lives and dies in one shard, named in its sid.
class Shard {
 public:
  /// `all` is complete when run is called and outlives it.
  Shard(unsigned index, std::shared_ptr<const Config>, std::shared_ptr<const TlsFiles>,
        const std::vector<std::unique_ptr<Shard>>& all, Admission&, Findings&);

  /// Takes a listening descriptor. Before `run`, or on this shard's thread.
  void serve(ListenerId, int listening_descriptor, std::shared_ptr<const Listen>);
  /// Takes no more connections there, and closes it.
  void close_listener(ListenerId id) { served_.erase(id); }
  /// Until stop; then ends what is under way, for two seconds at most.
  void run();
  /// From any thread.
  void stop();
  /// From any thread: mails for this shard, in order.
  void post(std::vector<Mail>&&);
  /// From any thread: calls back on this shard's own.
  void ask(std::function<void(Shard&)>);

  /// What it has counted. To be read by any thread.
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }
  /// How many sessions each domain has. From any thread.
  const Census& domains() const { return domains_; }

  // What its connections use.
  Loop& loop() { return loop_; }
  const Config& config() const { return *config_; }
  /// Memory to read into; what is in it lasts until control returns to the loop.
  std::span<char> scratch() { return scratch_; }
  /// on_time of this connection is due at `deadline`.
  void plan(std::uint64_t connection, Time deadline, Queued& queued) {
    http_deadlines_.set(connection, deadline, queued);
  }

  const ServerTls& server_tls() const { return *server_tls_; }
  ConnectorHost& connector_host() { return connector_host_; }
  /// Whether a page may use one of the domains at least; which ones is known when a session names its domain.
  OriginVerdict check_page(std::string_view origin) const {
    return check_origin(any_origin_, origin, config_->cors.credentials);
  }
  /// Whom a request speaks for.
  Client client_of(const Peer& peer, const HttpRequest& request) const {
    return boshd::client_of(peer, request, config_->proxy.header, config_->proxy.trusted);
  }

  /// Whether this address may make one more request now.
  bool may_ask(const Address& address) { return requests_.take(address, std::chrono::steady_clock::now()); }
  /// Lets the doctor see a request; `opens`: a session begins.
  void examine(const Http&, const HttpRequest&, const Client&, Doctor::Kind, bool opens);
  Doctor& doctor() { return doctor_; }
  /// A line in the access log.
  void note_access(const AccessEntry&, unsigned status, std::size_t bytes, const std::optional<Sid>&);
  /// Room for a session of this client; a refusal is told in the log.
  Admission::Verdict admit(const Client&);

  void on_bosh_request(Http&, std::uint32_t number, HttpRequest&&, bool too_large, std::string_view rest);
  /// A client's connection has become a WebSocket; `rest` is what came behind the request.
  void on_websocket(const Http&, Connection&&, const HttpRequest&, const Route&, Admission::Place&&,
                    std::string_view rest);
  void on_lost(const Lost&);
  void on_http_closed(std::uint64_t id) {
    connections_.erase(id);
    count_connections();
  }

  // For an operator (src/shard_control.cpp).
  /// The sessions from a place on, `most` of them.
  SessionPage list_sessions(std::uint32_t from, std::size_t most);
  std::vector<SessionFigures> find_sessions(const SessionQuery&, std::size_t most);
  ShardFigures figures() const;
  std::vector<ServerFailures> failures() const;
  /// False: there is none of this key.
  bool kill(std::uint64_t key);
  /// From now on these traces are told; nullptr: none.
  void follow(std::shared_ptr<const Traces>);

  void on_upstream_next(std::uint64_t session, bosh::StreamId, std::string_view why);
  void on_upstream_begun(std::uint64_t session, bosh::StreamId);
  void on_upstream_ready(std::uint64_t session, bosh::StreamId, xmpp::Tls, bool secured);
  void on_upstream_secured(std::uint64_t session, bosh::StreamId);
  UpstreamOrder on_upstream_bytes(std::uint64_t session, bosh::StreamId, std::string_view);
  void on_upstream_written(std::uint64_t session);
  void on_upstream_lost(std::uint64_t session, bosh::StreamId, EndReason, std::string_view what);

 private:
  struct Leg {
    bosh::StreamId id;
    xmpp::Stream stream;
    boost::intrusive_ptr<UpstreamConnection> upstream;
    Time open_by;           // until then the server must have opened the stream
    Time authenticate_by;   // … and so long after that let the client in
    std::string account{};  // that the client tries to log in to
  };
  struct Bosh {
    bosh::Session session;
    std::unique_ptr<bosh::Slices> slices;  // of a session in script syntax
    Sid sid;
  };
  /// What a client's first request said beside its session.
  struct Asked {
    std::string origin;
    std::string target;
    std::string route;
  };
  struct Web {
    websocket::Session session;
    boost::intrusive_ptr<WebSocket> socket;
    Asked asked;       // in the handshake, until a stream is opened
    bool room = true;  // the client fetches what is written
  };
  struct Slot {
    std::variant<Bosh, Web> client_side;
    std::vector<Leg> legs;  // one for each open stream
    std::string domain;     // of the first
    Peer client;            // its own ends, not those of its proxy
    Admission::Place place;
    Time created;
    EndReason told = EndReason::server_lost;  // the reason, if the session is told to end
    bool room = true;                         // the server takes what is written
    bool traced = false;                      // an operator follows it
    Queued queued{};
    Census::Mark mark = nullptr;
    Figures figures{};
  };
  struct Served {
    std::shared_ptr<const Listen> listen;  // for new connections
    std::unique_ptr<Acceptor> acceptor{};
  };
  struct Leaving {
    std::variant<boost::intrusive_ptr<UpstreamConnection>, boost::intrusive_ptr<WebSocket>> connection;
    Time until;
  };

  // Counting.
  static Transport transport_of(const Slot& slot) {
    return std::holds_alternative<Bosh>(slot.client_side) ? Transport::bosh : Transport::websocket;
  }
  void count(RequestOutcome outcome) { counters_.requests_that(outcome).add(); }
  void count_connections() { counters_.http_connections.set(connections_.size()); }
  void count_stanzas_in(Slot&, std::size_t);
  void note_domain(Slot&, std::string_view domain);
  void note_name(Slot&, bosh::StreamId, std::string_view jid);
  void note_delay(Slot&, std::chrono::nanoseconds);
  void weigh(Slot&);

  // Connections.
  void welcome(Connection&&, const Peer&, const std::shared_ptr<const Listen>&);
  void adopt(Move&&);

  // Requests.
  std::chrono::seconds patience_behind(const Address& proxy) const;
  void create(Http&, const bosh::Arrival&, const Client&, const HttpRequest&, bosh::Body&&);
  void refuse(bosh::Exchange, bosh::Condition, std::string_view why, bool legacy = false);
  void hand_over(Http&, std::uint32_t number, Delivery&&, std::string_view rest);
  void deliver(Delivery&&);
  void take_request(Slot&, bosh::Session&, Delivery&&);
  void answer_stranger(const Delivery&);
  void reply(Reply&&);

  // Sessions.
  /// Whether a page may open this domain, and where its servers are.
  struct Way {
    std::shared_ptr<const Servers> servers;
    std::string domain;                           // in ASCII
    EndReason refused = EndReason::host_unknown;  // when there are none
  };
  Way find_way(std::string_view domain, const Asked&) const;
  void open_leg(std::uint64_t id, Slot&, bosh::StreamId, Way&&, std::string_view domain,
                std::string_view language, const Asked&);
  Leg* find_leg(Slot&, bosh::StreamId);
  void tell_end(Slot&, bosh::StreamId, EndReason, std::string content = {});
  void apply(std::uint64_t id);
  template <class Ended, class Effects>
  std::optional<Ended> carry_out_all(std::uint64_t id, Slot&, Effects&);
  void carry_out(std::uint64_t id, Slot&, bosh::Answer&&);
  void carry_out(std::uint64_t id, Slot&, bosh::Forward&&);
  void carry_out(std::uint64_t id, Slot&, bosh::Restart&&);
  void carry_out(std::uint64_t id, Slot&, bosh::Open&&);
  void carry_out(std::uint64_t id, Slot&, bosh::Close&&);
  void carry_out(std::uint64_t id, Slot&, bosh::GaveUp&&);
  void carry_out(std::uint64_t id, Slot&, bosh::Reading&&);
  void carry_out(std::uint64_t id, Slot&, websocket::Send&&);
  void carry_out(std::uint64_t id, Slot&, websocket::Open&&);
  void carry_out(std::uint64_t id, Slot&, websocket::Forward&&);
  void carry_out(std::uint64_t id, Slot&, websocket::Restart&&);
  void carry_out(std::uint64_t id, Slot&, websocket::Close&&);
  void on_web_event(std::uint64_t id, const WebEvent&);
  void check_client_room(Slot&);
  void send_upstream(std::uint64_t id, Slot&, bosh::StreamId, std::string&& stanzas);
  void write_upstream(std::uint64_t id, Slot&, Leg&, std::string_view);
  void check_room(Slot&);
  void take_leave(Leg&, std::string_view last_words);
  void finish(std::uint64_t id, const bosh::Ended&);
  void finish(std::uint64_t id, const websocket::Ended&);
  void forget(std::uint64_t id);
  void note_freed(std::size_t count);
  void note_end(std::uint64_t id, const Slot&, EndReason);
  void log_failure(const Leg&, std::string_view reason);
  static Time due(const Slot&);
  std::string shown_sid(const Slot&) const;
  std::string shown(const std::string& sid) const;

  // For an operator.
  struct TraceDetails {
    std::uint64_t rid = 0;
    std::string text{};
    std::string server{};
  };
  std::string_view state_of(const Slot&) const;
  std::string jid_of(const Slot&) const;
  LegFigures figures_of(const Leg&, Time) const;
  SessionFigures figures_of(std::uint64_t id, const Slot&, Time) const;
  SessionNames names_of(std::uint64_t id, const Slot&) const;
  void note_failure(const std::string& server, std::string_view step, std::string_view reason);
  void kill_web(Slot&);
  void mark_traced(std::uint64_t id, Slot&);
  void trace(std::uint64_t id, const Slot&, std::string_view event, std::string_view xml,
             const TraceDetails&) const;
  void trace_begin(std::uint64_t id, Slot&);
  void trace_request(std::uint64_t id, const Slot&, const bosh::Body&, Fault) const;
  void trace_received(std::uint64_t id, const Slot&, const Leg&, const xmpp::Received&) const;
  void trace_upstream(std::uint64_t id, const Slot&, const Leg&, std::string_view what) const;

  // Time.
  void http_rung(Time now, std::uint64_t id, Time at);
  void session_rung(Time now, std::uint64_t id, Time at);
  void keep_house();
  void tick();
  void give_memory_back(Time now, bool at_rest);

  // Mail.
  void send(unsigned shard, Mail&&);
  void receive(Mail&&);
  void take_settings();
  void take(Reloaded&&);
  void shut_down();
  bool retire_connections(bool patient);

  Counters counters_;
  Loop loop_;
  unsigned index_;
  std::shared_ptr<const Config>
      config_;  // a reload brings another; what follows from it is set anew in its place
  const std::vector<std::unique_ptr<Shard>>& all_;
  bosh::Settings settings_;
  xml::Limits body_limits_;
  xml::Limits stream_limits_;
  std::vector<char> scratch_;
  xml::Pool pool_;
  xml::Batch batch_;
  bosh::Effects effects_;
  websocket::Effects web_effects_;
  Time read_at_{};  // what the WebSocket's client is to get now; Time{}: nothing of a server
  websocket::Settings web_settings_;
  WebSocketHost web_host_;
  std::map<ListenerId, Served> served_;
  Table<boost::intrusive_ptr<Http>> connections_;
  Table<Slot, Boxed> sessions_;
  std::unordered_map<Sid, std::uint64_t, SidHash> by_sid_;
  Census domains_;
  Farewells farewells_;
  std::deque<Leaving> leaving_;
  std::shared_ptr<const TlsFiles> tls_;
  std::shared_ptr<const ServerTls>
      server_tls_;  // the latest that has certificates: a listener that goes has clients
  ConnectorHost connector_host_;
  OriginList any_origin_;
  Admission& admission_;
  Findings& findings_;
  Doctor doctor_;
  AccessLines access_lines_;
  Rates requests_;
  std::vector<std::shared_ptr<const Servers>> routes_;  // of upstream.routes, each alone
  std::map<std::string, ServerFailures> failures_;
  std::shared_ptr<const Traces> traces_;  // nullptr: nobody follows anything
  Deadlines http_deadlines_;
  Deadlines session_deadlines_;
  Timer house_timer_;
  bool house_kept_ = false;
  std::size_t freed_ = 0;  // sessions that ended since free memory was given back
  Time give_back_at_{};    // not earlier
  std::vector<std::vector<Mail>> outbox_;
  bool stopping_ = false;
};

}  // namespace boshd
