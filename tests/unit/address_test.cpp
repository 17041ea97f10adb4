// Addresses, networks and the client behind trusted proxies.
#include "src/address.hpp"

#include <boost/test/unit_test.hpp>

namespace boshd {
namespace {

using namespace std::literals;

Address ip(std::string_view text) {
  const auto address = parse_ip(text);
  BOOST_REQUIRE_MESSAGE(address, text);
  return *address;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(address)

BOOST_AUTO_TEST_CASE(an_address_is_written_in_its_shortest_form) {
  const std::pair<const char*, const char*> cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"2001:DB8:0:0::1", "2001:db8::1"},
      {"::", "::"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::ffff:c000:201", "192.0.2.1"},
      {"::1", "::1"},
  };
  for (const auto& [text, written] : cases) BOOST_TEST(to_string(ip(text)) == written);
}

BOOST_AUTO_TEST_CASE(brackets_port_and_zone_are_dropped) {
  const std::pair<const char*, const char*> cases[] = {
      {"192.0.2.1", "192.0.2.1"},           {"192.0.2.1:4711", "192.0.2.1"}, {"[2001:db8::1]", "2001:db8::1"},
      {"[2001:db8::1]:443", "2001:db8::1"}, {"2001:db8::1", "2001:db8::1"},  {"fe80::1%eth0", "fe80::1"},
      {"[fe80::1%eth0]:80", "fe80::1"},
  };
  for (const auto& [text, written] : cases) {
    const auto address = parse_address(text);
    BOOST_REQUIRE_MESSAGE(address, text);
    BOOST_TEST(to_string(*address) == written);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_refused) {
  for (const std::string_view text :
       {"",
        "unknown",
        "_hidden",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1:",
        "192.0.2.1:x",
        "192.0.2.1:123456",
        "192.0.2.1%eth0",
        "[192.0.2.1]",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[]",
        "::1]",
        ":::",
        "1:2",
        " ::1",
        "192.0.2.1 ",
        "0x7f.1",
        "\"::1\"",
        "localhost",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff"}) {
    BOOST_TEST(!parse_address(text), text);
  }
  for (const std::string_view text : {"[::1]"sv, "192.0.2.1:80"sv, "fe80::1%eth0"sv, "::1\0"sv, "::1\0x"sv}) {
    BOOST_TEST(!parse_ip(text), text);
  }
}

BOOST_AUTO_TEST_CASE(a_network_contains_its_first_and_last_address_and_not_their_neighbours) {
  struct Case {
    const char *network, *below, *first, *last, *above;
  };
  const Case cases[] = {
      {"10.0.0.0/8", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
      {"192.0.2.128/25", "192.0.2.127", "192.0.2.128", "192.0.2.255", "192.0.3.0"},
      {"192.0.2.7", "192.0.2.6", "192.0.2.7", "192.0.2.7", "192.0.2.8"},
      {"0.0.0.0/0", "::fffe:ffff:ffff", "0.0.0.0", "255.255.255.255", "::1:0:0:0"},
      {"2001:db8::/33", "2001:db7:ffff::", "2001:db8::", "2001:db8:7fff:ffff::", "2001:db8:8000::"},
      {"::1", "::", "::1", "::1", "::2"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.network) {
      const auto network = parse_network(c.network).value();
      BOOST_TEST(!network.contains(ip(c.below)));
      BOOST_TEST(network.contains(ip(c.first)));
      BOOST_TEST(network.contains(ip(c.last)));
      BOOST_TEST(!network.contains(ip(c.above)));
    }
  }
}

BOOST_AUTO_TEST_CASE(D_098_a_mapped_address_belongs_to_its_ipv4_network) {
  BOOST_TEST(parse_network("10.0.0.0/8")->contains(ip("::ffff:10.1.2.3")));
  BOOST_TEST(parse_network("::/0")->contains(ip("10.1.2.3")));
  BOOST_TEST((parse_network("::ffff:10.0.0.0/104") == parse_network("10.0.0.0/8")));
}

BOOST_AUTO_TEST_CASE(a_network_is_written_as_it_is_read) {
  for (const std::string text :
       {"10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "2001:db8::/32", "::1", "::/0", "192.0.2.0/31"}) {
    BOOST_TEST(to_string(parse_network(text).value()) == text);
  }
  BOOST_TEST(to_string(parse_network("192.0.2.1/32").value()) == "192.0.2.1");
}

BOOST_AUTO_TEST_CASE(a_bad_network_is_refused) {
  for (const std::string_view text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8x", "10.0.0.0/ 8",
        "10.0.0.0/8/8", "::/129", "10.1.2.3/8", "2001:db8::1/64", "[::1]/128", "example.org", "*"}) {
    BOOST_TEST(!parse_network(text), text);
  }
}

BOOST_AUTO_TEST_CASE(loopback_is_127_and_1) {
  BOOST_TEST(is_loopback(ip("127.0.0.1")));
  BOOST_TEST(is_loopback(ip("127.200.0.1")));
  BOOST_TEST(is_loopback(ip("::1")));
  BOOST_TEST(!is_loopback(ip("128.0.0.1")));
  BOOST_TEST(!is_loopback(ip("::2")));
  BOOST_TEST(loopback_networks().size() == 2U);
}

BOOST_AUTO_TEST_CASE(addresses_where_no_public_server_is) {
  for (const auto* inner : {"127.0.0.1",
                            "127.255.255.254",
                            "0.0.0.0",
                            "10.0.0.1",
                            "172.16.0.1",
                            "172.31.255.255",
                            "192.168.1.1",
                            "169.254.169.254",
                            "100.64.0.1",
                            "224.0.0.1",
                            "255.255.255.255",
                            "192.0.2.1",
                            "198.18.0.1",
                            "::",
                            "::1",
                            "::ffff:127.0.0.1",
                            "::ffff:10.0.0.1",
                            "::127.0.0.1",
                            "fe80::1",
                            "fc00::1",
                            "fd12::1",
                            "ff02::1",
                            "64:ff9b::7f00:1",
                            "2002:7f00:1::1",
                            "2001:0:7f00:1::1",
                            "2001:db8::1"})
    BOOST_TEST(!is_public(ip(inner)), inner);
  for (const auto* outer :
       {"8.8.8.8", "172.32.0.1", "100.128.0.1", "193.0.6.139", "2a00:1450::1", "2001:67c:2e8::1"})
    BOOST_TEST(is_public(ip(outer)), outer);
}

BOOST_AUTO_TEST_CASE(limits_count_the_network_of_an_IPv6_address) {
  BOOST_TEST(to_string(limited_part(ip("2001:db8:1:2:3:4:5:6"))) == "2001:db8:1:2::");
  BOOST_TEST(to_string(limited_part(ip("192.0.2.77"))) == "192.0.2.77");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
