// Listening sockets: one for each thread on every configured address, so that the kernel spreads the
// connections.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/config.hpp"

namespace boshd {

/// The descriptors of one address, all on the same port.
struct Listening {
  std::string address;  // with the real port, "127.0.0.1:5280" or "[::1]:5280"
  std::vector<int> descriptors;
};

/// Throws std::runtime_error that names the address and what to do when it can't be had, also when another
/// process listens there.
Listening open_listener(const Listen&, unsigned count);

}  // namespace boshd
