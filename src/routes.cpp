#include "src/routes.hpp"

#include "src/coding.hpp"

namespace boshd {

namespace {

constexpr std::string_view bosh_methods = "GET, HEAD, POST, OPTIONS";
constexpr std::string_view info_page =
    "boshd: this is the BOSH endpoint (XEP-0124) of an XMPP service.\n"
    "Give its address to a chat client such as Converse.js; there is nothing to see in a browser.\n";

Route answer(std::string&& response) {
  return {false, std::move(response)};
}

}  // namespace

std::string_view path_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target.size() > 1 && target.ends_with('/')) target.remove_suffix(1);
  return target;
}

Route route(const HttpRequest& request, const HttpContext& context, const OriginVerdict& origin,
            std::string_view bosh_path) {
  const bool head = request.method == Method::head;
  if (request.target == "*" && request.method == Method::options)
    return answer(options_response(context, request, bosh_methods));
  if (path_of(request.target) != path_of(bosh_path))
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
  if (!origin.allowed) return answer(simple_response(context, 403, "This origin is not allowed here.\n"));
  if (!parse_coding(request.content_encoding))
    return answer(simple_response(context, 415, "Request bodies may be compressed with gzip or deflate.\n",
                                  "Accept-Encoding: " + std::string(codings_of_http) + "\r\n"));
  return {true, {}};
}

}  // namespace boshd
