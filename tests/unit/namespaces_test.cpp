// An element that leaves its root must mean the same elsewhere (RFC 6120 §4.8.5).
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "tests/unit/cuts.hpp"
#include "xml/escape.hpp"

using tests::read_all_ways;
using xml::Error;

namespace {

constexpr std::string_view httpbind = "http://jabber.org/protocol/httpbind";

/// The only child of a root, taken out of it.
std::string taken(std::string_view root, std::string_view child, const xml::Options& options = {}) {
  const tests::Outcome found = read_all_ways(std::string(root) + std::string(child), options);
  BOOST_REQUIRE_MESSAGE(found.error == Error::none, child << ": " << xml::to_string(found.error));
  BOOST_REQUIRE_EQUAL(found.elements.size(), 1U);
  return found.elements[0];
}

xml::Options renaming() {
  xml::Options options;
  options.renamed = httpbind;
  options.renamed_to = "jabber:client";
  return options;
}

xml::Options with_language(std::string_view known) {
  xml::Options options;
  options.inherit_language = true;
  options.language = known;
  return options;
}

constexpr std::string_view body =
    "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:x='urn:x' xmlns:unused='urn:u'>";

}  // namespace

BOOST_AUTO_TEST_SUITE(namespaces)

BOOST_AUTO_TEST_CASE(U_081_the_default_namespace_comes_along_unless_it_is_declared_anew) {
  BOOST_CHECK_EQUAL(taken("<r xmlns='u'>", "<a/>"), "<a xmlns='u'/>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='u'>", "<a xmlns='v'><b/></a>"), "<a xmlns='v'><b/></a>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='u'>", "<p:a xmlns:p='v'><b/></p:a>"),
                    "<p:a xmlns='u' xmlns:p='v'><b/></p:a>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='u'>", "<p:a xmlns:p='v'><p:b/></p:a>"), "<p:a xmlns:p='v'><p:b/></p:a>");
}

BOOST_AUTO_TEST_CASE(B_038_U_083_prefixes_stay_and_come_along_where_they_are_used) {
  BOOST_CHECK_EQUAL(taken("<r xmlns:p='u' xmlns:q='v'>", "<p:a/>"), "<p:a xmlns:p='u'/>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='d' xmlns:p='u'>", "<a p:b='1'/>"), "<a xmlns='d' xmlns:p='u' p:b='1'/>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='d' xmlns:p='u'>", "<a><p:b/><p:c/></a>"),
                    "<a xmlns='d' xmlns:p='u'><p:b/><p:c/></a>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='d' xmlns:p='u'>", "<a xmlns:p='v'><p:b/></a>"),
                    "<a xmlns='d' xmlns:p='v'><p:b/></a>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='d' xmlns:p='u'>", "<a><b xmlns:p='v'><p:c/></b><p:d/></a>"),
                    "<a xmlns='d' xmlns:p='u'><b xmlns:p='v'><p:c/></b><p:d/></a>");
  BOOST_CHECK_EQUAL(taken("<r xmlns:p='u&amp;&apos;v'>", "<p:a/>"), "<p:a xmlns:p='u&amp;&apos;v'/>");
}

BOOST_AUTO_TEST_CASE(an_element_in_no_namespace_stays_in_none) {
  BOOST_CHECK_EQUAL(taken("<r>", "<a/>"), "<a xmlns=''/>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='u'>", "<a xmlns=''><b/></a>"), "<a xmlns=''><b/></a>");
  BOOST_CHECK_EQUAL(taken("<p:r xmlns:p='u'>", "<p:a><b/></p:a>"), "<p:a xmlns:p='u' xmlns=''><b/></p:a>");
}

BOOST_AUTO_TEST_CASE(the_place_for_declarations_is_right_behind_the_name) {
  BOOST_CHECK_EQUAL(taken("<r xmlns='u'>", "<a\n\tb = \"1>2\" />"), "<a xmlns='u'\n\tb = \"1>2\" />");
  BOOST_CHECK_EQUAL(taken("<r xmlns='u'>", "<\xc3\xa4-1.b/>"), "<\xc3\xa4-1.b xmlns='u'/>");
}

BOOST_AUTO_TEST_CASE(U_084_the_roots_language_comes_along_unless_it_is_known) {
  constexpr std::string_view root = "<r xmlns='u' xml:lang='de'>";
  BOOST_CHECK_EQUAL(taken(root, "<a/>", with_language("")), "<a xmlns='u' xml:lang='de'/>");
  BOOST_CHECK_EQUAL(taken(root, "<a/>", with_language("en")), "<a xmlns='u' xml:lang='de'/>");
  BOOST_CHECK_EQUAL(taken(root, "<a/>", with_language("de")), "<a xmlns='u'/>");
  BOOST_CHECK_EQUAL(taken(root, "<a xml:lang='fr'/>", with_language("en")), "<a xmlns='u' xml:lang='fr'/>");
  BOOST_CHECK_EQUAL(taken("<r xmlns='u'>", "<a/>", with_language("en")), "<a xmlns='u'/>");
}

BOOST_AUTO_TEST_CASE(X_008_what_inherits_httpbind_is_meant_as_jabber_client) {
  BOOST_CHECK_EQUAL(taken(body, "<message><body>hi</body></message>", renaming()),
                    "<message xmlns='jabber:client'><body>hi</body></message>");
  BOOST_CHECK_EQUAL(taken(body, "<message xmlns='jabber:client'><body/></message>", renaming()),
                    "<message xmlns='jabber:client'><body/></message>");
  BOOST_CHECK_EQUAL(taken(body, "<iq><q xmlns='urn:q'><x:i/></q></iq>", renaming()),
                    "<iq xmlns='jabber:client' xmlns:x='urn:x'><q xmlns='urn:q'><x:i/></q></iq>");
}

BOOST_AUTO_TEST_CASE(X_008_also_when_it_is_declared_on_the_element_or_below) {
  BOOST_CHECK_EQUAL(
      taken(body, "<message xmlns='http://jabber.org/protocol/httpbind' to='a'><body/></message>",
            renaming()),
      "<message xmlns='jabber:client' to='a'><body/></message>");
  BOOST_CHECK_EQUAL(
      taken(body,
            "<iq to='http://jabber.org/protocol/httpbind' xmlns = \"http://jabber.org/protocol/httpbind\"/>",
            renaming()),
      "<iq to='http://jabber.org/protocol/httpbind' xmlns = \"jabber:client\"/>");
  BOOST_CHECK_EQUAL(
      taken(body, "<iq><q xmlns='urn:q'><m xmlns='http://jabber.org/protocol/httpbind'/></q></iq>",
            renaming()),
      "<iq xmlns='jabber:client'><q xmlns='urn:q'><m xmlns='jabber:client'/></q></iq>");
}

BOOST_AUTO_TEST_CASE(X_008_only_the_declaration_is_renamed_and_not_what_looks_like_one) {
  const std::string declared = "xmlns='http://jabber.org/protocol/httpbind'";
  for (const std::string& before : {"to=\" " + declared + "\"", "n='" + std::string(httpbind) + "'",
                                    std::string("a = '>'\n b='='"), std::string("xmlnsx='' x='/'")})
    BOOST_CHECK_EQUAL(taken(body, "<m " + before + " " + declared + "/>", renaming()),
                      "<m " + before + " xmlns='jabber:client'/>");
}

BOOST_AUTO_TEST_CASE(X_008_a_declaration_that_can_not_be_renamed_as_it_stands_is_refused) {
  BOOST_CHECK(
      read_all_ways(std::string(body) + "<m xmlns='http&#58;//jabber.org/protocol/httpbind'/>", renaming())
          .error == Error::restricted);
}

BOOST_AUTO_TEST_CASE(X_010_httpbind_under_a_prefix_is_refused) {
  for (const std::string_view bad : {"<h:message xmlns:h='http://jabber.org/protocol/httpbind'/>",
                                     "<a xmlns:h='http://jabber.org/protocol/httpbind'/>"})
    BOOST_CHECK(read_all_ways(std::string(body) + std::string(bad), renaming()).error == Error::restricted);
  constexpr std::string_view prefixed = "<h:body xmlns:h='http://jabber.org/protocol/httpbind'><h:message/>";
  BOOST_CHECK(read_all_ways(prefixed, renaming()).error == Error::restricted);
}

BOOST_AUTO_TEST_CASE(what_was_taken_out_parses_alone_to_the_same_names) {
  for (const std::string_view child :
       {"<a/>", "<x:a><b/></x:a>", "<a x:b=''><c xmlns='v'><x:d/></c></a>", "<a xmlns=''><x:b/></a>"}) {
    const std::string document = "<r xmlns='urn:d' xmlns:x='urn:x'>" + std::string(child);
    const tests::Outcome inside = read_all_ways(document);
    const tests::Outcome alone = read_all_ways("<other>" + inside.elements.at(0));
    BOOST_CHECK_EQUAL(alone.names.at(0), inside.names.at(0));
    BOOST_CHECK_EQUAL(alone.elements.at(0), inside.elements.at(0));
  }
}

BOOST_AUTO_TEST_CASE(escaped_text_reads_back_as_it_was) {
  std::string out = "<r";
  xml::append_attribute(out, "a", "<>&'\"\t\n\r ü😀");
  out += '>';
  BOOST_CHECK_EQUAL(read_all_ways(out).root, " r |a=<>&'\"\t\n\r ü😀");
}

BOOST_AUTO_TEST_SUITE_END()
