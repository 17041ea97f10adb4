// The beginning of a WebSocket (RFC 6455 §4.2, RFC 7692 §5, RFC 7395 §3.1).
#include "src/handshake.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "src/routes.hpp"

using namespace boshd;

namespace {

HttpRequest good() {
  HttpRequest request;
  request.method = Method::get;
  request.target = "/xmpp-websocket";
  request.upgrade = "websocket";
  request.connection_upgrade = true;
  request.websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";  // the example of RFC 6455 §1.3
  request.websocket_version = "13";
  request.websocket_protocol = "xmpp";
  return request;
}

Handshake shake(const HttpRequest& request, bool compression = false, bool allowed = true) {
  return shake_hands(request, {}, {.allowed = allowed, .header = "*", .vary = false},
                     {.xmpp = true, .compression = compression});
}

unsigned status(const std::string& response) {
  return static_cast<unsigned>(std::stoi(response.substr(9, 3)));
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// The answer's parameters, and the window; "" when the offer is declined.
std::string agreed(std::string_view offer, unsigned* bits = nullptr) {
  HttpRequest request = good();
  request.websocket_extensions = offer;
  const Handshake made = shake(request, true);
  BOOST_CHECK(made.accepted);
  if (bits) *bits = made.deflate_bits;
  constexpr std::string_view name = "\r\nSec-WebSocket-Extensions: ";
  const auto at = made.response.find(name);
  BOOST_CHECK_EQUAL(at == made.response.npos, made.deflate_bits == 0);
  if (at == made.response.npos) return {};
  const auto begin = at + name.size();
  return made.response.substr(begin, made.response.find('\r', begin) - begin);
}

constexpr std::string_view usual =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

}  // namespace

BOOST_AUTO_TEST_SUITE(handshake)

BOOST_AUTO_TEST_CASE(W_007_the_key_is_answered) {
  const Handshake made = shake(good());
  BOOST_CHECK(made.accepted);
  BOOST_CHECK_EQUAL(
      made.response,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(W_003_xmpp_is_picked_out_of_a_list_exactly) {
  for (const auto* list : {"xmpp", "chat, xmpp", "xmpp,chat", "chat ,\txmpp , x"}) {
    HttpRequest request = good();
    request.websocket_protocol = list;
    BOOST_CHECK(has(shake(request).response, "\r\nSec-WebSocket-Protocol: xmpp\r\n"));
  }
}

BOOST_AUTO_TEST_CASE(W_004_a_client_of_another_protocol_is_refused) {
  for (const auto* list : {"", "XMPP", "xmpp2", "chat", "xm pp"}) {
    HttpRequest request = good();
    request.websocket_protocol = list;
    const Handshake made = shake(request);
    BOOST_CHECK(!made.accepted);
    BOOST_CHECK_EQUAL(status(made.response), 400U);
    BOOST_CHECK(has(made.response, "subprotocol xmpp"));
    const Handshake anything = shake_hands(request, {}, {}, {.xmpp = false});
    BOOST_CHECK(anything.accepted);
    BOOST_CHECK(!has(anything.response, "Sec-WebSocket-Protocol"));
  }
}

BOOST_AUTO_TEST_CASE(W_005_what_is_not_a_proper_handshake_is_refused) {
  const auto refused = [](auto&& spoil) {
    HttpRequest request = good();
    spoil(request);
    const Handshake made = shake(request);
    BOOST_CHECK(!made.accepted);
    return status(made.response);
  };
  BOOST_CHECK_EQUAL(refused([](HttpRequest& r) { r.version = 10; }), 400U);
  BOOST_CHECK_EQUAL(refused([](HttpRequest& r) { r.body = "x"; }), 400U);
  BOOST_CHECK_EQUAL(refused([](HttpRequest& r) { r.upgrade = "h2c"; }), 426U);
  BOOST_CHECK_EQUAL(refused([](HttpRequest& r) { r.connection_upgrade = false; }), 426U);
  for (const auto* key : {"", "x", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
                          "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j-Q==", "AAAAAAAAAAAAAAAAAAAAAAAA"})
    BOOST_CHECK_EQUAL(refused([&](HttpRequest& r) { r.websocket_key = key; }), 400U);
  HttpRequest loud = good();
  loud.upgrade = "h2c, WebSocket";
  BOOST_CHECK(shake(loud).accepted);
}

BOOST_AUTO_TEST_CASE(W_006_another_version_is_told_the_right_one) {
  for (const auto* version : {"", "8", "14", "13, 8"}) {
    HttpRequest request = good();
    request.websocket_version = version;
    const Handshake made = shake(request);
    BOOST_CHECK_EQUAL(status(made.response), 426U);
    BOOST_CHECK(has(made.response, "\r\nSec-WebSocket-Version: 13\r\n"));
  }
}

BOOST_AUTO_TEST_CASE(W_008_D_086_only_its_own_path_is_a_websocket) {
  HttpRequest request = good();
  const auto routed = [&](std::string_view target, std::string_view bosh = "/http-bind") {
    request.target = target;
    return route(request, {}, {}, {bosh, "/xmpp-websocket"});
  };
  BOOST_CHECK(routed("/xmpp-websocket").websocket && routed("/xmpp-websocket/?token=1").websocket);
  BOOST_CHECK_EQUAL(status(routed("/elsewhere").response), 404U);
  BOOST_CHECK_EQUAL(status(routed("/http-bind").response), 200U);  // an upgrade that is not served is ignored
  BOOST_CHECK(routed("/xmpp-websocket", "/xmpp-websocket").websocket);
  request.method = Method::post;
  BOOST_CHECK(routed("/xmpp-websocket", "/xmpp-websocket").bosh);
  BOOST_CHECK_EQUAL(status(routed("/xmpp-websocket").response), 405U);
  request.method = Method::options;
  BOOST_CHECK_EQUAL(status(routed("/xmpp-websocket").response), 204U);
  request.method = Method::head;
  BOOST_CHECK_EQUAL(status(routed("/xmpp-websocket").response), 426U);
}

BOOST_AUTO_TEST_CASE(W_009_a_page_of_another_origin_is_refused) {
  BOOST_CHECK_EQUAL(status(shake(good(), false, false).response), 403U);
}

BOOST_AUTO_TEST_CASE(W_010_no_extension_that_was_not_offered) {
  BOOST_CHECK_EQUAL(agreed(""), "");
  BOOST_CHECK_EQUAL(agreed("x-webkit-deflate-frame"), "");
  HttpRequest request = good();
  request.websocket_extensions = "permessage-deflate";
  BOOST_CHECK(!has(shake(request, false).response, "Extensions"));
}

BOOST_AUTO_TEST_CASE(W_100_W_102_W_103_compression_is_agreed_to_without_context_takeover) {
  for (const auto* offer :
       {"permessage-deflate", "permessage-deflate; client_max_window_bits", "foo, permessage-deflate",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; client_max_window_bits=10; server_max_window_bits=15"})
    BOOST_CHECK_EQUAL(agreed(offer), usual);
}

BOOST_AUTO_TEST_CASE(W_101_offers_that_can_t_be_kept_are_declined) {
  for (const auto* offer :
       {"permessage-deflate; unknown", "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; client_max_window_bits=abc", "permessage-deflate; client_max_window_bits=99",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10"})
    BOOST_CHECK_EQUAL(agreed(offer), "");
  BOOST_CHECK_EQUAL(agreed("permessage-deflate; unknown, permessage-deflate"), usual);
}

BOOST_AUTO_TEST_CASE(each_offer_has_its_own_parameters) {
  BOOST_CHECK_EQUAL(agreed("permessage-deflate; unknown, foo"), "");
  BOOST_CHECK_EQUAL(agreed("permessage-deflate; unknown=1, permessage-deflate"), usual);
  BOOST_CHECK_EQUAL(agreed("foo; client_max_window_bits, permessage-deflate"), usual);
  BOOST_CHECK_EQUAL(agreed("permessage-deflate; server_max_window_bits=10, permessage-deflate"),
                    std::string(usual) + "; server_max_window_bits=10");
}

BOOST_AUTO_TEST_CASE(malformed_offers_are_declined) {
  for (const auto* offer : {"permessage-deflate x", "permessage-deflate=1", "permessage-deflate; =1",
                            "permessage-deflate; ;", "permessage-deflate; server_max_window_bits=\"10",
                            "permessage-deflate; server_max_window_bits=\"10\"x",
                            "permessage-deflate; server_max_window_bits=\"10\\\"",
                            "permessage-deflate; client_max_window_bits=\""})
    BOOST_CHECK_EQUAL(agreed(offer), "");
}

BOOST_AUTO_TEST_CASE(quoted_values_are_read_as_if_they_were_not) {
  unsigned bits = 0;
  for (const auto* offer :
       {"permessage-deflate; server_max_window_bits=\"10\"",
        "permessage-deflate;server_max_window_bits = \"1\\0\"",
        "foo; a=\"x, permessage-deflate; b\\\"\", permessage-deflate;\tserver_max_window_bits=10"}) {
    BOOST_CHECK_EQUAL(agreed(offer, &bits), std::string(usual) + "; server_max_window_bits=10");
    BOOST_CHECK_EQUAL(bits, 10U);
  }
  BOOST_CHECK_EQUAL(agreed("permessage-deflate; server_max_window_bits=\" 10\""), "");
  BOOST_CHECK_EQUAL(agreed("permessage-deflate; client_no_context_takeover=\"x\""), "");
  BOOST_CHECK_EQUAL(agreed(" ,, permessage-deflate"), usual);
  BOOST_CHECK_EQUAL(agreed("Permessage-Deflate"), "");
}

BOOST_AUTO_TEST_CASE(W_104_W_105_the_window_is_as_small_as_was_asked) {
  unsigned bits = 0;
  BOOST_CHECK_EQUAL(agreed("permessage-deflate; server_max_window_bits=10", &bits),
                    std::string(usual) + "; server_max_window_bits=10");
  BOOST_CHECK_EQUAL(bits, 10U);
  BOOST_CHECK(!has(agreed("permessage-deflate; client_max_window_bits"), "client_max_window_bits"));
}

BOOST_AUTO_TEST_CASE(W_109_a_window_that_zlib_can_t_make_is_declined) {
  BOOST_CHECK_EQUAL(agreed("permessage-deflate; server_max_window_bits=8"), "");
}

BOOST_AUTO_TEST_SUITE_END()
