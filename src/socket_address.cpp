#include "src/socket_address.hpp"

#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace boshd {

SocketAddress::SocketAddress(const Address& address, std::uint16_t port) {
  if (is_ipv4(address)) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(bytes);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes.data() + 12, 4);
    size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(bytes);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
    size = sizeof v6;
  }
}

SocketAddress::SocketAddress(const std::string& path) {
  auto& local = reinterpret_cast<sockaddr_un&>(bytes);
  local.sun_family = AF_UNIX;
  path.copy(local.sun_path, sizeof local.sun_path - 1);
  size = sizeof local;
}

Endpoint SocketAddress::endpoint() const {
  Endpoint end;
  if (family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(bytes);
    std::memcpy(end.address.bytes.data(), &v6.sin6_addr, 16);
    end.port = ntohs(v6.sin6_port);
  } else if (family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(bytes);
    end.address.bytes[10] = end.address.bytes[11] = 0xff;
    std::memcpy(end.address.bytes.data() + 12, &v4.sin_addr, 4);
    end.port = ntohs(v4.sin_port);
  }
  return end;
}

}  // namespace boshd
