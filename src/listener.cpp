#include "src/listener.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "src/log.hpp"
#include "src/socket_address.hpp"
#include "src/text.hpp"

namespace boshd {

namespace {

constexpr int most_at_once = 64;  // connections of one address in one turn
constexpr std::chrono::milliseconds accept_pause{100};
constexpr int backlog = 4096;  // thousands of clients that come back at once after a restart

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
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
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

/// One descriptor for each thread, of one socket.
std::vector<int> copies(int descriptor, unsigned count) {
  std::vector<int> all{descriptor};
  while (all.size() < count) all.push_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  return all;
}

// A socket file that nobody listens on is left from a process that died.
Listening open_unix(const Listen& listen, unsigned count) {
  const SocketAddress address(listen.unix_path);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) fail(listen);
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool left_over = ::connect(probe, address.get(), address.size) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  if (left_over) ::unlink(listen.unix_path.c_str());
  if (::bind(descriptor, address.get(), address.size) != 0 || ::listen(descriptor, backlog) != 0)
    fail(listen);
  ::chmod(listen.unix_path.c_str(), 0666);  // its folder decides who may come
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
  Listening listening{print(listen, address.endpoint().port), {}};
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

// --- Connections ---

Acceptor::Acceptor(Loop& loop, int listening_descriptor, Welcome welcome)
    : loop_(loop),
      descriptor_(listening_descriptor),
      welcome_(std::move(welcome)),
      pause_(loop),
      watched_(loop.add(descriptor_, *this)) {
  if (watched_ == 0) throw std::system_error(errno, std::system_category(), "can't watch a listening socket");
  const int on = 1;  // connections have it from their listener; fails on a Unix socket: fine
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  loop_.want_read(watched_, true);
}

Acceptor::~Acceptor() {
  loop_.remove(watched_, descriptor_);
  ::close(descriptor_);
}

/// Some at a time: those who are here already come first.
void Acceptor::on_readable() {
  for (int count = 0; count < most_at_once; ++count) {
    SocketAddress remote;
    SocketAddress local;
    const int peer = ::accept4(descriptor_, remote.get(), &remote.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (peer < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (peer < 0 && errno == EAGAIN) return loop_.note_emptied(watched_);
    if (peer < 0) return pause();
    if (::getsockname(peer, local.get(), &local.size) == 0)
      welcome_(peer, Peer{remote.endpoint(), local.endpoint(), false});
    else
      ::close(peer);
  }
}

void Acceptor::pause() {
  log(LogLevel::warning, "accept-failed", {{"error", std::strerror(errno)}});
  loop_.want_read(watched_, false);
  pause_.start_in(accept_pause, [this] { loop_.want_read(watched_, true); });
}

}  // namespace boshd
