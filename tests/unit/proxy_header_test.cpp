// PROXY headers of both versions: each is read whole, in every two pieces and octet by octet, and nothing
// behind it is taken.
#include "src/proxy_header.hpp"

#include <boost/test/unit_test.hpp>

namespace boshd {
namespace {

using namespace std::literals;
using State = ProxyHeaderReader::State;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string tls_record = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s;

std::string number16(std::size_t number) {
  return {static_cast<char>(number >> 8U), static_cast<char>(number & 0xffU)};
}

/// A header of version 2 that ends where `content` does.
std::string binary(unsigned command, unsigned family, std::string_view content) {
  std::string out = signature;
  out += static_cast<char>(command);
  out += static_cast<char>(family);
  return out + number16(content.size()) + std::string(content);
}

std::string tlv(unsigned type, std::string_view value) {
  return static_cast<char>(type) + number16(value.size()) + std::string(value);
}

/// 203.0.113.7:51724 to 192.0.2.10:443.
const std::string ipv4_addresses = "\xcb\x00\x71\x07\xc0\x00\x02\x0a\xca\x0c\x01\xbb"s;
/// [2001:db8::7]:51724 to [2001:db8::a]:443.
const std::string ipv6_addresses =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0a\xca\x0c\x01\xbb"s;
constexpr std::string_view ipv4_told = "complete 203.0.113.7 51724 192.0.2.10 443";
constexpr std::string_view ipv6_told = "complete 2001:db8::7 51724 2001:db8::a 443";

/// What a reader knows, in words. Of a header that is refused nobody asks more.
std::string told(const ProxyHeaderReader& reader) {
  if (reader.state() == State::failed) return "failed";
  if (reader.state() == State::reading) return "reading";
  const ProxyOrigin& origin = reader.origin();
  std::string out = "complete";
  for (const auto& end : {origin.source, origin.destination})
    if (end) out += " " + to_string(end->address) + " " + std::to_string(end->port);
  return out + (origin.tls ? " tls" : "");
}

/// Gives the reader pieces as they would come from a socket: what it has left of one comes again before the
/// next. Returns what it left.
std::string feed(ProxyHeaderReader& reader, std::string_view bytes, std::size_t first, std::size_t further) {
  std::size_t taken = 0;
  for (std::size_t end = first; reader.state() == State::reading; end += further) {
    end = std::min(end, bytes.size());
    taken += reader.read(bytes.substr(taken, end - taken));
    BOOST_REQUIRE(taken <= end);
    if (reader.state() == State::reading) BOOST_REQUIRE(taken == end);
    if (end == bytes.size()) break;
  }
  return std::string(bytes.substr(taken));
}

/// Reads the header in all pieces, with each of what could follow behind it. Only the first failure is told.
void check_read(std::string_view header, std::string_view expected) {
  for (const std::string& behind : {""s, "GET / HTTP/1.1\r\n\r\n"s, tls_record, "\r\n"s, "\0"s}) {
    const std::string bytes = std::string(header) + behind;
    std::size_t first = bytes.size();
    const auto is_right = [&](std::size_t further) {
      ProxyHeaderReader reader;
      const std::string left = feed(reader, bytes, first, further);
      const bool right = told(reader) == expected && left == behind;
      BOOST_CHECK_MESSAGE(right, "first piece of " << first << ", " << bytes.size()
                                                   << " bytes: " << told(reader) << " instead of " << expected
                                                   << ", " << left.size() << " bytes left");
      return right;
    };
    if (!is_right(1)) return;
    first = 1;
    if (!is_right(1)) return;
    for (first = 0; first < bytes.size(); ++first)
      if (!is_right(bytes.size())) return;
  }
  for (std::size_t size = 0; size < header.size(); ++size) {
    ProxyHeaderReader reader;
    feed(reader, header.substr(0, size), size, 1);
    if (told(reader) != "reading") BOOST_ERROR("after " << size << " bytes: " << told(reader));
  }
}

/// However it comes: it is refused, at the latest with its last byte.
void check_refused(std::string_view header) {
  for (std::size_t first = 0; first <= header.size(); ++first)
    for (const std::size_t further : {std::size_t{1}, header.size()}) {
      ProxyHeaderReader reader;
      feed(reader, header, first, further);
      if (reader.state() == State::failed) continue;
      BOOST_ERROR("cut at " << first << ": " << told(reader) << " of " << header.size()
                            << " bytes: " << header);
      return;
    }
}

/// CRC-32C, another way than the reader does it: as a division of polynomials, each bit as it is sent.
std::string crc32c(std::string_view bytes) {
  std::uint32_t rest = 0xffffffffU;
  for (const char c : bytes)
    for (unsigned bit = 0; bit < 8; ++bit) {
      const bool top = ((static_cast<unsigned char>(c) >> bit) & 1U) != (rest >> 31U);
      rest = (rest << 1U) ^ (top ? 0x1edc6f41U : 0U);
    }
  std::uint32_t sum = 0;
  for (unsigned bit = 0; bit < 32; ++bit) sum |= ((~rest >> bit) & 1U) << (31U - bit);
  return number16(sum >> 16U) + number16(sum & 0xffffU);
}

std::string with_checksum(unsigned command, unsigned family, const std::string& before,
                          const std::string& behind) {
  std::string header = binary(command, family, before + tlv(3, "\0\0\0\0"s) + behind);
  const std::string sum = crc32c(header);
  return header.replace(header.size() - behind.size() - 4, 4, sum);
}

Endpoint end_at(std::string_view address, std::uint16_t port) {
  return {parse_ip(address).value(), port};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(proxy_header_reader)

BOOST_AUTO_TEST_CASE(U_111_U_113_U_126_version_1_is_one_line) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"PROXY TCP4 203.0.113.7 192.0.2.10 51724 443\r\n", ipv4_told},
      {"PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "complete 0.0.0.0 0 255.255.255.255 65535"},
      {"PROXY TCP6 2001:db8::7 2001:db8::a 51724 443\r\n", ipv6_told},
      {"PROXY TCP6 2001:0DB8:0000:0000:0000:0000:0000:0007 2001:db8:0:0:0:0:0:a 51724 443\r\n", ipv6_told},
      {"PROXY TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.10 51724 443\r\n", ipv4_told},
      {"PROXY TCP6 :: ::1 1 2\r\n", "complete :: 1 ::1 2"},
  };
  for (const auto& [header, expected] : cases) BOOST_TEST_CONTEXT(header) check_read(header, expected);
}

BOOST_AUTO_TEST_CASE(U_112_U_126_of_an_unknown_connection_nothing_is_told) {
  for (const auto* header : {"PROXY UNKNOWN\r\n", "PROXY UNKNOWN \r\n", "PROXY UNKNOWN 1 2 3 4 5 6\r\n",
                             "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"})
    BOOST_TEST_CONTEXT(header) check_read(header, "complete");
}

BOOST_AUTO_TEST_CASE(U_126_a_line_has_107_bytes_at_most) {
  const auto line = [](std::size_t size) { return "PROXY UNKNOWN " + std::string(size - 16, 'x') + "\r\n"; };
  BOOST_REQUIRE_EQUAL(line(107).size(), 107U);
  check_read(line(107), "complete");
  check_refused(line(108));
  check_refused(line(4000));
  check_refused("PROXY UNKNOWN " + std::string(93, 'x'));  // without an end
}

BOOST_AUTO_TEST_CASE(U_126_a_line_ends_in_CR_and_LF) {
  for (const auto* header :
       {"PROXY TCP4 203.0.113.7 192.0.2.10 51724 443\n", "PROXY UNKNOWN\n", "PROXY UNKNOWN\n\r\n",
        "PROXY UNKNOWN\r\r\n", "PROXY UNKNOWN x\rx\r\n", "PROXY UNKNOWN\rGET / HTTP/1.1\r\n",
        "PROXY TCP4 203.0.113.7\r 192.0.2.10 51724 443\r\n", "PROXY \r\n", "PROXY \n"})
    BOOST_TEST_CONTEXT(header) check_refused(header);
}

BOOST_AUTO_TEST_CASE(U_111_U_126_a_line_that_deviates_is_refused) {
  for (const std::string_view rest : {"TCP4 203.0.113.7 192.0.2.10 51724"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 51724 443 "sv,
                                      "TCP4 203.0.113.7 192.0.2.10 51724 443 1"sv,
                                      "TCP4  203.0.113.7 192.0.2.10 51724 443"sv,
                                      "TCP4 203.0.113.7  192.0.2.10 51724 443"sv,
                                      " TCP4 203.0.113.7 192.0.2.10 51724 443"sv,
                                      "TCP4\t203.0.113.7 192.0.2.10 51724 443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 65536 443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 51724 65536"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 051724 443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 51724 0443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 00 443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 +1 443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 -1 443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 0x1 443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10  443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10 443 "sv,
                                      "TCP4 203.0.113.07 192.0.2.10 51724 443"sv,
                                      "TCP4 203.0.113 192.0.2.10 51724 443"sv,
                                      "TCP4 203.0.113.256 192.0.2.10 51724 443"sv,
                                      "TCP4 203.0.113.7 192.0.2.10\0 51724 443"sv,
                                      "TCP4 203.0.113.7 somewhere 51724 443"sv,
                                      "TCP4 2001:db8::7 2001:db8::a 51724 443"sv,
                                      "TCP4 203.0.113.7 2001:db8::a 51724 443"sv,
                                      "TCP6 203.0.113.7 192.0.2.10 51724 443"sv,
                                      "TCP6 2001:db8::7 192.0.2.10 51724 443"sv,
                                      "TCP6 2001:db8:::7 2001:db8::a 51724 443"sv,
                                      "TCP6 [2001:db8::7] [2001:db8::a] 51724 443"sv,
                                      "TCP6 fe80::1%eth0 2001:db8::a 51724 443"sv,
                                      "TCP5 203.0.113.7 192.0.2.10 51724 443"sv,
                                      "UDP4 203.0.113.7 192.0.2.10 51724 443"sv,
                                      "tcp4 203.0.113.7 192.0.2.10 51724 443"sv,
                                      "unknown"sv,
                                      "UNKNOWN1"sv,
                                      ""sv})
    BOOST_TEST_CONTEXT(rest) check_refused("PROXY " + std::string(rest) + "\r\n");
}

BOOST_AUTO_TEST_CASE(U_125_what_is_no_header_is_refused_at_its_first_byte_that_differs) {
  const std::string_view cases[] = {"GET / HTTP/1.1\r\n",     "proxy TCP4",   "PROXYTCP4",
                                    "PRI * HTTP/2.0\r\n\r\n", "\x16\x03\x01", " PROXY UNKNOWN\r\n",
                                    "\r\n\r\nGET / HTTP/1.1", "PROXY\r\n",    "\r\n\r\n\0\r\nQUIT\r\n"sv};
  const std::size_t right[] = {0, 0, 5, 2, 0, 0, 4, 5, 11};
  for (std::size_t i = 0; i < std::size(cases); ++i) BOOST_TEST_CONTEXT(cases[i]) {
      check_refused(cases[i].substr(0, right[i] + 1));
      check_refused(cases[i]);
      ProxyHeaderReader reader;
      BOOST_TEST(reader.read(cases[i].substr(0, right[i])) == right[i]);
      BOOST_TEST((reader.state() == State::reading));
    }
}

BOOST_AUTO_TEST_CASE(what_is_decided_takes_no_more) {
  ProxyHeaderReader reader;
  BOOST_TEST(reader.read("") == 0U);
  BOOST_TEST(reader.read("PROXY UNKNOWN\r\nGET") == 15U);
  BOOST_TEST(reader.read("PROXY UNKNOWN\r\n") == 0U);
  BOOST_TEST((reader.state() == State::complete));
  reader = {};
  reader.read("x");
  BOOST_TEST(reader.read("PROXY UNKNOWN\r\n") == 0U);
  BOOST_TEST((reader.state() == State::failed));
}

BOOST_AUTO_TEST_CASE(U_114_U_117_U_127_version_2_has_addresses_in_binary) {
  check_read("\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x21\x11\x00\x0c"s + ipv4_addresses, ipv4_told);
  check_read(binary(0x21, 0x21, ipv6_addresses), ipv6_told);
  check_read(binary(0x21, 0x11, std::string(12, '\0')), "complete 0.0.0.0 0 0.0.0.0 0");
  check_read(binary(0x21, 0x11, std::string(12, '\xff')),
             "complete 255.255.255.255 65535 255.255.255.255 65535");
}

// A front end that its clients reach over UDP, as with HTTP/3, may say so.
BOOST_AUTO_TEST_CASE(U_127_whatever_the_transport_the_addresses_of_a_family_are_taken_for_nothing_else) {
  for (const unsigned transport : {0U, 1U, 2U}) {
    check_read(binary(0x21, 0x10U | transport, ipv4_addresses), ipv4_told);
    check_read(binary(0x21, 0x20U | transport, ipv6_addresses), ipv6_told);
    // 32.0.1.1 is no extension that tells of TLS.
    const std::string like_tlv = "\x20\x00\x01\x01\x04\x00\x05\x00\x00\x00\x00\x00"s;
    check_read(binary(0x21, 0x10U | transport, like_tlv), "complete 32.0.1.1 0 4.0.5.0 0");
  }
}

BOOST_AUTO_TEST_CASE(U_116_U_127_a_proxy_that_speaks_for_itself_tells_of_nobody) {
  check_read(binary(0x20, 0x00, ""), "complete");
  check_read(binary(0x20, 0x11, ipv4_addresses), "complete");
  check_read(binary(0x20, 0x21, ipv6_addresses + tlv(0x20, "\x01\0\0\0\0"s)), "complete");
  // The family is ignored, and the rest is skipped whatever it is.
  for (const unsigned family : {0x00U, 0x11U, 0x21U, 0x31U, 0x41U, 0x13U, 0xffU})
    for (const std::string& content : {""s, "x"s, "\x04\xff\xff"s, std::string(300, 'x')})
      BOOST_TEST_CONTEXT(family) check_read(binary(0x20, family, content), "complete");
}

BOOST_AUTO_TEST_CASE(U_128_families_without_addresses_here_are_accepted) {
  for (const unsigned transport : {0U, 1U, 2U}) {
    check_read(binary(0x21, transport, ""), "complete");
    check_read(binary(0x21, transport, tlv(4, "xyz")), "complete");
  }
  check_read(binary(0x21, 0x31, std::string(216, '/')), "complete");
  check_read(binary(0x21, 0x32, std::string(216, '/') + tlv(0x20, "\x01\0\0\0\0"s)), "complete tls");
  check_refused(binary(0x21, 0x31, std::string(215, '/')));
}

BOOST_AUTO_TEST_CASE(U_125_U_127_other_versions_commands_families_and_transports_are_refused) {
  for (const unsigned command : {0x00U, 0x01U, 0x10U, 0x11U, 0x22U, 0x2fU, 0x30U, 0x31U, 0xf1U})
    check_refused(binary(command, 0x11, ipv4_addresses));
  for (const unsigned family : {0x13U, 0x1fU, 0x23U, 0x41U, 0x40U, 0xf1U, 0xffU})
    check_refused(binary(0x21, family, ipv6_addresses));
}

BOOST_AUTO_TEST_CASE(U_127_addresses_that_are_cut_short_are_refused) {
  for (std::size_t size = 0; size < ipv4_addresses.size(); ++size)
    check_refused(binary(0x21, 0x11, ipv4_addresses.substr(0, size)));
  for (std::size_t size = 0; size < ipv6_addresses.size(); ++size)
    check_refused(binary(0x21, 0x21, ipv6_addresses.substr(0, size)));
}

BOOST_AUTO_TEST_CASE(U_129_a_header_above_4096_bytes_is_refused_before_it_comes) {
  check_read(binary(0x21, 0x11, ipv4_addresses + tlv(4, std::string(4081, 'x'))), ipv4_told);
  check_refused(binary(0x21, 0x11, ipv4_addresses + tlv(4, std::string(4082, 'x'))).substr(0, 16));
  check_refused(signature + "\x21\x11\xff\xff");
  check_refused(signature + "\x20\x00\xff\xff"s);
  check_refused(signature + "\x22\x11\x00\x0c"s);  // others too need not come to their end
  check_refused(signature + "\x21\x41\x00\x0c"s);
}

BOOST_AUTO_TEST_CASE(U_115_U_127_unknown_extensions_are_skipped) {
  check_read(binary(0x21, 0x11,
                    ipv4_addresses + tlv(1, "http/1.1") + tlv(2, "a.example") + tlv(4, "") +
                        tlv(5, std::string(128, 'u')) + tlv(0x30, "ns") + tlv(0xee, "?")),
             ipv4_told);
  check_read(binary(0x21, 0x21, ipv6_addresses + tlv(0xea, std::string(500, '\xff'))), ipv6_told);
}

BOOST_AUTO_TEST_CASE(U_127_extensions_end_where_the_header_does) {
  const std::string whole = tlv(2, "a.example");
  for (std::size_t size = 1; size < whole.size(); ++size)
    BOOST_TEST_CONTEXT(size) check_refused(binary(0x21, 0x11, ipv4_addresses + whole.substr(0, size)));
  check_refused(binary(0x21, 0x11, ipv4_addresses + tlv(4, "") + "\x04\x00\x02x"s));
  check_refused(binary(0x21, 0x11, ipv4_addresses + "\x04\xff\xff"));
}

BOOST_AUTO_TEST_CASE(U_115_the_client_speaks_TLS_if_the_proxy_says_so) {
  const std::string with_tls = std::string(ipv4_told) + " tls";
  const auto header = [](std::string_view value) {
    return binary(0x21, 0x11, ipv4_addresses + tlv(0x20, value));
  };
  check_read(header("\x01\0\0\0\0"s), with_tls);
  check_read(header("\x07\0\0\0\1\x21\0\7TLSv1.3"s), with_tls);
  check_read(header("\x01"), with_tls);
  check_read(header("\x06\0\0\0\0"s), ipv4_told);
  check_read(header("\0\0\0\0\0"s), ipv4_told);
  check_read(header(""), ipv4_told);
  check_read(binary(0x21, 0x11, ipv4_addresses + tlv(0x21, "\x01")), ipv4_told);
}

BOOST_AUTO_TEST_CASE(U_115_U_127_a_checksum_is_verified) {
  BOOST_TEST(crc32c("123456789") == "\xe3\x06\x92\x83");
  BOOST_TEST(crc32c(std::string(32, '\0')) == "\x8a\x91\x36\xaa");
  for (const std::string& behind : {""s, tlv(4, "xyz"), tlv(0x20, "\0\0\0\0\0"s)}) {
    const std::string right = with_checksum(0x21, 0x11, ipv4_addresses, behind);
    check_read(right, ipv4_told);
    for (const std::size_t at : {std::size_t{16}, std::size_t{27}, std::size_t{31}, std::size_t{34}}) {
      std::string wrong = right;
      wrong[at] = static_cast<char>(wrong[at] ^ 0x10);
      BOOST_TEST_CONTEXT(at) check_refused(wrong);
    }
  }
  check_read(with_checksum(0x21, 0x21, ipv6_addresses + tlv(2, "a.example"), ""), ipv6_told);
  check_read(with_checksum(0x21, 0x00, "", ""), "complete");
  for (const std::size_t size : {0U, 3U, 5U, 8U})
    check_refused(binary(0x21, 0x11, ipv4_addresses + tlv(3, std::string(size, '\0'))));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(proxy_header_writer)

BOOST_AUTO_TEST_CASE(nothing_is_written_where_none_is_wanted) {
  BOOST_TEST(proxy_header(ProxyHeader::none, end_at("203.0.113.7", 51724), end_at("192.0.2.10", 443)) == "");
}

BOOST_AUTO_TEST_CASE(U_111_U_113_version_1_is_written) {
  const auto written = [](std::string_view source, std::string_view destination) {
    return proxy_header(ProxyHeader::v1, end_at(source, 51724), end_at(destination, 443));
  };
  BOOST_TEST(written("203.0.113.7", "192.0.2.10") == "PROXY TCP4 203.0.113.7 192.0.2.10 51724 443\r\n");
  BOOST_TEST(written("::ffff:203.0.113.7", "192.0.2.10") ==
             "PROXY TCP4 203.0.113.7 192.0.2.10 51724 443\r\n");
  BOOST_TEST(written("2001:db8::7", "2001:db8::a") == "PROXY TCP6 2001:db8::7 2001:db8::a 51724 443\r\n");
}

BOOST_AUTO_TEST_CASE(U_114_U_117_version_2_is_written) {
  BOOST_TEST(proxy_header(ProxyHeader::v2, end_at("203.0.113.7", 51724), end_at("192.0.2.10", 443)) ==
             binary(0x21, 0x11, ipv4_addresses));
  BOOST_TEST(proxy_header(ProxyHeader::v2, end_at("2001:db8::7", 51724), end_at("2001:db8::a", 443)) ==
             binary(0x21, 0x21, ipv6_addresses));
}

BOOST_AUTO_TEST_CASE(U_118_both_ends_are_of_one_family) {
  BOOST_TEST(proxy_header(ProxyHeader::v1, end_at("2001:db8::7", 51724), end_at("192.0.2.10", 443)) ==
             "PROXY TCP6 2001:db8::7 ::ffff:192.0.2.10 51724 443\r\n");
  BOOST_TEST(proxy_header(ProxyHeader::v1, end_at("203.0.113.7", 51724), end_at("2001:db8::a", 443)) ==
             "PROXY TCP6 ::ffff:203.0.113.7 2001:db8::a 51724 443\r\n");
  const std::string mapped = std::string(10, '\0') + "\xff\xff\xc0\x00\x02\x0a"s;
  BOOST_TEST(proxy_header(ProxyHeader::v2, end_at("2001:db8::7", 51724), end_at("192.0.2.10", 443)) ==
             binary(0x21, 0x21, ipv6_addresses.substr(0, 16) + mapped + ipv6_addresses.substr(32)));
}

BOOST_AUTO_TEST_CASE(U_120_ports_that_receivers_refuse_are_not_written) {
  for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{65535}}) {
    BOOST_TEST(proxy_header(ProxyHeader::v1, end_at("203.0.113.7", port), end_at("192.0.2.10", port)) ==
               "PROXY TCP4 203.0.113.7 192.0.2.10 1 1\r\n");
    BOOST_TEST(proxy_header(ProxyHeader::v2, end_at("203.0.113.7", port), end_at("192.0.2.10", port)) ==
               binary(0x21, 0x11, ipv4_addresses.substr(0, 8) + "\x00\x01\x00\x01"s));
  }
  BOOST_TEST(proxy_header(ProxyHeader::v1, end_at("203.0.113.7", 1), end_at("192.0.2.10", 65534)) ==
             "PROXY TCP4 203.0.113.7 192.0.2.10 1 65534\r\n");
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_again) {
  const char* const addresses[] = {"203.0.113.7",
                                   "0.0.0.0",
                                   "255.255.255.255",
                                   "::",
                                   "::1",
                                   "2001:db8::7",
                                   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"};
  for (const ProxyHeader version : {ProxyHeader::v1, ProxyHeader::v2})
    for (const auto* source : addresses)
      for (const auto* destination : addresses) {
        const std::string header = proxy_header(version, end_at(source, 51724), end_at(destination, 443));
        if (version == ProxyHeader::v1) BOOST_TEST(header.size() <= 107U);
        check_read(header, "complete "s + source + " 51724 " + destination + " 443");
      }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
