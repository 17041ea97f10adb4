#include "src/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cassert>
#include <cerrno>

namespace boshd {

namespace {

Connection::Outcome from_errno() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Connection::Outcome::again
                                                                   : Connection::Outcome::failed;
}

}  // namespace

Connection::Connection(Socket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  const int on = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof on);  // fails on a Unix socket: fine
}

Connection::Connection(Socket socket, Ssl ssl) : socket_(std::move(socket)), ssl_(std::move(ssl)) {}

// --- TLS ---

void Connection::start_tls(Ssl ssl) {
  ssl_ = std::move(ssl);
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) tls_failed_ = true;
}

bool Connection::handshake_done() const {
  return !ssl_ || SSL_is_init_finished(ssl_.get());
}

Connection::Outcome Connection::handshake() {
  if (tls_failed_) return Outcome::failed;
  ERR_clear_error();
  return tls_outcome(SSL_do_handshake(ssl_.get()));
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

Connection::Read Connection::read_tls(std::span<char> into) {
  if (tls_failed_) return {Outcome::failed, 0};
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  return {tls_outcome(result), got};
}

// --- Bytes ---

Connection::Read Connection::read(std::span<char> into) {
  if (ssl_ || tls_failed_) return read_tls(into);
  const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
  if (got > 0) return {Outcome::done, static_cast<std::size_t>(got)};
  if (got == 0) return {Outcome::end, 0};
  return {from_errno(), 0};
}

Connection::Read Connection::peek(std::span<char> into) {
  const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_PEEK);
  if (got > 0) return {Outcome::done, static_cast<std::size_t>(got)};
  if (got == 0) return {Outcome::end, 0};
  return {from_errno(), 0};
}

Connection::Outcome Connection::write(std::string_view first, std::string_view second) {
  std::size_t sent = 0;
  if (ssl_) {  // one record for both
    unsent_ += first;
    unsent_ += second;
    return flush();
  }
  if (unsent_.empty()) {
    std::array<iovec, 2> pieces{iovec{const_cast<char*>(first.data()), first.size()},
                                iovec{const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t result = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (result < 0 && from_errno() == Outcome::failed) return Outcome::failed;
    if (result > 0) sent = static_cast<std::size_t>(result);
    if (sent == first.size() + second.size()) return Outcome::done;
  }
  const std::size_t of_first = std::min(sent, first.size());
  unsent_ += first.substr(of_first);
  unsent_ += second.substr(sent - of_first);
  return Outcome::again;
}

Connection::Outcome Connection::flush() {
  std::size_t sent = 0;
  Outcome outcome = Outcome::done;
  while (sent < unsent_.size() && outcome == Outcome::done) {
    std::size_t step = 0;
    if (ssl_) {
      ERR_clear_error();
      outcome =
          tls_failed_
              ? Outcome::failed
              : tls_outcome(SSL_write_ex(ssl_.get(), unsent_.data() + sent, unsent_.size() - sent, &step));
    } else {
      const ssize_t result =
          ::send(socket_.native_handle(), unsent_.data() + sent, unsent_.size() - sent, MSG_NOSIGNAL);
      if (result < 0) outcome = from_errno();
      step = result < 0 ? 0 : static_cast<std::size_t>(result);
    }
    sent += step;
  }
  if (sent == unsent_.size())
    unsent_ = {};
  else
    unsent_.erase(0, sent);
  return outcome == Outcome::end ? Outcome::failed : outcome;
}

// --- The end ---

void Connection::finish_writing() {
  boost::system::error_code ignored;
  if (ssl_ && !tls_failed_ && handshake_done()) SSL_shutdown(ssl_.get());
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Connection::close() {
  boost::system::error_code ignored;
  // After a handshake that failed nothing more is said (U-041).
  if (ssl_ && !tls_failed_ && handshake_done() && unsent_.empty()) SSL_shutdown(ssl_.get());
  ssl_.reset();
  socket_.close(ignored);
}

Connection::Released Connection::release() {
  assert(unsent_.empty());
  return {socket_.release(), std::move(ssl_)};
}

}  // namespace boshd
