#include "tests/bench/wire.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace bench {

namespace {

std::vector<char> buffer(256 * 1024);

SSL_CTX* context() {
  static SSL_CTX* const made = [] {
    SSL_CTX* fresh = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(fresh, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return fresh;
  }();
  return made;
}

}  // namespace

Wire::Wire(Loop& loop, const Target& target, std::uint32_t source, std::function<void(std::string&)> heard)
    : descriptor_(connect_to(target.port, source)), heard_(std::move(heard)) {
  if (target.tls) {
    ssl_.reset(SSL_new(context()));
    SSL_set_fd(ssl_.get(), descriptor_);
    SSL_set_connect_state(ssl_.get());
  }
  loop.add(descriptor_, EPOLLIN | EPOLLOUT | EPOLLET, *this);
}

Wire::~Wire() {
  ::close(descriptor_);
}

void Wire::say(std::string_view bytes) {
  out_ += bytes;
  flush();
}

void Wire::hang_up() {
  closed_ = true;
  ::shutdown(descriptor_, SHUT_RDWR);
}

void Wire::flush() {
  while (!out_.empty() && !closed_) {
    const auto sent = ssl_ ? SSL_write(ssl_.get(), out_.data(), static_cast<int>(out_.size()))
                           : ::send(descriptor_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    out_.erase(0, static_cast<std::size_t>(sent));
  }
}

/// How many bytes came; 0: none for now.
long Wire::receive() {
  if (ssl_) {
    const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    const int error = got > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), got);
    closed_ = got <= 0 && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
    return std::max(got, 0);
  }
  const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  closed_ = got == 0 || (got < 0 && errno != EAGAIN && errno != ENOTCONN);
  return std::max<ssize_t>(got, 0);
}

void Wire::on_event(std::uint32_t) {
  flush();
  for (bool more = true; more && !closed_;) {
    const long got = receive();
    in_.append(buffer.data(), static_cast<std::size_t>(got));
    // A short read has emptied the socket; TLS may have another record.
    more = ssl_ ? got > 0 : got == static_cast<long>(buffer.size());
  }
  if (ssl_) flush();
  if (!in_.empty() || closed_) heard_(in_);
}

}  // namespace bench
