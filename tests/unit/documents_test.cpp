// Documents that come one after the other are read within one that stays open. Nobody must be able to tell:
// each means what it means alone, and so does the one behind it.
#include <malloc.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/documents.hpp"
#include "xml/splitter.hpp"

using tests::alone;
using tests::told;

namespace {

using namespace std::string_view_literals;

xml::Options strict() {
  xml::Options options;
  options.limits = {.element_bytes = 200,
                    .token_bytes = 100,
                    .name_bytes = 30,
                    .depth = 3,
                    .attributes = 2,
                    .declarations = 2,
                    .elements = 3};
  options.renamed = "urn:old";
  options.renamed_to = "urn:new";
  options.inherit_language = true;
  return options;
}

constexpr std::string_view good =
    "<r xmlns='urn:r' xml:lang='de' a='&lt;'><a xmlns:p='urn:p' p:b=''/> <c/></r>";
constexpr std::string_view bare = "<r><a/></r>";

const std::vector<std::string> documents = [] {
  std::vector<std::string> all;
  for (const std::string_view text :
       {good, bare, " \r\n<r/>\t\n"sv, "<r/>\r"sv, "\n<r/>"sv, "<r>\r</r>\r\n"sv,
        "<r xmlns='urn:old'><m/></r>"sv, "<r xmlns='urn:old'><m xmlns='urn:old'/></r>"sv,
        "<p:r xmlns:p='urn:old'><p:a/></p:r>"sv,
        // namespaces and languages of one that comes before
        "<r xmlns:p='urn:p'><p:a/></r>"sv, "<r><p:a/></r>"sv, "<p:r/>"sv, "<r p:a='1'/>"sv,
        "<r xmlns='urn:p' xml:lang='fr'><a/></r>"sv, "<r xmlns=''><a/></r>"sv, "<x xmlns='urn:x'><x/></x>"sv,
        "<x/>"sv,
        // no single element
        ""sv, " "sv, "x"sv, "<r/>x"sv, "x<r/>"sv, "<r/><r/>"sv, "<r/>]"sv, "<r/>]]>"sv, "<r/>&#32;"sv,
        "&#32;<r/>"sv, "<![CDATA[ ]]><r/>"sv, "<r/><![CDATA[]]>"sv, "<r/>\xc2"sv, "<r/>\0"sv, "\0<r/>"sv,
        // the root around it is not theirs
        "</x>"sv, "<r/></x>"sv, "<r/></x><x>"sv, "</x><x>"sv, "</x><x><r/>"sv, "<r></x>"sv, "</r>"sv,
        "<r></x><x></r>"sv,
        // what may stand before a root only
        "<?xml version='1.0'?><r/>"sv, "<?xml version='1.0' encoding='utf-8'?>\n<r/>"sv,
        "<?xml version='1.1'?><r/>"sv, "<?xml version='1.0' encoding='latin1'?><r/>"sv,
        " <?xml version='1.0'?><r/>"sv, "<r/><?xml version='1.0'?>"sv, "\xef\xbb\xbf<r/>"sv,
        "<r/>\xef\xbb\xbf"sv, "<!DOCTYPE r><r/>"sv,
        "<!DOCTYPE r [<!ENTITY e 'x'><!ATTLIST r a CDATA 'x'>]><r>&e;</r>"sv, "<r><!DOCTYPE r></r>"sv,
        "<r/><!DOCTYPE r>"sv,
        // restricted, not well-formed, another encoding
        "<!-- --><r/>"sv, "<r><!-- --></r>"sv, "<?pi?><r/>"sv, "<r/><?pi?>"sv, "<r>&e;</r>"sv,
        "<r a='&e;'/>"sv, "<r>text</r>"sv, "<r><a></r>"sv, "<r a='1' a='2'/>"sv, "<r a=1/>"sv,
        "<r>&#0;</r>"sv, "<r>\xff</r>"sv, "<\0r\0/\0>\0"sv, "\0<\0r\0/\0>"sv, "\xff\xfe<\0r\0/\0>\0"sv,
        "\xfe\xff\0<\0r\0/\0>"sv,
        // cut off
        "<"sv, "<r"sv, "<r a='"sv, "<r>"sv, "<r><a/>"sv, "<r><a>text"sv, "<r/><"sv, "<r/><!"sv, "<r>&am"sv,
        "<r/>\xe2\x82"sv, "<r><![CDATA[x"sv,
        // the limits
        "<r><a><b/></a></r>"sv, "<r><a><b><c/></b></a></r>"sv, "<r><a b='' c=''/></r>"sv,
        "<r><a b='' c='' d=''/></r>"sv, "<r xmlns='u'><a xmlns:p='u'/><b xmlns:p='u'/></r>"sv,
        "<r xmlns='u'><a xmlns:p='u' xmlns:q='v'/></r>"sv, "<r><a/><a/><a/></r>"sv,
        "<r><a/><a/><a/><a/></r>"sv})
    all.emplace_back(text);
  for (const std::size_t size : {80, 150, 250}) {
    const std::string text(size, 't');
    all.push_back("<r a='" + text + "'/>");
    all.push_back("<r><a>" + text + "</a></r>");
    all.push_back("<r>" + std::string(size, ' ') + "</r>" + std::string(size, ' '));
  }
  all.push_back("<r><" + std::string(31, 'n') + "/></r>");
  return all;
}();

}  // namespace

BOOST_AUTO_TEST_SUITE(one_after_the_other)

BOOST_AUTO_TEST_CASE(each_is_read_as_if_it_were_alone_whatever_came_before) {
  const xml::Options options = strict();
  xml::Parser parser(42);
  const auto check = [&](std::string_view document, std::string_view before) {
    const xml::Error error = parser.read(options, document);
    const std::string found = told(parser, error, document);
    BOOST_CHECK_MESSAGE(found == alone(document, options), document
                                                               << " behind " << before << ": " << found
                                                               << "\nalone: " << alone(document, options));
  };
  for (const std::string& first : documents) {
    for (const std::string& second : documents) {
      check(first, "another pair");
      check(second, first);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_reader_in_pieces_can_become_one_of_whole_documents_and_back) {
  xml::Parser parser(42);
  for (int round = 0; round < 3; ++round) {
    parser.begin();
    BOOST_CHECK(parser.feed({}, "<?xml version='1.0'?><s:s xmlns:s='urn:s'><a>", false) == xml::Error::none);
    BOOST_CHECK(parser.read({}, "<r><s:a/></r>") == xml::Error::malformed);
    for (int again = 0; again < 3; ++again) {
      BOOST_CHECK(parser.read({}, good) == xml::Error::none);
      BOOST_CHECK_EQUAL(parser.found().size(), 2U);
    }
  }
}

BOOST_AUTO_TEST_CASE(options_may_differ_from_document_to_document) {
  xml::Parser parser(42);
  xml::Options lax;
  lax.drop_text = true;
  for (int round = 0; round < 2; ++round) {
    BOOST_CHECK(parser.read(lax, "<r>text<a/></r>") == xml::Error::none);
    BOOST_CHECK(parser.read({}, "<r>text<a/></r>") == xml::Error::text);
    BOOST_CHECK(parser.read(strict(), "<r><a><b><c/></b></a></r>") == xml::Error::too_large);
    BOOST_CHECK(parser.read(lax, "<r><a><b><c/></b></a></r>") == xml::Error::none);
  }
}

// expat remembers every name until its parser is freed, and clients choose them.
BOOST_AUTO_TEST_CASE(rule_5_names_of_documents_that_are_over_are_forgotten) {
  xml::Pool pool(1);
  pool.documents().read({}, good);
  const std::size_t before = ::mallinfo2().uordblks;  // nothing under a sanitizer
  for (unsigned i = 0; i < 100'000; ++i) {
    const std::string name = "n" + std::to_string(i);
    const std::string document =
        "<" + name + " a" + name + "='' xmlns:" + name + "='u'><" + name + ":b/></" + name + ">";
    xml::Parser& parser = pool.documents();
    BOOST_REQUIRE(parser.read({}, document) == xml::Error::none);
    BOOST_REQUIRE_EQUAL(parser.found().size(), 1U);
    BOOST_REQUIRE_EQUAL(parser.root().name, name);
  }
  BOOST_CHECK_LT(::mallinfo2().uordblks, before + 2'000'000);
}

BOOST_AUTO_TEST_CASE(a_large_document_takes_its_memory_along) {
  xml::Pool pool(1);
  pool.documents().read({}, good);
  const std::size_t before = ::mallinfo2().uordblks;
  BOOST_CHECK(pool.documents().read({}, "<r><a>" + std::string(1'000'000, 'x') + "</a></r>") ==
              xml::Error::none);
  pool.cool();
  BOOST_CHECK_LT(::mallinfo2().uordblks, before + 100'000);
}

BOOST_AUTO_TEST_SUITE_END()
