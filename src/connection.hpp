// A non-blocking stream socket, TCP or Unix, with or without TLS, that owns no buffer while nothing is under
// way.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "src/tls.hpp"

namespace boshd {

/// Reads into memory of the caller; writes at once what the kernel takes and keeps the rest.
class Connection {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  enum class Outcome { done, again, end, failed };
  struct Read {
    Outcome outcome;
    std::size_t bytes;
  };

  /// Sets the socket non-blocking and, for TCP, without delay (D-090).
  explicit Connection(Socket);

  /// From here on it is TLS. The handshake takes place in reading, or in `handshake`.
  void start_tls(Ssl);
  /// `done` when TLS stands; `again`: call it when `when_readable` has called back.
  Outcome handshake();
  bool handshake_done() const;
  SSL* tls() const { return ssl_.get(); }

  /// `done` with at least one byte, `again` when nothing is there, `end` after the peer's last byte.
  Read read(std::span<char>);
  /// Looks at what has come without taking it; before TLS only.
  Read peek(std::span<char>);
  /// Both pieces in one system call. `again`: some is kept; call flush when the socket is writable.
  Outcome write(std::string_view first, std::string_view second = {});
  Outcome flush();
  std::size_t unsent() const { return unsent_.size(); }

  /// Calls back once when there is something to read (or the end, or an error). The callback keeps its owner
  /// alive.
  template <class Handler>
  void when_readable(Handler&& handler) {
    socket_.async_wait(handshake_writes_ ? Socket::wait_write : Socket::wait_read,
                       std::forward<Handler>(handler));
  }
  template <class Handler>
  void when_writable(Handler&& handler) {
    socket_.async_wait(Socket::wait_write, std::forward<Handler>(handler));
  }

  /// The peer sees the end of what was written; reading goes on.
  void finish_writing();
  void close();
  /// Gives the socket away, for another thread to adopt. Nothing may be unsent.
  struct Released {
    int descriptor;
    Ssl ssl;
  };
  Released release();
  /// Adopts it.
  Connection(Socket, Ssl);

 private:
  Read read_tls(std::span<char>);
  Outcome tls_outcome(int result);

  Socket socket_;
  Ssl ssl_;
  bool handshake_writes_ = false;
  bool tls_failed_ = false;
  std::string unsent_;
};

}  // namespace boshd
