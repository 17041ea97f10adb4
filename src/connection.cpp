#include "src/connection.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

namespace boshd {

namespace {

Connection::Outcome from_errno() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Connection::Outcome::again
                                                                   : Connection::Outcome::failed;
}

}  // namespace

Connection::Connection(Loop& loop, int descriptor, Ssl ssl, Loop::Id watched)
    : loop_(&loop), watched_(watched), ssl_(std::move(ssl)), descriptor_(descriptor) {}

Connection::Connection(Connection&& other) noexcept
    : loop_(other.loop_),
      watched_(std::exchange(other.watched_, 0)),
      ssl_(std::move(other.ssl_)),
      unsent_(std::move(other.unsent_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      handshake_writes_(other.handshake_writes_),
      tls_failed_(other.tls_failed_) {}

bool Connection::watch(Watcher& watcher) {
  if (watched_ == 0)
    watched_ = loop_->add(descriptor_, watcher);
  else
    loop_->set_watcher(watched_, watcher);
  plan_flush();
  return watched_ != 0;
}

void Connection::set_reading(bool on) {
  loop_->want_read(watched_, on);
}

void Connection::plan_flush() {
  loop_->want_write(watched_, handshake_writes_ || !unsent_.empty());
}

void Connection::unwatch() {
  if (watched_ != 0) loop_->remove(std::exchange(watched_, 0), descriptor_);
}

// --- TLS ---

void Connection::start_tls(Ssl ssl) {
  ssl_ = std::move(ssl);
  if (!ssl_ || SSL_set_fd(ssl_.get(), descriptor_) != 1) tls_failed_ = true;
}

bool Connection::handshake_done() const {
  return !ssl_ || SSL_is_init_finished(ssl_.get());
}

Connection::Outcome Connection::handshake() {
  if (tls_failed_) return Outcome::failed;
  ERR_clear_error();
  const Outcome outcome = tls_outcome(SSL_do_handshake(ssl_.get()));
  if (outcome == Outcome::again && !handshake_writes_) loop_->note_emptied(watched_);
  plan_flush();
  return outcome;
}

Connection::Outcome Connection::tls_outcome(int result) {
  handshake_writes_ = false;
  if (result > 0) return Outcome::done;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_WRITE:
      handshake_writes_ = !handshake_done();
      [[fallthrough]];
    case SSL_ERROR_WANT_READ:
      return Outcome::again;
    case SSL_ERROR_ZERO_RETURN:
      return Outcome::end;
    default:
      tls_failed_ = true;
      return Outcome::failed;
  }
}

/// One record at most, so that it isn't known whether there is more.
Connection::Read Connection::read_tls(std::span<char> into) {
  if (tls_failed_) return {Outcome::failed, 0};
  ERR_clear_error();
  std::size_t got = 0;
  const Outcome outcome = tls_outcome(SSL_read_ex(ssl_.get(), into.data(), into.size(), &got));
  if (outcome == Outcome::again) loop_->note_emptied(watched_);
  plan_flush();
  if (!unsent_.empty()) flush();  // it may have waited for what was read
  return {outcome, got};
}

// --- Bytes ---

/// Fewer bytes than there was room for are all that had come: the kernel need not be asked again.
Connection::Read Connection::receive(std::span<char> into, int flags) {
  const ssize_t got = ::recv(descriptor_, into.data(), into.size(), flags);
  const bool taken = flags != MSG_PEEK && got < static_cast<ssize_t>(into.size());
  if (taken || got <= 0) loop_->note_emptied(watched_);
  if (got > 0) return {Outcome::done, static_cast<std::size_t>(got)};
  if (got == 0) return {Outcome::end, 0};
  return {from_errno(), 0};
}

Connection::Read Connection::read(std::span<char> into) {
  return ssl_ || tls_failed_ ? read_tls(into) : receive(into, 0);
}

Connection::Read Connection::peek(std::span<char> into) {
  return receive(into, MSG_PEEK);
}

/// How much of both the kernel takes.
std::size_t Connection::send(std::string_view first, std::string_view second, Outcome& outcome) {
  std::array<iovec, 2> pieces{iovec{const_cast<char*>(first.data()), first.size()},
                              iovec{const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  const ssize_t result = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
  outcome = result < 0 ? from_errno() : Outcome::done;
  return result < 0 ? 0 : static_cast<std::size_t>(result);
}

Connection::Outcome Connection::write(std::string_view first, std::string_view second) {
  if (ssl_) {  // one record for both
    unsent_ += first;
    unsent_ += second;
    return flush();
  }
  std::size_t sent = 0;
  if (unsent_.empty()) {
    Outcome outcome = Outcome::done;
    sent = send(first, second, outcome);
    if (outcome == Outcome::failed) return outcome;
    if (sent == first.size() + second.size()) return Outcome::done;
  }
  const std::size_t of_first = std::min(sent, first.size());
  unsent_ += first.substr(of_first);
  unsent_ += second.substr(sent - of_first);
  plan_flush();
  return Outcome::again;
}

Connection::Outcome Connection::flush() {
  std::size_t sent = 0;
  Outcome outcome = Outcome::done;
  while (sent < unsent_.size() && outcome == Outcome::done) {
    const std::string_view rest = std::string_view(unsent_).substr(sent);
    std::size_t step = 0;
    if (tls_failed_) {
      outcome = Outcome::failed;
    } else if (ssl_) {
      ERR_clear_error();
      outcome = tls_outcome(SSL_write_ex(ssl_.get(), rest.data(), rest.size(), &step));
    } else {
      step = send(rest, {}, outcome);
    }
    sent += step;
  }
  if (sent == unsent_.size())
    unsent_ = {};
  else
    unsent_.erase(0, sent);
  plan_flush();
  return outcome == Outcome::end ? Outcome::failed : outcome;
}

// --- The end ---

void Connection::finish_writing() {
  if (ssl_ && !tls_failed_ && handshake_done()) SSL_shutdown(ssl_.get());
  ::shutdown(descriptor_, SHUT_WR);
}

void Connection::close() {
  // After a handshake that failed nothing more is said (U-041).
  if (ssl_ && !tls_failed_ && handshake_done() && unsent_.empty()) SSL_shutdown(ssl_.get());
  shut();
}

void Connection::shut() {
  ssl_.reset();
  if (descriptor_ < 0) return;
  unwatch();
  ::close(std::exchange(descriptor_, -1));
}

Connection::Released Connection::release() {
  assert(unsent_.empty());
  unwatch();
  return {std::exchange(descriptor_, -1), std::move(ssl_)};
}

}  // namespace boshd
