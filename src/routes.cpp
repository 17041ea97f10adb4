#include "src/routes.hpp"

#include "src/coding.hpp"
#include "src/handshake.hpp"

namespace boshd {

namespace {

constexpr std::string_view bosh_methods = "GET, HEAD, POST, OPTIONS";
constexpr std::string_view info_page =
    "boshd: this is the BOSH endpoint (XEP-0124) of an XMPP service.\n"
    "Give its address to a chat client such as Converse.js; there is nothing to see in a browser.\n";

Route answer(std::string&& response) {
  return {.response = std::move(response)};
}

/// A GET on the path of the WebSocket; a browser's plain look at a path that serves both is BOSH's.
bool is_handshake(const HttpRequest& request, const Paths& paths) {
  if (path_of(request.target) != path_of(paths.websocket)) return false;
  return request.method == Method::get &&
         (wants_websocket(request) || path_of(paths.bosh) != path_of(paths.websocket));
}

Route websocket_route(const HttpRequest& request, const HttpContext& context, const OriginVerdict& origin,
                      bool compression) {
  Handshake made = shake_hands(request, context, origin, {.xmpp = true, .compression = compression});
  return {.websocket = made.accepted,
          .response = std::move(made.response),
          .deflate_bits = made.deflate_bits,
          .origin_refused = !origin.allowed};
}

/// What a WebSocket's path answers to other methods.
Route websocket_other(const HttpRequest& request, const HttpContext& context, bool head) {
  constexpr std::string_view methods = "GET, HEAD, OPTIONS";
  if (request.method == Method::options) return answer(options_response(context, request, methods));
  if (head) return answer(simple_response(context, 426, {}, "Upgrade: websocket\r\n", true));
  return answer(simple_response(context, 405, "A WebSocket begins with a GET.\n",
                                "Allow: " + std::string(methods) + "\r\n"));
}

}  // namespace

std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
  return target;
}

Route route(const HttpRequest& request, const HttpContext& context, const OriginVerdict& origin,
            const Paths& paths) {
  const bool head = request.method == Method::head;
  if (request.target == "*" && request.method == Method::options)
    return answer(options_response(context, request, bosh_methods));
  if (is_handshake(request, paths)) return websocket_route(request, context, origin, paths.compression);
  if (path_of(request.target) == path_of(paths.websocket) && path_of(paths.bosh) != path_of(paths.websocket))
    return websocket_other(request, context, head);
  if (path_of(request.target) != path_of(paths.bosh))
    return answer(simple_response(context, 404, "Nothing is served under this path.\n", {}, head));
  switch (request.method) {
    case Method::options:
      return answer(options_response(context, request, bosh_methods));
    case Method::get:
    case Method::head:
      return answer(simple_response(context, 200, info_page, {}, head));
    case Method::other:
      return answer(simple_response(context, 405, "BOSH requests are POSTs.\n",
                                    "Allow: " + std::string(bosh_methods) + "\r\n"));
    case Method::post:
      break;
  }
  if (!origin.allowed)
    return {.response = simple_response(context, 403, "This origin is not allowed here.\n"),
            .origin_refused = true};
  if (!parse_coding(request.content_encoding))
    return answer(simple_response(context, 415, "Request bodies may be compressed with gzip or deflate.\n",
                                  "Accept-Encoding: " + std::string(codings_of_http) + "\r\n"));
  return {true, {}};
}

}  // namespace boshd
