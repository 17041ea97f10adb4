#include "tests/bench/net.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

namespace bench {

namespace {

constexpr int backlog = 4096;
constexpr int most_events = 256;

sockaddr_in loopback(std::uint32_t address, std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(address);
  at.sin_port = htons(port);
  return at;
}

void check(bool good, std::string_view what) {
  if (!good) fail(std::string(what) + ": " + std::strerror(errno));
}

void without_delay(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

void fail(std::string_view what) {
  std::cerr << what << "\n";
  std::exit(EXIT_FAILURE);
}

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  check(epoll_ >= 0, "epoll_create1");
}

void Loop::add(int descriptor, std::uint32_t events, Handler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
}

void Loop::turn(std::chrono::nanoseconds patience) {
  constexpr std::int64_t second = 1'000'000'000;
  const timespec time{patience.count() / second, patience.count() % second};
  std::array<epoll_event, most_events> events;
  static bool exact = true;  // valgrind doesn't know epoll_pwait2
  int count = exact ? ::epoll_pwait2(epoll_, events.data(), most_events, &time, nullptr) : -1;
  if (count < 0 && exact) exact = errno != ENOSYS;
  if (!exact)
    count = ::epoll_wait(epoll_, events.data(), most_events, static_cast<int>(patience.count() / 1'000'000));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Handler*>(event.data.ptr)->on_event(event.events);
  }
}

void Loop::run() {
  for (;;) turn(std::chrono::hours(1));
}

int listen_on(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in at = loopback(INADDR_LOOPBACK, port);
  check(::bind(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0, "bind");
  check(::listen(descriptor, backlog) == 0, "listen");
  return descriptor;
}

std::uint16_t port_of(int descriptor) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  check(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&at), &size) == 0, "getsockname");
  return ntohs(at.sin_port);
}

int accept_from(int listener) {
  const int descriptor = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) without_delay(descriptor);
  return descriptor;
}

int connect_to(std::uint16_t port, std::uint32_t source) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  check(descriptor >= 0, "socket");
  without_delay(descriptor);
  if (source != 0) {
    const int on = 1;  // the port is chosen when it connects: the same one serves several addresses
    ::setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const sockaddr_in from = loopback(source, 0);
    check(::bind(descriptor, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0, "bind");
  }
  const sockaddr_in to = loopback(INADDR_LOOPBACK, port);
  const int result = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  check(result == 0 || errno == EINPROGRESS, "connect");
  return descriptor;
}

std::chrono::nanoseconds cpu_time(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
    fail("the process under test has ended");
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::size_t resident_bytes(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  std::size_t total = 0;
  std::size_t pages = 0;
  if (!(file >> total >> pages)) fail("the process under test has ended");
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const auto at = text.find(before);
  if (at == text.npos) return {};
  text.remove_prefix(at + before.size());
  const auto end = text.find(after);
  return end == text.npos ? std::string_view() : text.substr(0, end);
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace bench
