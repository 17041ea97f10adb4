// Whom a request speaks for: the client behind trusted proxies.
#include "src/forwarding.hpp"

#include <boost/test/unit_test.hpp>

namespace boshd {
namespace {

Address ip(std::string_view text) {
  const auto address = parse_ip(text);
  BOOST_REQUIRE_MESSAGE(address, text);
  return *address;
}

std::vector<Network> networks(std::initializer_list<std::string_view> texts) {
  std::vector<Network> result;
  for (const auto text : texts) result.push_back(parse_network(text).value());
  return result;
}

/// The client behind a peer, with the given X-Forwarded-For and trusted networks.
std::string client(std::string_view peer, std::string_view list,
                   std::initializer_list<std::string_view> trusted) {
  return to_string(client_address(ip(peer), list, ForwardingHeader::x_forwarded, networks(trusted)));
}

/// The same with a Forwarded header of the trusted 127.0.0.1.
std::string client_of_standard(std::string_view list) {
  return to_string(client_address(ip("127.0.0.1"), list, ForwardingHeader::forwarded,
                                  networks({"127.0.0.1", "10.0.0.0/8"})));
}

HttpRequest both_families() {
  HttpRequest request;
  request.host = "inner.example";
  request.forwarded = "for=192.0.2.1;proto=https;host=standard.example";
  request.x_forwarded_for = "192.0.2.2";
  request.x_forwarded_proto = "http";
  request.x_forwarded_host = "x.example";
  return request;
}

Client client_at(std::string_view peer, const HttpRequest& request,
                 ForwardingHeader header = ForwardingHeader::x_forwarded) {
  return client_of({{ip(peer), 4711}, {ip("127.0.0.1"), 80}, false}, request, header,
                   networks({"127.0.0.1"}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forwarding)

BOOST_AUTO_TEST_CASE(D_094_an_untrusted_peer_speaks_for_itself) {
  BOOST_TEST(client("203.0.113.9", "198.51.100.1", {"127.0.0.1"}) == "203.0.113.9");
  BOOST_TEST(client("203.0.113.9", "198.51.100.1", {}) == "203.0.113.9");
}

BOOST_AUTO_TEST_CASE(D_095_the_rightmost_untrusted_address_is_the_client) {
  BOOST_TEST(client("127.0.0.1", "198.51.100.1", {"127.0.0.1"}) == "198.51.100.1");
  BOOST_TEST(client("127.0.0.1", "6.6.6.6, 198.51.100.1", {"127.0.0.1"}) == "198.51.100.1");
  BOOST_TEST(client("127.0.0.1", "6.6.6.6,198.51.100.1 ,\t10.0.0.2", {"127.0.0.1", "10.0.0.0/8"}) ==
             "198.51.100.1");
  BOOST_TEST(client("::1", "[2001:db8::7]:4711", {"::1"}) == "2001:db8::7");
}

BOOST_AUTO_TEST_CASE(D_095_a_list_of_trusted_hops_only_ends_at_its_leftmost) {
  BOOST_TEST(client("127.0.0.1", "10.0.0.1, 10.0.0.2", {"127.0.0.1", "10.0.0.0/8"}) == "10.0.0.1");
}

BOOST_AUTO_TEST_CASE(D_095_what_is_no_address_ends_the_walk) {
  for (const std::string_view list :
       {"", " ", "unknown", "_secret", "6.6.6.6, unknown", "6.6.6.6,", ",", "nonsense"}) {
    BOOST_TEST(client("127.0.0.1", list, {"127.0.0.1"}) == "127.0.0.1", list);
  }
  BOOST_TEST(client("127.0.0.1", "6.6.6.6, , 10.0.0.2", {"127.0.0.1", "10.0.0.0/8"}) == "10.0.0.2");
}

BOOST_AUTO_TEST_CASE(D_100_at_most_20_hops_are_looked_at) {
  std::string list;
  for (int i = 30; i >= 1; --i) list += "10.0.0." + std::to_string(i) + (i > 1 ? ", " : "");
  BOOST_TEST(client("127.0.0.1", list, {"127.0.0.1", "10.0.0.0/8"}) == "10.0.0.20");
}

BOOST_AUTO_TEST_CASE(D_091_D_092_the_standard_header_names_the_client) {
  BOOST_TEST(client_of_standard("for=192.0.2.1") == "192.0.2.1");
  BOOST_TEST(client_of_standard("FOR = \"192.0.2.1:80\" ; proto=http") == "192.0.2.1");
  BOOST_TEST(client_of_standard("for=6.6.6.6, for=\"[2001:db8::1]:80\";by=10.0.0.1, for=10.0.0.2") ==
             "2001:db8::1");
  for (const std::string_view hidden : {"for=unknown", "for=_secret", "proto=https", "6.6.6.6", "for=", ""})
    BOOST_TEST(client_of_standard(hidden) == "127.0.0.1", hidden);
}

BOOST_AUTO_TEST_CASE(D_095_a_quote_that_a_client_left_open_does_not_hide_what_the_proxy_added) {
  BOOST_TEST(client_of_standard("for=\"6.6.6.6, for=192.0.2.1") == "192.0.2.1");
  BOOST_TEST(client_of_standard("for=6.6.6.6, for=\"192.0.2.1, x\"") == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(D_096_D_099_B_207_only_the_configured_family_of_headers_is_read) {
  const Client x = client_at("127.0.0.1", both_families());
  BOOST_TEST(x.proxied);
  BOOST_TEST(to_string(x.remote.address) == "192.0.2.2");
  BOOST_TEST(!x.tls);
  BOOST_TEST(x.host == "x.example");
  const Client standard = client_at("127.0.0.1", both_families(), ForwardingHeader::forwarded);
  BOOST_TEST(to_string(standard.remote.address) == "192.0.2.1");
  BOOST_TEST(standard.tls);
  BOOST_TEST(standard.host == "standard.example");
  HttpRequest forged = both_families();  // the proxy has passed a client's Forwarded on
  forged.x_forwarded_proto.clear();
  forged.x_forwarded_host.clear();
  BOOST_TEST(!client_at("127.0.0.1", forged).tls);
  BOOST_TEST(client_at("127.0.0.1", forged).host == "inner.example");
}

BOOST_AUTO_TEST_CASE(D_094_D_099_who_is_not_trusted_claims_nothing) {
  for (const auto header : {ForwardingHeader::x_forwarded, ForwardingHeader::forwarded}) {
    const Client client = client_at("203.0.113.9", both_families(), header);
    BOOST_TEST(!client.proxied);
    BOOST_TEST(!client.tls);
    BOOST_TEST(to_string(client.remote.address) == "203.0.113.9");
    BOOST_TEST(client.host == "inner.example");
  }
}

BOOST_AUTO_TEST_CASE(D_099_without_a_word_of_the_proxy_the_listener_decides) {
  HttpRequest request;
  request.x_forwarded_for = "192.0.2.2";
  const Peer peer{{ip("127.0.0.1"), 4711}, {ip("127.0.0.1"), 443}, true};
  BOOST_TEST(client_of(peer, request, ForwardingHeader::x_forwarded, networks({"127.0.0.1"})).tls);
  request.x_forwarded_proto = "https, http";  // the nearest proxy was spoken to without
  BOOST_TEST(!client_of(peer, request, ForwardingHeader::x_forwarded, networks({"127.0.0.1"})).tls);
}

BOOST_AUTO_TEST_CASE(D_102_a_proxy_on_a_unix_socket_is_believed_if_the_configuration_says_so) {
  HttpRequest request;
  request.x_forwarded_for = "192.0.2.2";
  const Peer unix_peer{};
  const auto ask = [&](const std::vector<Network>& trusted) {
    return client_of(unix_peer, request, ForwardingHeader::x_forwarded, trusted).proxied;
  };
  BOOST_TEST(!ask(networks({"127.0.0.1", "::1"})));
  BOOST_TEST(ask({Network{}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
