// Sockets, an epoll loop and the kernel's figures, for the programs of the benchmark.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

using Clock = std::chrono::steady_clock;

/// Ends the program with a sentence.
[[noreturn]] void fail(std::string_view what);

/// Who is told when a descriptor is ready.
class Handler {
 public:
  virtual void on_event(std::uint32_t events) = 0;

 protected:
  ~Handler() = default;
};

class Loop {
 public:
  Loop();
  /// Without EPOLLET among the events it is told as long as it is ready.
  void add(int descriptor, std::uint32_t events, Handler&);
  /// Waits for events, at most so long, and tells them.
  void turn(std::chrono::nanoseconds patience);
  /// For good.
  [[noreturn]] void run();

 private:
  int epoll_;
};

/// A listening socket on 127.0.0.1; port 0: any free one.
int listen_on(std::uint16_t port);
std::uint16_t port_of(int descriptor);
/// The next connection, non-blocking and without delay; -1: none waits.
int accept_from(int listener);
/// Begins to connect to a port of 127.0.0.1 from `source`, an address of the loopback network in host order;
/// 0: any.
int connect_to(std::uint16_t port, std::uint32_t source = 0);

/// What a process has used and uses.
std::chrono::nanoseconds cpu_time(pid_t);
std::size_t resident_bytes(pid_t);

/// The text between two others; empty if they aren't there.
std::string_view between(std::string_view text, std::string_view before, std::string_view after);
std::uint64_t number_in(std::string_view text);

}  // namespace bench
