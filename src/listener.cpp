#include "src/listener.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "src/log/log.hpp"
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
  if (error != 0)
    throw std::runtime_error(to_string(listen.written) + "can't listen on '" + listen.host +
                             "': " + ::gai_strerror(error));
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
  std::string message = to_string(listen.written) + "can't listen on " + print(listen, listen.port) + ": " +
                        std::strerror(error);
  if (error == EADDRINUSE) message += "; stop what listens there, or write another address";
  if (error == EADDRNOTAVAIL) message += "; write an address of this machine, or [::] for all of them";
  if (error == EACCES && listen.unix_path.empty())
    message += "; a port below 1024 needs AmbientCapabilities=CAP_NET_BIND_SERVICE, or a systemd socket";
  if (error == EACCES && !listen.unix_path.empty())
    message += "; let the user that boshd runs as write there";
  if (error == ENOENT) message += "; make the folder first";
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
  std::vector<int> all;
  while (all.size() < count) all.push_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  return all;
}

/// An inherited socket is the service manager's, too, and goes on.
bool is_own_tcp(const Listen& listen) {
  return listen.unix_path.empty() && listen.inherited.empty();
}

void close_all(const std::vector<int>& descriptors) {
  for (const int descriptor : descriptors) ::close(descriptor);
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
  if (::bind(descriptor, address.get(), address.size) != 0 || ::listen(descriptor, backlog) != 0) {
    const int error = errno;
    ::close(descriptor);
    errno = error;
    fail(listen);
  }
  ::chmod(listen.unix_path.c_str(), 0666);  // its folder decides who may come
  std::vector<int> all = copies(descriptor, count);
  ::close(descriptor);
  return {"unix:" + listen.unix_path, std::move(all)};
}

/// The names of the descriptors that the process was started with, the first of which is
/// SD_LISTEN_FDS_START.
std::vector<std::string> inherited_names() {
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(0, &names);
  std::vector<std::string> all;
  for (int i = 0; i < count && names; ++i) all.emplace_back(names[i]);
  for (int i = 0; i < count && names; ++i) std::free(names[i]);
  std::free(names);
  return all;
}

/// The original stays open: what connects while nobody here listens waits for a reload, or for the next
/// process.
Listening take_inherited(const Listen& listen, unsigned count) {
  const std::vector<std::string> names = inherited_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != listen.inherited) continue;
    const int descriptor = SD_LISTEN_FDS_START + static_cast<int>(i);
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    return {"inherited:" + listen.inherited, copies(descriptor, count)};
  }
  throw std::runtime_error(to_string(listen.written) + "can't listen on inherited:" + listen.inherited +
                           ": no descriptor of that name was handed to the process; with systemd, set "
                           "FileDescriptorName=" +
                           listen.inherited + " in the socket unit");
}

}  // namespace

// Sockets that share a port would share it with another boshd too, unnoticed. A socket that doesn't share
// finds out; it also chooses the port when any free one is wanted. It would find our own, too.
Listening open_listener(const Listen& listen, unsigned count, bool ours) {
  if (!listen.unix_path.empty()) return open_unix(listen, count);
  if (!listen.inherited.empty()) return take_inherited(listen, count);
  SocketAddress address = resolve(listen);
  if (!ours) {
    const int probe = bind_socket(listen, address, false);
    ::getsockname(probe, address.get(), &address.size);
    ::close(probe);
  }
  Listening listening{print(listen, address.endpoint().port), {}};
  try {
    for (unsigned i = 0; i < count; ++i) {
      listening.descriptors.push_back(bind_socket(listen, address, true));
      if (::listen(listening.descriptors.back(), backlog) != 0) fail(listen);
    }
  } catch (...) {
    close_all(listening.descriptors);
    throw;
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

/// Only TCP has a handshake that a closed socket would cut: its first segments are dropped from now on, the
/// others still come in. A client that is dropped tries again in a second, and is refused then, or finds
/// another listener.
void Acceptor::retire(const Listen& listen) {
  sock_filter no_more[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},     // the flags of the segment
      {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x12},  // SYN, ACK
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x02},  // SYN alone?
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},
  };
  const sock_fprog program{std::size(no_more), no_more};
  if (is_own_tcp(listen)) ::setsockopt(descriptor_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void Acceptor::resume(const Listen& listen) {
  const int unused = 0;
  if (is_own_tcp(listen)) ::setsockopt(descriptor_, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
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
