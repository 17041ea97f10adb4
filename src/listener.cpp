#include "src/listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace boshd {

namespace {

constexpr int backlog = 4096;  // thousands of clients that come back at once after a restart

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
};

SocketAddress resolve(const Listen& listen) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(listen.host.c_str(), std::to_string(listen.port).c_str(), &hints, &found);
  if (error != 0) throw std::runtime_error("can't listen on '" + listen.host + "': " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(found, ::freeaddrinfo);
  SocketAddress address;
  std::memcpy(&address.bytes, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  return address;
}

std::string print(const Listen& listen, unsigned port) {
  const bool v6 = listen.host.find(':') != std::string::npos;
  return (v6 ? "[" + listen.host + "]" : listen.host) + ":" + std::to_string(port);
}

[[noreturn]] void fail(const Listen& listen) {
  const int error = errno;
  std::string message = "can't listen on " + print(listen, listen.port) + ": " + std::strerror(error);
  if (error == EADDRINUSE) message += "; stop what listens there, or choose another address under [[listen]]";
  throw std::runtime_error(message);
}

int bind_socket(const Listen& listen, SocketAddress& address, bool shared) {
  const int descriptor = ::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) fail(listen);
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(descriptor, address.get(), address.size) == 0) return descriptor;
  const int error = errno;
  ::close(descriptor);
  errno = error;
  fail(listen);
}

unsigned port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

// Sockets that share a port would share it with another boshd too, unnoticed. A socket that doesn't share
// finds out; it also chooses the port when any free one is wanted.
Listening open_listener(const Listen& listen, unsigned count) {
  SocketAddress address = resolve(listen);
  const int probe = bind_socket(listen, address, false);
  ::getsockname(probe, address.get(), &address.size);
  ::close(probe);
  Listening listening{print(listen, port_of(address.bytes)), {}};
  for (unsigned i = 0; i < count; ++i) {
    const int descriptor = bind_socket(listen, address, true);
    if (::listen(descriptor, backlog) != 0) fail(listen);
    listening.descriptors.push_back(descriptor);
  }
  return listening;
}

}  // namespace boshd
