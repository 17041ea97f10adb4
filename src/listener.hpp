// Listening sockets: one for each thread on every configured address, so that the kernel spreads the
// connections.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "src/config.hpp"
#include "src/forwarding.hpp"
#include "src/loop.hpp"

namespace boshd {

/// Tells listeners apart, through reloads.
using ListenerId = unsigned;

/// The descriptors of one address, all on the same port.
struct Listening {
  std::string address;  // with the real port, "127.0.0.1:5280" or "[::1]:5280"
  std::vector<int> descriptors;
};

/// Throws std::runtime_error that names the address and what to do when it can't be had, also when another
/// process listens there. `ours`: this process listens on that port already, at another address.
Listening open_listener(const Listen&, unsigned count, bool ours = false);
/// Removes what the listener has left in the file system.
void clean_up(const Listen&);

inline constexpr std::chrono::seconds retirement{1};

/// Takes the connections of one listening descriptor.
class Acceptor final : private Watcher {
 public:
  /// Gets a new connection, non-blocking and without delay, and its ends.
  using Welcome = std::function<void(int descriptor, const Peer&)>;
  /// Throws std::system_error.
  Acceptor(Loop&, int listening_descriptor, Welcome);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Before it is closed for good: new clients are turned away, but those that have connected, or are about
  /// to, are taken in. After `retirement` nobody is under way any more.
  void retire(const Listen&);
  void resume(const Listen&);

 private:
  void on_readable() override;
  void on_writable() override {}
  void pause();

  Loop& loop_;
  int descriptor_;
  Welcome welcome_;
  Timer pause_;  // while no descriptors are left
  Loop::Id watched_;
};

}  // namespace boshd
