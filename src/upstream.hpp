// The connection of one session to its XMPP server.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bosh/outbox.hpp"
#include "src/config.hpp"
#include "src/connection.hpp"
#include "src/connector.hpp"
#include "src/end.hpp"
#include "src/forwarding.hpp"
#include "xmpp/stream.hpp"

namespace boshd {

class Shard;

/// Where a session's stream is to go.
struct UpstreamPlan {
  std::shared_ptr<const Servers> servers;
  std::shared_ptr<const ClientTls> tls;
  Endpoint source;  // the client, for a PROXY header
  Endpoint destination;
  Time begun{};  // its turn to connect had come; Time{}: not yet
};

/// What is to become of a connection after its latest bytes.
struct UpstreamOrder {
  enum What { go_on, start_tls, give_up } what = go_on;
  std::string why{};  // it is given up: TLS can't be had
};

/// Made by the shard with its session; tells the shard what happens under the session's id until `leave`.
class UpstreamConnection final
    : public boost::intrusive_ref_counter<UpstreamConnection, boost::thread_unsafe_counter>,
      private Watcher {
 public:
  /// `domain`: in ASCII, what DNS is asked for and the certificate has to be for.
  UpstreamConnection(Shard&, std::uint64_t session, bosh::StreamId, std::string domain, UpstreamPlan);

  ~UpstreamConnection() { enter(Stage::none); }

  /// Tries the servers one after the other; each connection that stands is told by on_upstream_ready, and
  /// wants the stream to be opened on it.
  void connect();
  /// The stream is open: no other server is tried any more.
  void settle();
  /// Writes at once what goes, keeps the rest.
  void write(std::string_view bytes);
  /// Bytes that wait to be written.
  std::size_t unsent() const { return connection_ ? connection_->unsent() : 0; }
  /// Back-pressure: whether the server is read.
  void set_reading(bool);
  /// The session is over: writes the footer, then waits for the server to close. Nothing is told any more.
  void leave(std::string_view footer);
  /// The session is over and the server is to take the connection for lost: no footer.
  void drop();
  void close();

  /// For the log: which server, and how far we have come with it.
  const std::string& server() const { return server_; }
  const std::string& domain() const { return domain_; }
  const SSL* tls() const { return connection_ ? connection_->tls() : nullptr; }
  /// Since when servers are tried; Time{}: its turn has not come, or one has been found.
  Time begun() const { return plan_ ? plan_->begun : Time{}; }
  std::string_view step() const { return step_.empty() && connector_ ? connector_->step() : step_; }

 private:
  using Pointer = boost::intrusive_ptr<UpstreamConnection>;
  enum class Stage : std::uint8_t { none, connecting, open };

  void enter(Stage);
  void connected(Connected&&);
  void send_proxy_header();
  void give_up(EndReason, std::string_view why);
  void begin_tls(bool direct);
  void shake_hands();
  void tls_stands();
  void on_readable() override;
  void on_writable() override;
  void plan_reading();
  void lost(EndReason, std::string_view what);
  bool verifies() const;
  xmpp::Tls stream_policy() const;

  Shard& shard_;
  std::uint64_t session_;  // 0 once it has left
  bosh::StreamId stream_;
  std::string domain_;
  std::unique_ptr<UpstreamPlan> plan_;         // until the stream is open
  boost::intrusive_ptr<Connector> connector_;  // until the stream is open
  std::optional<Connection> connection_;
  std::string server_ = "none";
  std::string_view step_;  // empty: the connector's
  Stage stage_ = Stage::none;
  bool local_ = false;
  bool direct_tls_ = false;
  bool shaking_hands_ = false;
  bool reading_ = true;
  std::size_t ignored_ = 0;  // bytes that came after the session had left
};

}  // namespace boshd
