#include "src/discovery.hpp"

#include "src/routes.hpp"
#include "src/sha1.hpp"
#include "src/text.hpp"
#include "xml/escape.hpp"

namespace boshd {

namespace {

constexpr std::string_view xrd_path = "/.well-known/host-meta";
constexpr std::string_view jrd_path = "/.well-known/host-meta.json";
constexpr std::string_view xrd_type = "application/xrd+xml; charset=utf-8";
constexpr std::string_view jrd_type = "application/json";
constexpr std::string_view bosh_relation = "urn:xmpp:alt-connections:xbosh";
constexpr std::string_view websocket_relation = "urn:xmpp:alt-connections:websocket";
constexpr std::string_view methods = "GET, HEAD, OPTIONS";

std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  return colon == host.npos || host.ends_with(']') ? host : host.substr(0, colon);
}

/// A host and port as they may stand in an address; whatever else a client sends is not repeated.
bool is_plain_host(std::string_view host) {
  constexpr std::string_view marks = "-._:[]";
  for (const char c : host)
    if (!is_letter(c) && !is_digit(c) && marks.find(c) == marks.npos) return false;
  return !host.empty();
}

/// Configured addresses and paths hold neither quotes nor backslashes.
void append_json_link(std::string& out, std::string_view relation, std::string_view address) {
  if (address.empty()) return;
  if (out.back() == '}') out += ',';
  out += R"({"rel":")";
  out += relation;
  out += R"(","href":")";
  out += address;
  out += R"("})";
}

void append_xml_link(std::string& out, std::string_view relation, std::string_view address) {
  if (address.empty()) return;
  out += "  <Link";
  xml::append_attribute(out, "rel", relation);
  xml::append_attribute(out, "href", address);
  out += "/>\n";
}

}  // namespace

Endpoints endpoints_of(const Config& config, const Listen& listen, const Client& client) {
  const std::string& host = client.host;
  if (!config.upstream.find(without_port(host))) return {};
  Endpoints endpoints{config.discovery.bosh_url, config.discovery.websocket_url, false};
  if (!client.tls || !is_plain_host(host)) return endpoints;
  endpoints.from_request = endpoints.bosh.empty() || endpoints.websocket.empty();
  if (endpoints.bosh.empty()) endpoints.bosh = "https://" + host + listen.bosh_path;
  if (endpoints.websocket.empty()) endpoints.websocket = "wss://" + host + listen.websocket_path;
  return endpoints;
}

bool is_host_meta(const HttpRequest& request) {
  const std::string_view path = path_of(request.target);
  return path == xrd_path || path == jrd_path;
}

std::string host_meta_xrd(const Endpoints& endpoints) {
  std::string out =
      "<?xml version='1.0' encoding='UTF-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n";
  append_xml_link(out, bosh_relation, endpoints.bosh);
  append_xml_link(out, websocket_relation, endpoints.websocket);
  return out + "</XRD>\n";
}

std::string host_meta_jrd(const Endpoints& endpoints) {
  std::string out = R"({"links":[)";
  append_json_link(out, bosh_relation, endpoints.bosh);
  append_json_link(out, websocket_relation, endpoints.websocket);
  return out + "]}\n";
}

std::string host_meta_response(const HttpRequest& request, const HttpContext& given,
                               const Endpoints& endpoints) {
  HttpContext context = given;
  context.allowed_origin = "*";  // D-017
  context.vary_origin = context.credentials = false;
  if (request.method == Method::options) return options_response(context, request, methods);
  if (request.method != Method::get && request.method != Method::head)
    return simple_response(context, 405, "Host metadata is read with GET.\n",
                           "Allow: " + std::string(methods) + "\r\n");
  const bool head = request.method == Method::head;
  if (endpoints.bosh.empty() && endpoints.websocket.empty())
    return simple_response(context, 404, "No secure endpoint is known for this host.\n", {}, head);
  const bool by_path = path_of(request.target) == jrd_path;
  const bool json = by_path || request.accept.find("application/json") != request.accept.npos;  // D-013
  const std::string body = json ? host_meta_jrd(endpoints) : host_meta_xrd(endpoints);
  const std::string tag = '"' + sha1_hex(body).substr(0, 16) + '"';
  std::string extra = "ETag: " + tag + "\r\n";
  if (!by_path) extra += "Vary: Accept\r\n";
  if (endpoints.from_request) extra += "Vary: Forwarded, X-Forwarded-Host, X-Forwarded-Proto\r\n";
  context.cacheable = true;  // D-019
  const bool known = request.if_none_match.find(tag) != request.if_none_match.npos;
  std::string response;
  append_head(response, context, known ? 304 : 200, json ? jrd_type : xrd_type, body.size(), extra);
  if (!head && !known) response += body;
  return response;
}

}  // namespace boshd
