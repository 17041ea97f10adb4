// Whom a request speaks for: what the connection shows, and what trusted proxies say (RFC 7239,
// X-Forwarded-*).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/address.hpp"
#include "src/http_request.hpp"

namespace boshd {

/// The family of headers in which our proxies tell of their clients. The other one is a client's own word and
/// is not read: a proxy that writes one may pass the other on as it came (D-096).
enum class ForwardingHeader { x_forwarded, forwarded };

/// An address and a port; port 0: not known.
struct Endpoint {
  Address address;
  std::uint16_t port = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// The two ends of a client's connection, or of the one to its proxy; from its PROXY header if it has one.
struct Peer {
  Endpoint remote;
  Endpoint local;
  bool tls = false;  // the client speaks TLS with us, or with the proxy that sent the header
};

/// The client of one request.
struct Client {
  Endpoint remote;
  Endpoint local;
  bool tls = false;      // as far as we can know nobody but the proxy has read the request (B-209, D-099)
  bool proxied = false;  // a trusted proxy has said so; its connection may serve anybody
  std::string host;      // what the client asked for
};

/// `trusted`: whose headers are believed.
Client client_of(const Peer&, const HttpRequest&, ForwardingHeader, const std::vector<Network>& trusted);

/// The client's address: from the peer leftwards through the list while the nearest hop is trusted; at most
/// 20 hops are looked at (D-095, D-100). `list` is all lines of the header joined by commas.
Address client_address(const Address& peer, std::string_view list, ForwardingHeader,
                       const std::vector<Network>& trusted);

}  // namespace boshd
