// Names of servers: how domains are written for DNS and TLS, and whether a certificate is for one.
#include <openssl/x509v3.h>

#include <boost/test/unit_test.hpp>
#include <memory>

#include "src/domain.hpp"
#include "src/tls.hpp"

namespace boshd {
namespace {

using namespace std::literals;

struct Deleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using X509Pointer = std::unique_ptr<X509, Deleter>;

constexpr const char* xmpp_address = "1.3.6.1.5.5.7.8.5";
constexpr const char* service_name = "1.3.6.1.5.5.7.8.7";

ASN1_STRING* new_string(int type, std::string_view text) {
  ASN1_STRING* string = ASN1_STRING_type_new(type);
  BOOST_REQUIRE(ASN1_STRING_set(string, text.data(), static_cast<int>(text.size())) == 1);
  return string;
}

/// A certificate that has names, and nothing else that one needs.
class Made {
 public:
  Made& dns(std::string_view name) { return simple(GEN_DNS, V_ASN1_IA5STRING, name); }
  Made& uri(std::string_view name) { return simple(GEN_URI, V_ASN1_IA5STRING, name); }
  Made& email(std::string_view name) { return simple(GEN_EMAIL, V_ASN1_IA5STRING, name); }
  Made& ip(std::string_view bytes) { return simple(GEN_IPADD, V_ASN1_OCTET_STRING, bytes); }
  Made& srv(std::string_view name, int type = V_ASN1_IA5STRING) { return other(service_name, type, name); }
  Made& xmpp(std::string_view name, int type = V_ASN1_UTF8STRING) { return other(xmpp_address, type, name); }
  Made& other(const char* kind, int type, std::string_view text) {
    ASN1_TYPE* value = ASN1_TYPE_new();
    ASN1_TYPE_set(value, type, new_string(type, text));
    GENERAL_NAME* name = GENERAL_NAME_new();
    BOOST_REQUIRE(GENERAL_NAME_set0_othername(name, OBJ_txt2obj(kind, 1), value) == 1);
    sk_GENERAL_NAME_push(names_.get(), name);
    return *this;
  }
  Made& common_name(const char* name) {
    BOOST_REQUIRE(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate_.get()), "CN", MBSTRING_UTF8,
                                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0) == 1);
    return *this;
  }
  bool is_for(std::string_view domain) {
    if (sk_GENERAL_NAME_num(names_.get()) > 0)
      BOOST_REQUIRE(X509_add1_ext_i2d(certificate_.get(), NID_subject_alt_name, names_.get(), 0,
                                      X509V3_ADD_DEFAULT) == 1);
    return is_certified_for(certificate_.get(), domain);
  }

 private:
  Made& simple(int kind, int type, std::string_view text) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, kind, new_string(type, text));
    sk_GENERAL_NAME_push(names_.get(), name);
    return *this;
  }

  X509Pointer certificate_{X509_new()};
  std::unique_ptr<GENERAL_NAMES, Deleter> names_{GENERAL_NAMES_new()};
};

std::string ascii(std::string_view domain) {
  return ascii_domain(domain).value_or("nothing");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(name_patterns)

BOOST_AUTO_TEST_CASE(U_062_names_are_the_same_but_for_case) {
  BOOST_TEST(matches_name("a.example", "a.example"));
  BOOST_TEST(matches_name("A.Example", "a.eXAMPLE"));
  BOOST_TEST(matches_name("localhost", "localhost"));
  BOOST_TEST(matches_name("xn--bcher-kva.example", "xn--bcher-kva.example"));
  for (const std::string_view name :
       {"b.example", "a.example.org", "example", "a", "", "xa.example", "a.examplex", "a.example.",
        ".a.example", "aXexample", "a..example", "*.example"})
    BOOST_TEST(!matches_name("a.example", name), name);
  // Only ASCII letters have a case.
  BOOST_TEST(!matches_name("\xc3\xa4.example", "\xc3\x84.example"));
  BOOST_TEST(!matches_name("[.example", "{.example"));
  BOOST_TEST(!matches_name("@.example", "`.example"));
}

BOOST_AUTO_TEST_CASE(U_065_U_066_a_wildcard_is_one_whole_first_label) {
  for (const std::string_view name : {"foo.example.com", "FOO.Example.com", "xn--bcher-kva.example.com"})
    BOOST_TEST(matches_name("*.example.com", name), name);
  for (const std::string_view name :
       {"example.com", "a.b.example.com", ".example.com", "foo.example.org", "fooexample.com", "com", "",
        "foo.com", "foo.xexample.com", "foo..example.com", "foo.example.com."})
    BOOST_TEST(!matches_name("*.example.com", name), name);
  BOOST_TEST(matches_name("*.b.example.com", "a.b.example.com"));
}

BOOST_AUTO_TEST_CASE(U_065_U_066_wildcards_anywhere_else_are_none) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"b*z.example.com", "buzz.example.com"},
      {"*z.example.com", "buzz.example.com"},
      {"b*.example.com", "buzz.example.com"},
      {"foo.*.com", "foo.example.com"},
      {"*.*.com", "foo.example.com"},
      {"foo.example.*", "foo.example.com"},
      {"**.example.com", "foo.example.com"},
      {"*", "com"},
      {"*", "localhost"},
      {"*example.com", "foo.example.com"},
      {"xn--*.example.com", "xn--bcher-kva.example.com"},
      {"*.", "foo."},
  };
  for (const auto& [pattern, name] : cases) BOOST_TEST(!matches_name(pattern, name), pattern);
}

BOOST_AUTO_TEST_CASE(a_wildcard_is_not_for_a_top_level_domain) {
  BOOST_TEST(!matches_name("*.com", "example.com"));
  BOOST_TEST(!matches_name("*.", "example."));
  BOOST_TEST(!matches_name("*..com", "example..com"));
  BOOST_TEST(!matches_name("*.com.", "example.com."));
}

BOOST_AUTO_TEST_CASE(U_071_a_NUL_in_a_name_ends_nothing) {
  BOOST_TEST(!matches_name("a.example\0.evil.example"sv, "a.example"));
  BOOST_TEST(!matches_name("a.example\0"sv, "a.example"));
  BOOST_TEST(!matches_name("a.example\0"sv, "a.example\0"sv));
  BOOST_TEST(!matches_name("*.example.com\0.evil.example"sv, "a.example.com"));
  BOOST_TEST(!matches_name("a.example", "a.example\0"sv));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ascii_domains)

BOOST_AUTO_TEST_CASE(U_002_U_063_a_domain_is_lower_case_and_of_A_labels) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a.example", "a.example"},
      {"A.EXAMPLE", "a.example"},
      {"localhost", "localhost"},
      {"b\xc3\xbc"
       "cher.example",
       "xn--bcher-kva.example"},
      {"B\xc3\x9c"
       "CHER.Example",
       "xn--bcher-kva.example"},
      {"bu\xcc\x88"
       "cher.example",
       "xn--bcher-kva.example"},
      {"xn--bcher-kva.example", "xn--bcher-kva.example"},
      {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
      {"fa\xc3\x9f.example", "xn--fa-hia.example"},
      {"\xe4\xbe\x8b.\xe6\xb5\x8b\xe8\xaf\x95", "xn--fsq.xn--0zwm56d"},
      {"\xef\xbd\x81.example", "a.example"},  // full-width
      {"a\xe3\x80\x82"
       "example",
       "a.example"},  // ideographic full stop
      {"_xmpp.a-b.example", "_xmpp.a-b.example"},
      {"a.example.", "a.example"},
  };
  for (const auto& [domain, name] : cases) BOOST_TEST(ascii(domain) == name, domain);
}

BOOST_AUTO_TEST_CASE(a_full_stop_at_the_end_is_dropped_however_it_is_written) {
  for (const std::string_view stop : {".", "\xe3\x80\x82", "\xef\xbc\x8e", "\xef\xbd\xa1"}) {
    BOOST_TEST(ascii("a.example" + std::string(stop)) == "a.example");
    BOOST_TEST(ascii("192.0.2.1" + std::string(stop)) == "192.0.2.1");
    BOOST_TEST(ascii(stop) == "nothing");
    BOOST_TEST(ascii("a.example" + std::string(stop) + std::string(stop)) == "nothing");
    BOOST_TEST(ascii(std::string(stop) + "a.example") == "nothing");
    BOOST_TEST(ascii("a." + std::string(stop) + "example") == "nothing");
  }
}

BOOST_AUTO_TEST_CASE(U_068_addresses_are_written_in_one_way) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"[192.0.2.1]", "192.0.2.1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"2001:DB8:0::1", "2001:db8::1"},
      {"[2001:db8::1]", "2001:db8::1"},
      {"[::1]", "::1"},
      // What full-width digits come to is the same for all who look at it later.
      {"\xef\xbc\x91\xef\xbc\x99\xef\xbc\x92.0.2.1", "192.0.2.1"},
      {"127\xe3\x80\x82"
       "0\xef\xbc\x8e"
       "0\xef\xbd\xa1"
       "1",
       "127.0.0.1"},
  };
  for (const auto& [domain, name] : cases) BOOST_TEST(ascii(domain) == name, domain);
}

BOOST_AUTO_TEST_CASE(other_ways_to_write_an_address_are_names) {
  for (const std::string_view domain :
       {"2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.01", "1.2.3.4.5", "256.0.0.1"})
    BOOST_TEST(ascii(domain) == domain, domain);
}

BOOST_AUTO_TEST_CASE(what_can_be_no_domain_is_none) {
  const std::string label(63, 'a');
  for (const std::string& domain : {""s,
                                    "."s,
                                    ".."s,
                                    "a..b"s,
                                    ".a"s,
                                    "a.."s,
                                    "a b"s,
                                    " a"s,
                                    "a "s,
                                    "a.example\n"s,
                                    "a\tb"s,
                                    "a.example:5222"s,
                                    "[::1]:5222"s,
                                    "192.0.2.1:5222"s,
                                    "user@a.example"s,
                                    "a.example/x"s,
                                    "a\\b"s,
                                    "a,b"s,
                                    "a*b"s,
                                    "*.example"s,
                                    "a%2e"s,
                                    "a\0b"s,
                                    "a\0"s,
                                    "\0"s,
                                    "a.example\0.b"s,
                                    "[a.example]"s,
                                    "[]"s,
                                    "[a.example"s,
                                    "::1]"s,
                                    "[::1"s,
                                    "[[::1]]"s,
                                    "fe80::1%eth0"s,
                                    "\xff"s,
                                    "a\xc3"s,
                                    "\xed\xa0\x80"s,
                                    "\xe2\x80\x8b"s,
                                    "a\xe2\x80\xae"
                                    "b"s,
                                    "xn--a\xc3\xa4.example"s,
                                    "\xef\xbc\x8f.example"s,
                                    "<"s,
                                    "'"s,
                                    "\""s,
                                    label + "a"s,
                                    label + "a.example"s,
                                    label + "." + label + "." + label + "." + label})
    BOOST_TEST(ascii(domain) == "nothing", domain);
  BOOST_TEST(ascii(label + ".example") == label + ".example");
  const std::string longest = label + "." + label + "." + label + "." + label.substr(2);
  BOOST_REQUIRE_EQUAL(longest.size(), 253U);
  BOOST_TEST(ascii(longest) == longest);
  BOOST_TEST(ascii(longest + ".") == longest);
  BOOST_TEST(ascii(longest + "a") == "nothing");
}

BOOST_AUTO_TEST_CASE(what_came_out_comes_out_again) {
  for (const std::string_view domain : {"B\xc3\x9c"
                                        "CHER.Example.",
                                        "fa\xc3\x9f.example", "[2001:DB8::1]", "192.0.2.1"}) {
    const std::string once = ascii(domain);
    BOOST_TEST(ascii(once) == once);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(certified_names)

BOOST_AUTO_TEST_CASE(U_059_U_061_a_DNS_ID) {
  BOOST_TEST(Made().dns("im.example.com").is_for("im.example.com"));
  BOOST_TEST(Made().dns("IM.Example.COM").is_for("im.example.com"));
  BOOST_TEST(Made().dns("*.example.com").is_for("im.example.com"));
  BOOST_TEST(Made()
                 .dns("xn--bcher-kva.example")
                 .is_for(ascii("b\xc3\xbc"
                               "cher.example")));
  for (const std::string_view name :
       {"example.com", "*.im.example.com", "*.com", "im.example.com.evil.example", "", "*",
        "_xmpp-client.im.example.com", "i*.example.com"})
    BOOST_TEST(!Made().dns(name).is_for("im.example.com"), name);
}

BOOST_AUTO_TEST_CASE(U_059_U_061_U_064_an_SRV_ID_is_of_the_service_and_the_domain) {
  BOOST_TEST(Made().srv("_xmpp-client.im.example.com").is_for("im.example.com"));
  BOOST_TEST(Made().srv("_XMPP-Client.IM.example.com").is_for("im.example.com"));
  for (const std::string_view name :
       {"_xmpp-server.im.example.com", "_xmpps-client.im.example.com", "xmpp-client.im.example.com",
        "_xmpp-client._tcp.im.example.com", "im.example.com", "_xmpp-client.example.com", "_xmpp-client.",
        "_xmpp-client", "_http.im.example.com", "", "_xmpp-clientXim.example.com",
        "_xmpp-client.im.example.com.x"})
    BOOST_TEST(!Made().srv(name).is_for("im.example.com"), name);
  BOOST_TEST(!Made().srv("_xmpp-client.im.example.com", V_ASN1_UTF8STRING).is_for("im.example.com"));
}

BOOST_AUTO_TEST_CASE(U_060_U_063_an_XmppAddr_is_the_domain_in_Unicode) {
  BOOST_TEST(Made().xmpp("im.example.com").is_for("im.example.com"));
  BOOST_TEST(Made().xmpp("IM.example.com").is_for("im.example.com"));
  BOOST_TEST(Made()
                 .xmpp("b\xc3\xbc"
                       "cher.example")
                 .is_for("xn--bcher-kva.example"));
  BOOST_TEST(Made().xmpp("xn--bcher-kva.example").is_for("xn--bcher-kva.example"));
  for (const std::string_view name :
       {"example.com", "*.example.com", "user@im.example.com", "im.example.com/x", "",
        "_xmpp-client.im.example.com", "im.example.com im.example.com", "im.example.com:5222"})
    BOOST_TEST(!Made().xmpp(name).is_for("im.example.com"), name);
  BOOST_TEST(!Made().xmpp("im.example.com", V_ASN1_IA5STRING).is_for("im.example.com"));
}

BOOST_AUTO_TEST_CASE(U_068_an_address_is_certified_by_an_IP_ID_only) {
  const std::string v4 = "\xc0\x00\x02\x01"s;
  const std::string v6 = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"s;
  BOOST_TEST(Made().ip(v4).is_for("192.0.2.1"));
  BOOST_TEST(Made().ip(v6).is_for("2001:db8::1"));
  BOOST_TEST(!Made().ip(v4).is_for("192.0.2.2"));
  BOOST_TEST(!Made().ip(v6).is_for("2001:db8::2"));
  BOOST_TEST(!Made().ip(v6.substr(12)).is_for("2001:db8::1"));
  BOOST_TEST(!Made().ip("").is_for("192.0.2.1"));
  BOOST_TEST(!Made().ip(v4 + "\xff\xff\xff\xff").is_for("192.0.2.1"));
  BOOST_TEST(!Made().ip("\xc0\x00\x02"s).is_for("192.0.2.1"));
  BOOST_TEST(!Made().dns("192.0.2.1").is_for("192.0.2.1"));
  BOOST_TEST(!Made().dns("*.0.2.1").is_for("192.0.2.1"));
  BOOST_TEST(!Made().srv("_xmpp-client.192.0.2.1").is_for("192.0.2.1"));
  BOOST_TEST(!Made().xmpp("192.0.2.1").is_for("192.0.2.1"));
  BOOST_TEST(!Made().dns("2001:db8::1").is_for("2001:db8::1"));
  BOOST_TEST(!Made().ip("a.ex").is_for("a.ex"));
}

BOOST_AUTO_TEST_CASE(U_067_the_common_name_counts_for_nothing) {
  BOOST_TEST(!Made().common_name("im.example.com").is_for("im.example.com"));
  BOOST_TEST(!Made().common_name("im.example.com").dns("other.example.com").is_for("im.example.com"));
  BOOST_TEST(Made().common_name("other.example.com").dns("im.example.com").is_for("im.example.com"));
  BOOST_TEST(!Made().is_for("im.example.com"));
}

BOOST_AUTO_TEST_CASE(names_of_other_kinds_count_for_nothing) {
  BOOST_TEST(!Made().uri("im.example.com").is_for("im.example.com"));
  BOOST_TEST(!Made().uri("xmpp:im.example.com").is_for("im.example.com"));
  BOOST_TEST(!Made().email("im.example.com").is_for("im.example.com"));
  for (const char* kind : {"1.3.6.1.5.5.7.8.6", "1.3.6.1.5.5.7.8.5.1", "1.3.6.1.5.5.7.8",
                           "1.3.6.1.5.5.7.8.5000000000000000000000000000000000000000000000000000"})
    for (const int type : {V_ASN1_IA5STRING, V_ASN1_UTF8STRING})
      BOOST_TEST(!Made().other(kind, type, "im.example.com").is_for("im.example.com"), kind);
}

BOOST_AUTO_TEST_CASE(U_069_one_name_of_many_is_enough) {
  const auto many = [] {
    Made many_named;
    many_named.dns("a.example")
        .srv("_xmpp-client.b.example")
        .xmpp("c.example")
        .ip("\xc0\x00\x02\x01"s)
        .srv("_xmpp-server.d.example")
        .dns("*.e.example");
    return many_named;
  };
  for (const std::string_view domain : {"a.example", "b.example", "c.example", "192.0.2.1", "x.e.example"})
    BOOST_TEST(many().is_for(domain), domain);
  for (const std::string_view domain : {"d.example", "e.example", "192.0.2.2", "_xmpp-client.b.example"})
    BOOST_TEST(!many().is_for(domain), domain);
}

BOOST_AUTO_TEST_CASE(U_071_names_with_a_NUL_match_nothing) {
  for (const std::string_view name : {"im.example.com\0"sv, "im.example.com\0.evil.example"sv,
                                      "\0im.example.com"sv, "im.example.com\0im.example.com"sv}) {
    BOOST_TEST(!Made().dns(name).is_for("im.example.com"));
    BOOST_TEST(!Made().xmpp(name).is_for("im.example.com"));
    BOOST_TEST(!Made().srv("_xmpp-client." + std::string(name)).is_for("im.example.com"));
  }
  BOOST_TEST(!Made().srv("_xmpp-client\0.im.example.com"sv).is_for("im.example.com"));
  BOOST_TEST(!Made().dns("*.example.com\0.evil.example"sv).is_for("im.example.com"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
