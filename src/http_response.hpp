// HTTP response heads as bytes. Every answer has the CORS headers, `no-store` and `nosniff` (D-023, D-039,
// D-103).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/http_request.hpp"
#include "src/log/access_log.hpp"

namespace boshd {

/// What decides a response's head beside its status and type.
struct HttpContext {
  bool keep_alive = true;
  unsigned version = 11;       // of the request: HTTP/1.0 gets `Connection: keep-alive` echoed (B-023)
  std::string allowed_origin;  // value of Access-Control-Allow-Origin; empty: the origin is not allowed
  bool vary_origin = false;    // the value depends on the request (D-025)
  bool credentials = false;    // the page may send cookies (D-028)
  bool script = false;         // the answer calls a function (XEP-0252)
  bool gzip = false;           // the client takes compressed answers
  bool cacheable = false;      // by anybody, for an hour
  std::shared_ptr<const AccessEntry> access{};  // if there is an access log
};

/// The origins that may use the endpoint: "*" or exact origins; decides by the request's Origin header
/// (D-024..D-028). A request without Origin is always allowed. `allowed` is false when an origin was given
/// and is not in the list.
struct OriginVerdict {
  bool allowed = true;
  std::string header;
  bool vary = false;
  bool credentials = false;
};
OriginVerdict check_origin(const std::vector<std::string>& origins, std::string_view origin,
                           bool credentials = false);

/// The context of the answer to a request.
HttpContext make_context(const HttpRequest&, const OriginVerdict&);

/// The head of a response whose body has `length` bytes, up to and with the empty line. `extra` is whole
/// header lines with CRLF each. Status 204 has no Content-Length (D-038). Appends to `out`.
void append_head(std::string& out, const HttpContext&, unsigned status, std::string_view content_type,
                 std::size_t length, std::string_view extra = {});

/// A whole short answer as text/plain with the status' reason as body (D-085); for HEAD without the body.
std::string simple_response(const HttpContext&, unsigned status, std::string_view text,
                            std::string_view extra = {}, bool head_only = false);

/// The answer to OPTIONS: 204 with Allow and, for a preflight, the CORS headers (D-021, D-022).
std::string options_response(const HttpContext&, const HttpRequest&, std::string_view allow);

std::string_view reason_phrase(unsigned status);

}  // namespace boshd
