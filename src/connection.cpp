#include "src/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
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

Connection::Read Connection::read(std::span<char> into) {
  const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
  if (got > 0) return {Outcome::done, static_cast<std::size_t>(got)};
  if (got == 0) return {Outcome::end, 0};
  return {from_errno(), 0};
}

Connection::Outcome Connection::write(std::string_view first, std::string_view second) {
  std::size_t sent = 0;
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
  if (unsent_.empty()) return Outcome::done;
  const ssize_t result = ::send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (result < 0) return from_errno();
  if (static_cast<std::size_t>(result) == unsent_.size()) {
    unsent_ = {};
    return Outcome::done;
  }
  unsent_.erase(0, static_cast<std::size_t>(result));
  return Outcome::again;
}

void Connection::finish_writing() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Connection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

int Connection::release() {
  assert(unsent_.empty());
  return socket_.release();
}

}  // namespace boshd
