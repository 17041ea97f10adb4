#include "tests/integration/wire.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace integration {

namespace {

bool wait(int descriptor, short events, std::chrono::milliseconds limit = patience) {
  pollfd entry{descriptor, events, 0};
  return ::poll(&entry, 1, static_cast<int>(limit.count())) == 1;
}

std::string error_text() {
  return std::strerror(errno);
}

}  // namespace

bool wait_readable(int descriptor) {
  return wait(descriptor, POLLIN);
}
bool is_readable(int descriptor) {
  return wait(descriptor, POLLIN, {});
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 600;
  if (text.size() <= most) return std::string(text);
  return std::string(text.substr(0, most)) + "… (" + std::to_string(text.size()) + " bytes)";
}

void Descriptor::close() {
  if (value_ >= 0) ::close(std::exchange(value_, -1));
}

Wire::Wire(Descriptor socket) : socket_(std::move(socket)) {
  const int on = 1;  // no TCP socket: fails, and does not matter
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Wire Wire::connect(std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Failure("connect to port " + std::to_string(port) + ": " + error_text());
  return Wire(std::move(socket));
}

std::size_t Wire::send_some(std::string_view bytes) {
  const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
  throw Failure("send: " + error_text());
}

void Wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t sent = send_some(bytes);
    bytes.remove_prefix(sent);
    if (sent == 0 && !wait(socket_.get(), POLLOUT)) throw Failure("the other end takes nothing");
  }
}

/// False at the end.
bool Wire::read_more(std::string_view wanted) {
  if (!wait(socket_.get(), POLLIN))
    throw Failure("waited in vain for " + std::string(wanted) + "; so far: " + excerpt(buffer_));
  std::array<char, 65536> chunk;
  const auto got = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
  if (got > 0) buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  return got > 0;
}

std::string Wire::read_until(std::string_view mark) {
  std::size_t from = 0;
  for (;;) {
    const auto found = buffer_.find(mark, from);
    if (found != std::string::npos) return read(found + mark.size());
    from = buffer_.size() < mark.size() ? 0 : buffer_.size() - mark.size() + 1;
    if (!read_more(mark))
      throw Failure("closed before " + std::string(mark) + "; so far: " + excerpt(buffer_));
  }
}

std::string Wire::read(std::size_t bytes) {
  while (buffer_.size() < bytes)
    if (!read_more(std::to_string(bytes) + " bytes")) throw Failure("closed after: " + excerpt(buffer_));
  std::string result = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  return result;
}

std::string Wire::read_to_end() {
  while (read_more("the end")) {
  }
  return std::exchange(buffer_, {});
}

std::optional<std::string> Wire::read_available() {
  while (is_readable(socket_.get()))
    if (!read_more("what is there")) return std::nullopt;
  return std::exchange(buffer_, {});
}

bool Wire::readable_within(std::chrono::milliseconds limit) const {
  return !buffer_.empty() || wait(socket_.get(), POLLIN, limit);
}
bool Wire::writable() const {
  return wait(socket_.get(), POLLOUT, {});
}

void Wire::finish() {
  ::shutdown(socket_.get(), SHUT_WR);
}

void Wire::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Wire::set_send_buffer(int bytes) {
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

}  // namespace integration
