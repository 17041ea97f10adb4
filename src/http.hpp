// One connection of a client or proxy: requests in, answers out in their order (RFC 9112 §9.3.2).
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bosh/session.hpp"
#include "src/admission.hpp"
#include "src/config.hpp"
#include "src/connection.hpp"
#include "src/deadlines.hpp"
#include "src/forwarding.hpp"
#include "src/http_request.hpp"
#include "src/http_response.hpp"
#include "src/proxy_header.hpp"
#include "src/routes.hpp"
#include "src/sid.hpp"

namespace boshd {

class Shard;

/// Idle it owns neither buffer nor parser. It is kept by the shard's table.
/// Answers never call back into the shard, so a session's effects can be applied without a thought for what
/// they set off.
class Http final : public boost::intrusive_ref_counter<Http, boost::thread_unsafe_counter>, private Watcher {
 public:
  Http(Shard&, Connection&&, const Peer&, std::shared_ptr<const Listen>);

  /// Begins to serve, under the id by which the shard knows it: with a PROXY header if the listener wants
  /// one, then TLS if it has any.
  void start(std::uint64_t id);
  /// The same for a connection that has moved here: one request of it is under way, and these bytes came
  /// behind it.
  void start_moved(std::uint64_t id, HttpContext&& first, const Sid&, std::string&& rest);

  /// The answer to a request; it leaves when all earlier ones have. `since`: then what is in it could have
  /// left; Time{}: there is nothing of a server in it.
  void answer(std::uint32_t number, const bosh::Response&, Time since = {});
  /// The same with a whole response.
  void answer_raw(std::uint32_t number, std::string&& response);
  /// Which session a waiting request belongs to, to tell it when the connection is gone.
  void belongs_to(std::uint32_t number, const Sid&);
  /// A request that came through a proxy at this time: how long it is held tells something of the proxy.
  void came_by_proxy(std::uint32_t number, Time);

  /// Whether the whole connection may go to another shard now: this is its first request, and it is all there
  /// is.
  bool may_move(std::uint32_t number) const;
  /// Gives the socket away and ends here.
  Connection::Released release();
  /// The peer itself, if a PROXY header names the client: goes with a connection that moves.
  std::unique_ptr<Address> take_proxy() { return std::move(proxy_); }
  void set_proxy(std::unique_ptr<Address>&& proxy) { proxy_ = std::move(proxy); }
  /// What decides the head of this request's answer.
  HttpContext take_context(std::uint32_t number);

  /// Answers what is under way or has begun to come, then closes; at once if there is nothing. `patient`: one
  /// that has not brought its first request yet may do so, and is the case for another call. Returns whether
  /// that is so.
  bool retire(bool patient = false);
  void on_time(Time now);
  Time deadline() const { return deadline_; }

  std::uint64_t id() const { return id_; }
  const Peer& peer() const { return peer_; }
  /// The other end of the connection itself: the client's, or its proxy's.
  const Address& proxy() const { return proxy_ ? *proxy_ : peer_.remote.address; }
  const std::shared_ptr<const Listen>& listen() const { return listen_; }
  Queued queued;

 private:
  using Pointer = boost::intrusive_ptr<Http>;
  struct Pending {
    std::uint32_t number = 0;
    HttpContext context;
    std::optional<Sid> sid;
    bool ready = false;
    std::string head;
    bosh::Bytes body;
    Time came{};   // if it was through a proxy
    Time since{};  // of the answer
  };

  void on_readable() override;
  void on_writable() override;
  void plan_reading();
  void readable();
  void read_proxy_header();
  void start_tls();
  void consume(std::string_view bytes);
  bool step(std::string_view& bytes);
  void take(HttpRequest&&, bool too_large, std::string_view rest);
  void become_websocket(const HttpRequest&, const Route&, Admission::Place&&, std::string_view rest);
  bool unpack(HttpRequest&) const;
  static void pack(Pending&, std::string& headers);
  void refuse(unsigned status);
  void mark_ready(Pending&);
  void send_ready();
  void note_sent(const Pending&, Time now) const;
  void note_access(const Pending&) const;
  void note_cuts() const;
  void send_continue();
  void after_write(Connection::Outcome);
  void finish_soon();
  void peer_finished();
  void close();
  void set_deadline(Time);
  void plan_deadline(std::optional<Time> now = {});
  Pending* find(std::uint32_t number);

  Shard& shard_;
  Connection connection_;
  Peer peer_;
  std::unique_ptr<Address> proxy_;        // that has sent a PROXY header
  std::shared_ptr<const Listen> listen_;  // as it was when the connection came
  std::uint64_t id_ = 0;
  std::uint32_t next_number_ = 0;
  std::unique_ptr<ProxyHeaderReader> proxy_reader_;  // until the header is there
  std::unique_ptr<RequestReader> reader_;
  std::string kept_;  // bytes that wait until earlier requests are answered
  std::vector<Pending> pending_;
  Time deadline_ = Time::max();
  bool continue_owed_ = false;
  bool last_ = false;      // no further request is read
  bool retiring_ = false;  // … behind the one that is being read
  bool draining_ = false;  // all is answered: reading only to see the peer's end
  bool ended_ = false;     // the peer has sent its end
  bool closed_ = false;
};

}  // namespace boshd
