// The PROXY protocol, versions 1 and 2: a connection's first bytes tell whose it is. No socket in it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "src/config.hpp"
#include "src/forwarding.hpp"

namespace boshd {

/// What a header says. Nothing of an address: it speaks for the proxy itself, as in a health check, or of a
/// family that has none here (U-126..U-128).
struct ProxyOrigin {
  std::optional<Endpoint> source;
  std::optional<Endpoint> destination;
  bool tls = false;  // the client spoke TLS with the proxy
};

/// Reads one header, in pieces.
class ProxyHeaderReader {
 public:
  enum class State { reading, complete, failed };

  /// Takes bytes; returns how many of them belong to the header.
  std::size_t read(std::string_view bytes);
  State state() const { return state_; }
  const ProxyOrigin& origin() const { return origin_; }

 private:
  std::size_t wanted() const;
  void take_line();
  void take_binary();

  std::string bytes_;
  State state_ = State::reading;
  ProxyOrigin origin_;
};

/// The header for a connection of `source`, which reached us at `destination` (U-109..U-119). Empty for
/// ProxyHeader::none.
std::string proxy_header(ProxyHeader, const Endpoint& source, const Endpoint& destination);

}  // namespace boshd
