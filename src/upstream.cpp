#include "src/upstream.hpp"

#include <sys/socket.h>

#include <utility>

#include "src/log/log.hpp"
#include "src/proxy_header.hpp"
#include "src/shard.hpp"

namespace boshd {

namespace {

// More than a server can have under way that is about to close its stream.
constexpr std::size_t most_ignored = std::size_t{4} * 1024 * 1024;

}  // namespace

UpstreamConnection::UpstreamConnection(Shard& shard, std::uint64_t session, bosh::StreamId stream,
                                       std::string domain, UpstreamPlan plan)
    : shard_(shard),
      session_(session),
      stream_(stream),
      domain_(std::move(domain)),
      plan_(std::make_unique<UpstreamPlan>(std::move(plan))) {}

// --- The way to a server ---

/// For the counters.
void UpstreamConnection::enter(Stage stage) {
  Counters& counters = shard_.counters();
  if (stage_ == Stage::connecting) counters.connecting.take();
  if (stage_ == Stage::open) counters.connected.take();
  stage_ = stage;
  if (stage_ == Stage::connecting) counters.connecting.add();
  if (stage_ == Stage::open) counters.connected.add();
}

void UpstreamConnection::connect() {
  enter(Stage::connecting);
  if (!connector_)
    connector_ = new Connector(shard_.connector_host(), plan_->servers, domain_, [self = Pointer(this)] {
      if (self->session_ == 0) return;
      self->plan_->begun = std::chrono::steady_clock::now();
      self->shard_.on_upstream_begun(self->session_, self->stream_);
    });
  step_ = {};
  connector_->next([self = Pointer(this)](Connected&& result) {
    if (self->session_ != 0) self->connected(std::move(result));
  });
}

void UpstreamConnection::connected(Connected&& result) {
  if (!result.server.empty()) server_ = std::move(result.server);
  if (result.descriptor < 0)
    return lost(result.refused ? EndReason::server_refused : EndReason::server_unreachable, result.error);
  const int on = 1;
  ::setsockopt(result.descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  connection_.emplace(shard_.loop(), std::exchange(result.descriptor, -1), Ssl{}, result.watched);
  if (!connection_->watch(*this)) return lost(EndReason::server_unreachable, "out of memory");
  local_ = result.local;
  direct_tls_ = result.direct_tls;
  send_proxy_header();
  if (direct_tls_) return begin_tls(true);
  step_ = "stream";
  shard_.on_upstream_ready(session_, stream_, stream_policy(), false);
  plan_reading();
}

/// The very first bytes, before TLS and before XML (U-109, U-123).
void UpstreamConnection::send_proxy_header() {
  write(proxy_header(plan_->servers->proxy_protocol, plan_->source, plan_->destination));
}

/// This server is of no use: another one is tried if there is any, else the session is told.
void UpstreamConnection::give_up(EndReason reason, std::string_view why) {
  if (!connector_ || !connector_->has_more()) return lost(reason, why);
  log(LogLevel::info, "upstream-next",
      {{"domain", domain_}, {"server", server_}, {"step", step_}, {"reason", why}});
  if (session_ != 0) shard_.on_upstream_next(session_, stream_, why);
  connector_->blame();
  if (connection_) connection_->close();
  connection_.reset();
  shaking_hands_ = false;
  connect();
}

void UpstreamConnection::settle() {
  step_ = "stream";
  if (!connector_) return;
  enter(Stage::open);
  connector_->stop();
  connector_.reset();
  plan_.reset();
}

// --- TLS ---

/// Only what has to be encrypted has to be from the right server, too: who could stand in between would have
/// taken the offer away otherwise.
bool UpstreamConnection::verifies() const {
  const UpstreamTls tls = plan_->servers->tls;
  return tls == UpstreamTls::required || (tls == UpstreamTls::automatic && !local_);
}

xmpp::Tls UpstreamConnection::stream_policy() const {
  switch (plan_->servers->tls) {
    case UpstreamTls::never:
      return xmpp::Tls::never;
    case UpstreamTls::opportunistic:
      return xmpp::Tls::when_offered;
    case UpstreamTls::required:
      return xmpp::Tls::always;
    case UpstreamTls::automatic:
      break;
  }
  return local_ ? xmpp::Tls::when_required : xmpp::Tls::always;
}

void UpstreamConnection::begin_tls(bool direct) {
  step_ = "tls";
  shaking_hands_ = true;
  connection_->start_tls(plan_->tls->connect(domain_, verifies(), direct));
  plan_reading();
  shake_hands();
}

void UpstreamConnection::shake_hands() {
  switch (connection_->handshake()) {
    case Connection::Outcome::done:
      return tls_stands();
    case Connection::Outcome::again:
      return;
    case Connection::Outcome::end:
    case Connection::Outcome::failed:
      break;
  }
  const std::string fault = connection_->tls() ? handshake_fault(connection_->tls()) : "out of memory";
  give_up(EndReason::server_tls_failed, fault.empty() ? "the server closed the connection" : fault);
}

void UpstreamConnection::tls_stands() {
  if (verifies() && !is_certified_for(connection_->tls(), domain_))
    return give_up(EndReason::server_tls_failed, "the certificate is not for " + domain_);
  shaking_hands_ = false;
  step_ = "stream";
  if (direct_tls_)
    shard_.on_upstream_ready(session_, stream_, stream_policy(), true);
  else
    shard_.on_upstream_secured(session_, stream_);
  plan_reading();
}

// --- Bytes ---

void UpstreamConnection::write(std::string_view bytes) {
  if (bytes.empty() || !connection_) return;
  shard_.counters().server_bytes_in.add(bytes.size());
  // A failure shows again when reading; told from there, after the session has finished what it is doing.
  connection_->write(bytes);
}

void UpstreamConnection::on_writable() {
  const Pointer self(this);
  if (shaking_hands_) return on_readable();
  connection_->flush();
  if (session_ != 0) shard_.on_upstream_written(session_);
}

void UpstreamConnection::set_reading(bool on) {
  reading_ = on;
  plan_reading();
}

void UpstreamConnection::plan_reading() {
  if (connection_) connection_->set_reading(reading_ || shaking_hands_);
}

void UpstreamConnection::on_readable() {
  const Pointer self(this);
  if (shaking_hands_) return session_ != 0 ? shake_hands() : close();
  const std::span<char> scratch = shard_.scratch();
  const auto [outcome, bytes] = connection_->read(scratch);
  if (outcome == Connection::Outcome::end || outcome == Connection::Outcome::failed) {
    const bool end = outcome == Connection::Outcome::end;
    return give_up(EndReason::server_lost, end ? "closed by the server" : "connection lost");
  }
  shard_.counters().server_bytes_out.add(bytes);
  UpstreamOrder order;
  if (outcome == Connection::Outcome::done && session_ != 0)
    order = shard_.on_upstream_bytes(session_, stream_, std::string_view(scratch.data(), bytes));
  if (session_ == 0 && (ignored_ += bytes) > most_ignored) return close();
  if (order.what == UpstreamOrder::give_up) return give_up(EndReason::server_tls_failed, order.why);
  if (order.what == UpstreamOrder::start_tls) begin_tls(false);
}

// --- The end ---

void UpstreamConnection::lost(EndReason reason, std::string_view what) {
  step_ = step();
  close();
  const std::uint64_t session = std::exchange(session_, 0);
  if (session != 0) shard_.on_upstream_lost(session, stream_, reason, what);
}

void UpstreamConnection::leave(std::string_view footer) {
  session_ = 0;
  settle();
  if (!connection_ || shaking_hands_) return close();
  reading_ = true;
  write(footer);
  plan_reading();
}

void UpstreamConnection::drop() {
  session_ = 0;
  close();
}

void UpstreamConnection::close() {
  if (connector_) connector_->stop();
  connector_.reset();
  if (connection_) connection_->close();
  connection_.reset();
  enter(Stage::none);
}

}  // namespace boshd
