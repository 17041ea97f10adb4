// Which path and method means what.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/http_request.hpp"
#include "src/http_response.hpp"

namespace boshd {

/// A POST for a BOSH session, the beginning of a WebSocket with the answer to its handshake, or an answer
/// that needs no session.
struct Route {
  bool bosh = false;
  bool websocket = false;
  std::string response{};
  unsigned deflate_bits = 0;    // of the WebSocket
  bool origin_refused = false;  // this page may open no session
};

/// Where things are, and how.
struct Paths {
  std::string_view bosh;
  std::string_view websocket;
  bool compression = false;
};

/// The path without query, and without a slash at its end (D-049).
std::string_view path_of(std::string_view target);

Route route(const HttpRequest&, const HttpContext&, const OriginVerdict&, const Paths&);

}  // namespace boshd
