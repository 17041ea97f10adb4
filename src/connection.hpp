// A non-blocking stream socket, TCP or Unix, with or without TLS, that owns no buffer while nothing is under
// way.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "src/loop.hpp"
#include "src/tls.hpp"

namespace boshd {

/// Reads into memory of the caller; writes at once what the kernel takes and keeps the rest.
class Connection {
 public:
  enum class Outcome { done, again, end, failed };
  struct Read {
    Outcome outcome;
    std::size_t bytes;
  };

  /// Takes a descriptor that is non-blocking. `watched`: its place in the loop, if it has one.
  Connection(Loop&, int descriptor, Ssl = {}, Loop::Id watched = 0);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection() { shut(); }

  /// Who is told when there is something to read (or the end, or an error), as long as reading is on, and
  /// when to flush. False: the kernel has no room for it.
  [[nodiscard]] bool watch(Watcher&);
  void set_reading(bool);

  /// From here on it is TLS. The handshake takes place in reading, or in `handshake`.
  void start_tls(Ssl);
  /// `done` when TLS stands; `again`: call it when the watcher is told anything.
  Outcome handshake();
  bool handshake_done() const;
  SSL* tls() const { return ssl_.get(); }

  /// `done` with at least one byte, `again` when nothing is there, `end` after the peer's last byte.
  Read read(std::span<char>);
  /// Looks at what has come without taking it; before TLS only.
  Read peek(std::span<char>);
  /// Both pieces in one system call. `again`: some is kept; the watcher is told when to flush.
  Outcome write(std::string_view first, std::string_view second = {});
  Outcome flush();
  std::size_t unsent() const { return unsent_.size(); }

  /// The peer sees the end of what was written; reading goes on.
  void finish_writing();
  void close();
  /// Gives the socket away, for another thread to adopt. Nothing may be unsent.
  struct Released {
    int descriptor;
    Ssl ssl;
  };
  Released release();

 private:
  Read receive(std::span<char>, int flags);
  Read read_tls(std::span<char>);
  Outcome tls_outcome(int result);
  std::size_t send(std::string_view first, std::string_view second, Outcome&);
  void plan_flush();
  void shut();
  void unwatch();

  Loop* loop_;
  Loop::Id watched_ = 0;
  Ssl ssl_;
  std::string unsent_;
  int descriptor_;
  bool handshake_writes_ = false;
  bool tls_failed_ = false;
};

}  // namespace boshd
