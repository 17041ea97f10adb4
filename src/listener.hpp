// Listening sockets: one for each thread on every configured address, so that the kernel spreads the
// connections.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "src/config.hpp"
#include "src/forwarding.hpp"
#include "src/loop.hpp"

namespace boshd {

/// The descriptors of one address, all on the same port.
struct Listening {
  std::string address;  // with the real port, "127.0.0.1:5280" or "[::1]:5280"
  std::vector<int> descriptors;
};

/// Throws std::runtime_error that names the address and what to do when it can't be had, also when another
/// process listens there.
Listening open_listener(const Listen&, unsigned count);
/// Removes what the listener has left in the file system.
void clean_up(const Listen&);

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
