// Addresses as the kernel has them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "src/address.hpp"
#include "src/forwarding.hpp"

namespace boshd {

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = sizeof bytes;

  SocketAddress() = default;
  /// IPv4 for an address that is one.
  SocketAddress(const Address&, std::uint16_t port);
  /// Of a Unix socket; what doesn't fit of the path is cut off.
  explicit SocketAddress(const std::string& path);

  int family() const { return bytes.ss_family; }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
  /// Without address and port if it is not an IP address.
  Endpoint endpoint() const;
};

}  // namespace boshd
