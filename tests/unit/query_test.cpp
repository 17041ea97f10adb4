// What of a client's URL its server is told.
#include "src/query.hpp"

#include <boost/test/unit_test.hpp>

namespace boshd {
namespace {

using namespace std::literals;

/// The parameters that the server is told, without the element around them.
std::string told(std::string_view query, const std::vector<std::string>& allowed = {"a", "b"}) {
  std::string element = query_element("/ws?" + std::string(query), allowed);
  if (element.empty()) return "nothing";
  constexpr std::string_view open = "<query xmlns='";
  BOOST_REQUIRE_MESSAGE(element.starts_with(open), element);
  BOOST_REQUIRE_MESSAGE(element.ends_with("</query>"), element);
  const auto begin = element.find("'>") + 2;
  return element.substr(begin, element.size() - 8 - begin);
}

/// The value of one parameter, escaped as it is.
std::string value(std::string_view written) {
  std::string element = told("a=" + std::string(written));
  constexpr std::string_view open = "<parameter name='a'>";
  constexpr std::string_view close = "</parameter>";
  if (!element.starts_with(open) || !element.ends_with(close)) return element;
  return element.substr(open.size(), element.size() - open.size() - close.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(query)

BOOST_AUTO_TEST_CASE(nothing_is_told_of_a_URL_without_parameters_that_are_allowed) {
  for (const std::string_view target :
       {"/ws", "/ws?", "", "?", "/ws?&&&", "/ws?=", "/ws?=1", "/ws?c=1&d=2", "/a=1"})
    BOOST_TEST(query_element(target, {"a", "b"}) == "", target);
  BOOST_TEST(query_element("/ws?a=1", {}) == "");
}

BOOST_AUTO_TEST_CASE(a_parameter_is_an_element_of_its_own) {
  const std::string element = query_element("/ws?a=1", {"a"});
  BOOST_TEST(element.starts_with("<query xmlns='"));
  BOOST_TEST(element.ends_with("'><parameter name='a'>1</parameter></query>"));
  BOOST_TEST(query_element("http://a.example/ws?a=1", {"a"}) == element);
}

BOOST_AUTO_TEST_CASE(several_stand_in_their_order) {
  BOOST_TEST(told("b=2&a=1") == "<parameter name='b'>2</parameter><parameter name='a'>1</parameter>");
  BOOST_TEST(told("a=1&a=2") == "<parameter name='a'>1</parameter><parameter name='a'>2</parameter>");
  BOOST_TEST(told("x=0&a=1&y=2&&b=&z") ==
             "<parameter name='a'>1</parameter><parameter name='b'></parameter>");
}

BOOST_AUTO_TEST_CASE(only_names_that_are_allowed_pass) {
  for (const std::string_view query :
       {"A=1", "aa=1", "a%20=1", "%61=1", " a=1", "a =1", "c=1", "a;b=1", "ab"})
    BOOST_TEST(told(query) == "nothing", query);
  BOOST_TEST(told("a'<&=1", {"a'<&", "a'<"}) == "<parameter name='a&apos;&lt;'></parameter>");
}

BOOST_AUTO_TEST_CASE(a_value_may_be_empty_or_have_any_sign) {
  BOOST_TEST(value("") == "");
  BOOST_TEST(told("a") == "<parameter name='a'></parameter>");
  BOOST_TEST(value("=") == "=");
  BOOST_TEST(value("b=c?d/e#f;g") == "b=c?d/e#f;g");
}

BOOST_AUTO_TEST_CASE(values_are_decoded) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"%41%62%7a", "Abz"},
      {"a+b", "a b"},
      {"+", " "},
      {"a%2Bb", "a+b"},
      {"a%2bb", "a+b"},
      {"%25", "%"},
      {"%2541", "%41"},
      {"%26", "&amp;"},
      {"%3d", "="},
      {"%C3%A4", "\xc3\xa4"},
      {"\xc3\xa4", "\xc3\xa4"},
      {"\xc3%a4", "\xc3\xa4"},
      {"%f0%9f%98%80", "\xf0\x9f\x98\x80"},
      {"%09", "&#9;"},
  };
  for (const auto& [written, decoded] : cases) BOOST_TEST(value(written) == decoded, written);
}

BOOST_AUTO_TEST_CASE(a_percent_sign_that_encodes_nothing_stays) {
  for (const std::string_view written :
       {"%", "%4", "%%", "%zz", "%4z", "%z4", "100%", "%-1", "% 1", "%0x", "%4%"})
    BOOST_TEST(value(written) == written, written);
  BOOST_TEST(value("%+1") == "% 1");
  BOOST_TEST(value("%%41") == "%A");
}

BOOST_AUTO_TEST_CASE(what_would_be_markup_is_escaped) {
  BOOST_TEST(value("<a b='\"'>") == "&lt;a b=&apos;&quot;&apos;&gt;");
  BOOST_TEST(value("%3C/parameter%3E%3C/query%3E%3Ciq/%3E") == "&lt;/parameter&gt;&lt;/query&gt;&lt;iq/&gt;");
  BOOST_TEST(value("%26lt;%5d%5d%3e") == "&amp;lt;]]&gt;");
}

BOOST_AUTO_TEST_CASE(values_that_are_no_text_are_left_out) {
  std::vector<std::string> wrong = {
      "%00",       "%0a",       "%0D",    "%1f",       "%7f",          "%0b",          "%80",
      "%c3",       "%c3x",      "%c0%af", "%ed%a0%80", "%f5%80%80%80", "%f4%90%80%80", "%ff",
      "%ef%bf%be", "%ef%bf%bf", "x%00x",  "\xff",      "\x01",         "%c3%",         "%c3%zz",
  };
  wrong.push_back("\0"s);
  for (const std::string& written : wrong) {
    BOOST_TEST(value(written) == "nothing", written);
    BOOST_TEST(told("a=" + written + "&b=2") == "<parameter name='b'>2</parameter>", written);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
