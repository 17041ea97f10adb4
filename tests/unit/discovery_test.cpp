// Host metadata: what it says, to whom, and in which form (XEP-0156, RFC 6415).
#include "src/discovery.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace boshd;

namespace {

const Endpoints both{"https://cm.example/http-bind", "wss://cm.example/ws", false};

std::string ask(std::string_view target, Method method = Method::get, std::string_view accept = {},
                const Endpoints& endpoints = both, std::string_view known = {}) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.accept = accept;
  request.if_none_match = known;
  HttpContext context;
  context.vary_origin = true;  // of a list of origins that does not count here
  BOOST_CHECK(is_host_meta(request));
  return host_meta_response(request, context, endpoints);
}

constexpr std::string_view xrd = "/.well-known/host-meta";
constexpr std::string_view jrd = "/.well-known/host-meta.json";

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

Endpoints made(std::string_view host, bool tls, const Config& config = {}) {
  Client client;
  client.host = host;
  client.tls = tls;
  return endpoints_of(config, Listen{}, client);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(discovery)

BOOST_AUTO_TEST_CASE(D_001_D_006_D_014_the_XRD_has_a_link_for_each_endpoint) {
  BOOST_CHECK_EQUAL(host_meta_xrd(both),
                    "<?xml version='1.0' encoding='UTF-8'?>\n"
                    "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
                    "  <Link rel='urn:xmpp:alt-connections:xbosh' href='https://cm.example/http-bind'/>\n"
                    "  <Link rel='urn:xmpp:alt-connections:websocket' href='wss://cm.example/ws'/>\n"
                    "</XRD>\n");
  BOOST_CHECK(!has(host_meta_xrd({"https://a&b.example/", "", false}), "websocket"));
  BOOST_CHECK(has(host_meta_xrd({"https://a&b.example/", "", false}), "a&amp;b"));
}

BOOST_AUTO_TEST_CASE(D_016_the_JRD_says_the_same) {
  BOOST_CHECK_EQUAL(
      host_meta_jrd(both),
      R"({"links":[{"rel":"urn:xmpp:alt-connections:xbosh","href":"https://cm.example/http-bind"},)"
      R"({"rel":"urn:xmpp:alt-connections:websocket","href":"wss://cm.example/ws"}]})"
      "\n");
  BOOST_CHECK_EQUAL(host_meta_jrd({"", "wss://cm.example/ws", false}),
                    R"({"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://cm.example/ws"}]})"
                    "\n");
}

BOOST_AUTO_TEST_CASE(D_002_D_011_D_012_each_form_has_its_path_and_type) {
  BOOST_CHECK(has(ask(xrd), "\r\nContent-Type: application/xrd+xml; charset=utf-8\r\n"));
  BOOST_CHECK(ask(xrd).ends_with(host_meta_xrd(both)));
  BOOST_CHECK(has(ask(jrd), "\r\nContent-Type: application/json\r\n"));
  BOOST_CHECK(ask(jrd).ends_with(host_meta_jrd(both)));
}

BOOST_AUTO_TEST_CASE(D_013_who_accepts_JSON_gets_it_under_the_first_path_too) {
  const std::string answer = ask(xrd, Method::get, "application/json");
  BOOST_CHECK(has(answer, "Content-Type: application/json\r\n"));
  BOOST_CHECK(has(answer, "\r\nVary: Accept\r\n"));
  BOOST_CHECK(has(ask(xrd), "\r\nVary: Accept\r\n"));
  BOOST_CHECK(has(ask(xrd, Method::get, "application/xrd+xml"), "application/xrd+xml"));
}

BOOST_AUTO_TEST_CASE(D_017_every_page_may_read_it) {
  for (const Method method : {Method::get, Method::head, Method::options, Method::post}) {
    BOOST_CHECK(has(ask(xrd, method), "\r\nAccess-Control-Allow-Origin: *\r\n"));
    BOOST_CHECK(!has(ask(xrd, method), "Vary: Origin"));
  }
}

BOOST_AUTO_TEST_CASE(D_018_a_host_that_is_not_served_has_none) {
  Config config;
  config.upstream.domains = {"chat.example"};
  config.discovery.bosh_url = both.bosh;
  BOOST_CHECK(made("other.example", false, config).bosh.empty());
  for (const auto* host : {"chat.example", "Chat.Example", "chat.example:443"})
    BOOST_CHECK_EQUAL(made(host, false, config).bosh, both.bosh);
  BOOST_CHECK(ask(xrd, Method::get, {}, {}).starts_with("HTTP/1.1 404 "));
}

BOOST_AUTO_TEST_CASE(
    D_003_D_010_W_084_W_085_without_configuration_a_proxy_that_speaks_TLS_shows_the_address) {
  const Endpoints shown = made("chat.example", true);
  BOOST_CHECK_EQUAL(shown.bosh, "https://chat.example/http-bind");
  BOOST_CHECK_EQUAL(shown.websocket, "wss://chat.example/xmpp-websocket");
  const Endpoints none = made("chat.example", false);
  BOOST_CHECK(none.bosh.empty() && none.websocket.empty());
  for (const auto* evil : {"a\"b", "a<b", "a b", "a/b", ""}) BOOST_CHECK(made(evil, true).websocket.empty());
}

BOOST_AUTO_TEST_CASE(no_cache_gives_one_client_what_another_has_asked_for) {
  Endpoints shown = made("chat.example", true);
  BOOST_CHECK(
      has(ask(jrd, Method::get, {}, shown), "Vary: Forwarded, X-Forwarded-Host, X-Forwarded-Proto\r\n"));
  BOOST_CHECK(!has(ask(jrd), "Vary"));
}

BOOST_AUTO_TEST_CASE(D_019_it_may_be_cached_and_is_not_sent_twice) {
  const std::string first = ask(xrd);
  BOOST_CHECK(has(first, "\r\nCache-Control: public, max-age=3600\r\n"));
  const auto at = first.find("ETag: ") + 6;
  const std::string tag = first.substr(at, first.find('\r', at) - at);
  const std::string again = ask(xrd, Method::get, {}, both, "W/\"x\", " + tag);
  BOOST_CHECK(again.starts_with("HTTP/1.1 304 "));
  BOOST_CHECK(again.ends_with("\r\n\r\n"));
  BOOST_CHECK(has(again, "ETag: " + tag));
  const std::string head = ask(xrd, Method::head);
  BOOST_CHECK(head.ends_with("\r\n\r\n"));
  BOOST_CHECK(has(head, "Content-Length: " + std::to_string(host_meta_xrd(both).size())));
  const std::string post = ask(xrd, Method::post);
  BOOST_CHECK(post.starts_with("HTTP/1.1 405 "));
  BOOST_CHECK(has(post, "Allow: GET, HEAD, OPTIONS\r\n"));
}

BOOST_AUTO_TEST_SUITE_END()
