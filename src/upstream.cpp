#include "src/upstream.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <utility>

#include "src/shard.hpp"

namespace boshd {

namespace asio = boost::asio;
using boost::system::error_code;

UpstreamConnection::UpstreamConnection(Shard& shard, std::uint64_t session, bosh::StreamId stream)
    : shard_(shard), session_(session), stream_(stream) {}

void UpstreamConnection::connect(const Server& server, std::string first_bytes) {
  before_connected_ = std::move(first_bytes);
  if (!server.unix_path.empty()) {
    candidates_.emplace_back(asio::local::stream_protocol::endpoint(server.unix_path));
    return try_next();
  }
  error_code not_an_address;
  const auto address = asio::ip::make_address(server.host, not_an_address);
  if (!not_an_address) {
    candidates_.emplace_back(asio::ip::tcp::endpoint(address, server.port));
    return try_next();
  }
  resolver_.emplace(shard_.io());
  resolver_->async_resolve(
      server.host, std::to_string(server.port),
      [self = Pointer(this)](error_code error, const auto& results) { self->resolved(error, results); });
}

void UpstreamConnection::resolved(error_code error, const asio::ip::tcp::resolver::results_type& results) {
  resolver_.reset();
  if (session_ == 0) return;
  if (error) return failed(error.message());
  for (const auto& result : results) candidates_.emplace_back(result.endpoint());
  std::ranges::reverse(candidates_);
  try_next();
}

void UpstreamConnection::try_next() {
  const auto endpoint = candidates_.back();
  candidates_.pop_back();
  connecting_.emplace(shard_.io());
  connecting_->async_connect(endpoint, [self = Pointer(this)](error_code error) {
    if (self->session_ == 0 || !self->connecting_) return;
    if (!error) return self->connected();
    self->connecting_.reset();
    if (self->candidates_.empty()) return self->failed(error.message());
    self->try_next();
  });
}

void UpstreamConnection::connected() {
  const int on = 1;
  ::setsockopt(connecting_->native_handle(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  connection_.emplace(std::move(*connecting_));
  connecting_.reset();
  write(std::exchange(before_connected_, {}));
  wait_to_read();
}

void UpstreamConnection::write(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!connection_) {
    before_connected_ += bytes;
    return;
  }
  // A failure shows again when reading; told from there, after the session has finished what it is doing.
  if (connection_->write(bytes) == Connection::Outcome::again) wait_to_write();
}

std::size_t UpstreamConnection::unsent() const {
  return connection_ ? connection_->unsent() : before_connected_.size();
}

void UpstreamConnection::wait_to_write() {
  if (std::exchange(write_waiting_, true)) return;
  connection_->when_writable([self = Pointer(this)](error_code error) {
    self->write_waiting_ = false;
    if (error || !self->connection_) return;
    if (self->connection_->flush() == Connection::Outcome::again) self->wait_to_write();
    if (self->session_ != 0) self->shard_.on_upstream_written(self->session_);
  });
}

void UpstreamConnection::set_reading(bool on) {
  reading_ = on;
  if (on && connection_) wait_to_read();
}

void UpstreamConnection::wait_to_read() {
  if (!reading_ || std::exchange(read_waiting_, true)) return;
  connection_->when_readable([self = Pointer(this)](error_code error) {
    self->read_waiting_ = false;
    if (error || !self->connection_) return;
    self->readable();
  });
}

void UpstreamConnection::readable() {
  const std::span<char> scratch = shard_.scratch();
  const auto [outcome, bytes] = connection_->read(scratch);
  if (outcome == Connection::Outcome::end) return failed("closed by the server");
  if (outcome == Connection::Outcome::failed) return failed("connection lost");
  if (outcome == Connection::Outcome::done && session_ != 0)
    shard_.on_upstream_bytes(session_, stream_, std::string_view(scratch.data(), bytes));
  if (connection_) wait_to_read();
}

void UpstreamConnection::failed(std::string_view what) {
  const bool stood = connection_.has_value();
  close();
  const std::uint64_t session = std::exchange(session_, 0);
  if (session != 0) shard_.on_upstream_lost(session, stream_, stood, what);
}

void UpstreamConnection::leave(std::string_view footer) {
  session_ = 0;
  if (!connection_) return close();
  reading_ = true;
  write(footer);
  wait_to_read();
}

void UpstreamConnection::drop() {
  session_ = 0;
  close();
}

void UpstreamConnection::close() {
  if (resolver_) resolver_->cancel();
  connecting_.reset();
  if (connection_) connection_->close();
  connection_.reset();
}

}  // namespace boshd
