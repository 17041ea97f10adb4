// How a connection becomes a WebSocket (RFC 6455 §4.2, RFC 7692 §5, RFC 7395 §3.1). No socket in it.
#pragma once

#include <string>
#include <string_view>

#include "src/http_request.hpp"
#include "src/http_response.hpp"

namespace boshd {

struct HandshakeRules {
  bool xmpp = true;          // the client must offer this subprotocol
  bool compression = false;  // permessage-deflate is agreed to when offered
};

/// The answer to a GET for a WebSocket: 101, or an error with a sentence.
struct Handshake {
  std::string response;
  bool accepted = false;
  unsigned deflate_bits = 0;  // the window to compress messages with; 0: they are not compressed
};
Handshake shake_hands(const HttpRequest&, const HttpContext&, const OriginVerdict&, const HandshakeRules&);

/// Whether a request asks for a WebSocket at all.
bool wants_websocket(const HttpRequest&);

}  // namespace boshd
