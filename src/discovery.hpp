// How clients find the endpoints: host metadata of the XMPP domain (XEP-0156, RFC 6415). No socket in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/config.hpp"
#include "src/forwarding.hpp"
#include "src/http_request.hpp"
#include "src/http_response.hpp"

namespace boshd {

/// Public addresses, https and wss only (D-003); empty: not to be told.
struct Endpoints {
  std::string bosh;
  std::string websocket;
  bool from_request = false;  // one of them at least; no cache may then give it to others
};

/// Those of the configuration; without them what the request shows, if it came by TLS.
/// None for a host whose domain is not served.
Endpoints endpoints_of(const Config&, const Listen&, const Client&);

/// Whether the request is for the metadata, in either form.
bool is_host_meta(const HttpRequest&);

/// The answer to such a request.
std::string host_meta_response(const HttpRequest&, const HttpContext&, const Endpoints&);

/// The documents themselves: XRD (RFC 6415 §2) and JRD (RFC 6415, appendix A).
std::string host_meta_xrd(const Endpoints&);
std::string host_meta_jrd(const Endpoints&);

}  // namespace boshd
