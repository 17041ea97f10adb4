#include "src/listener.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "src/text.hpp"

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
  if (!listen.unix_path.empty()) return "unix:" + listen.unix_path;
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

Endpoint endpoint_of(const sockaddr_storage& address) {
  Endpoint end;
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(end.address.bytes.data(), &v6.sin6_addr, 16);
    end.port = ntohs(v6.sin6_port);
  } else if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    end.address.bytes[10] = end.address.bytes[11] = 0xff;
    std::memcpy(end.address.bytes.data() + 12, &v4.sin_addr, 4);
    end.port = ntohs(v4.sin_port);
  }
  return end;
}

/// One descriptor for each thread, of one socket.
std::vector<int> copies(int descriptor, unsigned count) {
  std::vector<int> all{descriptor};
  while (all.size() < count) all.push_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  return all;
}

// A socket file that nobody listens on is left from a process that died.
Listening open_unix(const Listen& listen, unsigned count) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  listen.unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) fail(listen);
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool left_over = ::connect(probe, generic, sizeof address) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  if (left_over) ::unlink(address.sun_path);
  if (::bind(descriptor, generic, sizeof address) != 0 || ::listen(descriptor, backlog) != 0) fail(listen);
  ::chmod(address.sun_path, 0666);  // its folder decides who may come
  return {"unix:" + listen.unix_path, copies(descriptor, count)};
}

// sd_listen_fds(3): descriptors from 3 on, with names in LISTEN_FDNAMES.
Listening take_inherited(const Listen& listen, unsigned count) {
  const auto value = [](const char* name) {
    const char* found = std::getenv(name);
    return std::string(found ? found : "");
  };
  const std::string all_names = value("LISTEN_FDNAMES");
  std::string_view names = all_names;
  const int there =
      value("LISTEN_PID") == std::to_string(::getpid()) ? std::atoi(value("LISTEN_FDS").c_str()) : 0;
  for (int descriptor = 3; descriptor < 3 + there; ++descriptor) {
    if (cut(names, ":") != listen.inherited) continue;
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    return {"inherited:" + listen.inherited, copies(descriptor, count)};
  }
  throw std::runtime_error("can't listen on inherited:" + listen.inherited +
                           ": no descriptor of that name was handed to the process; with systemd, set "
                           "FileDescriptorName=" +
                           listen.inherited + " in the socket unit");
}

}  // namespace

// Sockets that share a port would share it with another boshd too, unnoticed. A socket that doesn't share
// finds out; it also chooses the port when any free one is wanted.
Listening open_listener(const Listen& listen, unsigned count) {
  if (!listen.unix_path.empty()) return open_unix(listen, count);
  if (!listen.inherited.empty()) return take_inherited(listen, count);
  SocketAddress address = resolve(listen);
  const int probe = bind_socket(listen, address, false);
  ::getsockname(probe, address.get(), &address.size);
  ::close(probe);
  Listening listening{print(listen, endpoint_of(address.bytes).port), {}};
  for (unsigned i = 0; i < count; ++i) {
    const int descriptor = bind_socket(listen, address, true);
    if (::listen(descriptor, backlog) != 0) fail(listen);
    listening.descriptors.push_back(descriptor);
  }
  return listening;
}

void clean_up(const Listen& listen) {
  if (!listen.unix_path.empty()) ::unlink(listen.unix_path.c_str());
}

std::optional<Peer> peer_of(int descriptor) {
  SocketAddress remote;
  SocketAddress local;
  remote.size = local.size = sizeof remote.bytes;
  if (::getpeername(descriptor, remote.get(), &remote.size) != 0) return {};
  if (::getsockname(descriptor, local.get(), &local.size) != 0) return {};
  return Peer{endpoint_of(remote.bytes), endpoint_of(local.bytes), false};
}

}  // namespace boshd
