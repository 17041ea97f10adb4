// Listening sockets: one for each thread on every configured address, so that the kernel spreads the
// connections.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/config.hpp"
#include "src/forwarding.hpp"

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

/// The ends of a connection that was accepted; nothing if it is gone already.
std::optional<Peer> peer_of(int descriptor);

}  // namespace boshd
