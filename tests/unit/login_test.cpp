// Which account a client tries to log in to.
#include "src/login.hpp"

#include <openssl/evp.h>

#include <boost/test/unit_test.hpp>

namespace boshd {
namespace {

using namespace std::literals;

std::string base64(std::string_view bytes) {
  std::string out(bytes.size() / 3 * 4 + 5, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string auth(std::string_view text, std::string_view mechanism = "PLAIN") {
  return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + std::string(mechanism) + "'>" +
         std::string(text) + "</auth>";
}
std::string response(std::string_view text) {
  return "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + std::string(text) + "</response>";
}
std::string authenticate(std::string_view text, std::string_view behind = {}) {
  return "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>" + std::string(text) +
         "</initial-response>" + std::string(behind) + "</authenticate>";
}

/// The account in a first message, however it is sent.
std::string account_of(std::string_view message) {
  const std::string text = base64(message);
  std::string account = account_in(auth(text));
  BOOST_TEST(account_in(response(text)) == account);
  BOOST_TEST(account_in(authenticate(text)) == account);
  BOOST_TEST(account_in(authenticate(text, "<user-agent id='1'><software>x</software></user-agent>")) ==
             account);
  BOOST_TEST(account_in("<r xmlns='urn:xmpp:sm:3'/>" + auth(text) + "<iq/>") == account);
  return account;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(logins)

BOOST_AUTO_TEST_CASE(the_name_in_PLAIN) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"\0alice\0secret"sv, "alice"},
      {"bob@a.example\0alice\0secret"sv, "alice"},
      {"\0Alice.B\0Secret"sv, "alice.b"},
      {"\0alice@a.example\0x"sv, "alice@a.example"},
      {"\0alice\0"sv, "alice"},
      {"\0alice"sv, "alice"},
      {"\0alice\0,n=bob,"sv, "alice"},
      {"\0a,n=b\0x"sv, "a,n=b"},
      {"\0\xc3\xa4\0x"sv, "\xc3\xa4"},
      {"\0\0secret"sv, ""},
      {"\0"sv, ""},
      {"\0\0"sv, ""},
      {"bob\0\0secret"sv, ""},
  };
  for (const auto& [message, account] : cases) BOOST_TEST(account_of(message) == account, message);
}

BOOST_AUTO_TEST_CASE(the_name_in_SCRAM) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"n,,n=alice,r=fyko+d2lbbFgONRv9qkxdawL", "alice"},
      {"y,,n=Alice,r=x", "alice"},
      {"p=tls-exporter,,n=alice,r=x", "alice"},
      {"n,a=admin,n=alice,r=x", "alice"},
      {"n,,m=x,n=alice,r=x", "alice"},
      {"n,,n=alice", "alice"},
      {"n,,n=,r=x", ""},
      {"n,,r=x", ""},
      {"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfc,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", ""},
      {"n,,n=\xe2\x82\xac,r=x", "\xe2\x82\xac"},
      {"alice", ""},
  };
  for (const auto& [message, account] : cases) BOOST_TEST(account_of(message) == account, message);
}

BOOST_AUTO_TEST_CASE(all_lengths_of_base64) {
  for (std::size_t size = 1; size <= 40; ++size)
    BOOST_TEST(account_of("\0alice\0"s + std::string(size, 'p')) == "alice", size);
  for (std::size_t size = 1; size <= 40; ++size)
    BOOST_TEST(account_of("\0"s + std::string(size, 'u')) == std::string(size, 'u'));
}

BOOST_AUTO_TEST_CASE(elements_without_a_message_have_no_name) {
  for (const std::string_view text : {"", "=", " ", "\n", "==", "====", "=A==", "A", "AA", "AAA", "AAAAA"})
    for (const std::string& element : {auth(text), response(text), authenticate(text)})
      BOOST_TEST(account_in(element) == "", element);
  for (const std::string_view element :
       {"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>",
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response/></authenticate>",
        "<auth ", "<auth >", "<response", "<initial-response>", ""})
    BOOST_TEST(account_in(element) == "", element);
}

BOOST_AUTO_TEST_CASE(broken_base64_has_no_name) {
  const std::string right = base64("\0alice\0secrets"sv);
  BOOST_REQUIRE_EQUAL(account_in(auth(right)), "alice");
  for (std::size_t i = 0; i < right.size(); ++i)
    for (const char wrong : {'!', '-', '_', '\0', '\xc3', '&'}) {
      std::string text = right;
      text[i] = wrong;
      BOOST_TEST(account_in(auth(text)) == "", text);
    }
  for (std::size_t cut = 1; cut < right.size(); ++cut)  // whatever it says then, it ends
    BOOST_TEST(account_in(auth(right.substr(0, cut))).size() <= 5U);
  for (const std::string& text : {"="s + right, right + "=", right + "x", "===" + right})
    BOOST_TEST(account_in(auth(text)) == "", text);
}

BOOST_AUTO_TEST_CASE(blanks_around_it_are_no_part_of_it) {
  BOOST_TEST(account_in(auth(" \t" + base64("\0alice\0x"sv) + " \t ")) == "alice");
}

// It was not counted once: a long password, or a long nonce, and there was no limit.
BOOST_AUTO_TEST_CASE(a_long_message_has_its_name_where_others_have_it) {
  for (const std::size_t size : {3000U, 3070U, 3071U, 3072U, 3073U, 10'000U, 1'000'000U}) {
    BOOST_TEST(account_of("\0alice\0"s + std::string(size, 'p')) == "alice", size);
    BOOST_TEST(account_of("n,,n=alice,r=" + std::string(size, 'r')) == "alice", size);
  }
}

BOOST_AUTO_TEST_CASE(no_account_has_so_long_a_name) {
  BOOST_TEST(account_of("\0"s + std::string(256, 'u') + "\0x"s) == std::string(256, 'u'));
  BOOST_TEST(account_of("\0"s + std::string(257, 'u') + "\0x"s) == "");
  BOOST_TEST(account_of("\0"s + std::string(1'000'000, 'u') + "\0x"s) == "");
  BOOST_TEST(account_of(std::string(1'000'000, 'a') + "\0alice\0x"s) == "");
  BOOST_TEST(account_in(auth(std::string(1'000'001, '='))) == "");
}

BOOST_AUTO_TEST_CASE(other_elements_are_no_logins) {
  const std::string text = base64("\0alice\0secret"sv);
  for (const std::string& element :
       {"<message><body>" + text + "</body></message>", "<iq>" + text + "</iq>",
        "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + text + "</abort>",
        "<authenticate xmlns='urn:xmpp:sasl:2'>" + text + "</authenticate>",
        "<authorization>" + text + "</authorization>", "<body>&lt;auth >" + text + "</body>"})
    BOOST_TEST(account_in(element) == "", element);
}

BOOST_AUTO_TEST_CASE(a_client_may_write_its_elements_in_any_way) {
  const std::string text = base64("\0alice\0secret"sv);
  for (const std::string& element :
       {"<auth\n\txmlns='urn:ietf:params:xml:ns:xmpp-sasl'\n\tmechanism=\"PLAIN\"\n>" + text + "</auth>",
        "<auth\r\nxmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + text + "</auth>",
        "<auth\tmechanism='PLAIN'>" + text + "</auth >"})
    BOOST_TEST(account_in(element) == "alice", element);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
