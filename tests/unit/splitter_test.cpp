#include "xml/splitter.hpp"

#include <malloc.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/cuts.hpp"

using tests::Outcome;
using tests::read_all_ways;
using xml::Error;

namespace {

constexpr std::string_view header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' "
    "id='s1' from='a.example' version='1.0'>";

std::string stream(std::string_view content) {
  return std::string(header) + std::string(content);
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

/// The text in UTF-16, without a byte order mark.
std::string utf_16(std::string_view text, bool big_endian) {
  std::string out;
  for (const char c : text) out += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return out;
}

Error one_read(const std::string& document, const xml::Limits& limits) {
  xml::Options options;
  options.limits = limits;
  return tests::read({document}, options, tests::Parsers::warm, false).error;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(splitter)

BOOST_AUTO_TEST_CASE(U_032_header_and_elements_are_found_at_every_cut) {
  const Outcome found = read_all_ways(
      stream(
          "<stream:features><bind xmlns='b'/></stream:features>\n <message to='a'><body>hi &amp; &#x1F600; "
          "<![CDATA[<x>]]></body></message><presence/> ") +
      "</stream:stream>");
  BOOST_CHECK(found.error == Error::none);
  BOOST_CHECK(found.closed);
  BOOST_CHECK_EQUAL(found.root,
                    "http://etherx.jabber.org/streams stream |id=s1 |from=a.example |version=1.0");
  const std::vector<std::string> names{"http://etherx.jabber.org/streams features", "jabber:client message",
                                       "jabber:client presence"};
  BOOST_TEST(found.names == names, boost::test_tools::per_element());
  BOOST_CHECK_EQUAL(
      found.elements[1],
      "<message xmlns='jabber:client' to='a'><body>hi &amp; &#x1F600; <![CDATA[<x>]]></body></message>");
  BOOST_CHECK_EQUAL(found.elements[2], "<presence xmlns='jabber:client'/>");
}

BOOST_AUTO_TEST_CASE(U_032_an_element_is_reported_with_its_last_byte_and_not_with_the_next) {
  const std::string element = "<iq type='result' id='a-long-enough-id-to-tempt-a-parser-into-waiting'/>";
  for (std::size_t cut = 1; cut < element.size(); ++cut) {
    xml::Pool pool(1);
    xml::Splitter splitter;
    xml::Batch batch;
    splitter.feed(pool, {}, header, batch);
    splitter.feed(pool, {}, element.substr(0, cut), batch);
    BOOST_CHECK(batch.elements.empty());
    splitter.feed(pool, {}, element.substr(cut), batch);
    BOOST_CHECK_EQUAL(batch.elements.size(), 1U);
    BOOST_CHECK_EQUAL(splitter.pending(), 0U);
  }
}

BOOST_AUTO_TEST_CASE(rule_4_a_stream_at_rest_holds_no_parser) {
  xml::Pool pool(1);
  xml::Splitter splitter;
  xml::Batch batch;
  splitter.feed(pool, {}, stream("<a>"), batch);
  BOOST_CHECK(splitter.holds_parser());
  splitter.feed(pool, {}, "</a> ", batch);
  BOOST_CHECK(!splitter.holds_parser());
  BOOST_CHECK_EQUAL(pool.parsers_kept(), 1U);
  pool.cool();
  BOOST_CHECK(pool.cool());
  BOOST_CHECK_EQUAL(pool.parsers_kept(), 0U);
  splitter.feed(pool, {}, "<b/>", batch);
  BOOST_CHECK_EQUAL(batch.elements.size(), 1U);
}

BOOST_AUTO_TEST_CASE(rule_4_many_streams_share_few_parsers) {
  xml::Pool pool(1, 3);
  std::vector<xml::Splitter> streams;
  streams.reserve(10);
  for (int i = 0; i < 10; ++i) streams.emplace_back();
  xml::Batch batch;
  for (xml::Splitter& s : streams) s.feed(pool, {}, header, batch);
  for (int round = 0; round < 5; ++round) {
    for (xml::Splitter& s : streams) {
      BOOST_CHECK(s.feed(pool, {}, "<a/>", batch) == Error::none);
      BOOST_CHECK_EQUAL(batch.elements.size(), 1U);
    }
  }
  BOOST_CHECK_LE(pool.parsers_kept(), 3U + 8U);
}

BOOST_AUTO_TEST_CASE(U_087_restricted_xml_is_refused_at_every_cut) {
  for (const std::string_view bad : {"<!-- comment -->", "<a><!-- c --></a>", "<?pi?>", "<a><?pi x?></a>",
                                     "<a>&foo;</a>", "<a b='&foo;'/>"})
    BOOST_CHECK_MESSAGE(read_all_ways(stream(bad)).error == Error::restricted, bad);
  for (const std::string_view bad :
       {"<!DOCTYPE x><x/>", "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "<!DOCTYPE x SYSTEM 'http://e/'><x/>",
        "<?pi?><x/>", "<!-- c --><x/>", "<?xml version='1.0'?><!DOCTYPE x><x/>"})
    BOOST_CHECK_MESSAGE(read_all_ways(bad).error == Error::restricted, bad);
}

BOOST_AUTO_TEST_CASE(U_088_what_is_not_well_formed_is_refused_at_every_cut) {
  for (const std::string_view bad :
       {"<a></b>", "<a b=c/>", "<a b='1' b='2'/>", "<p:a/>", "<a p:b='1'/>", "<a xmlns:p=''/>",
        "<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>", "<a>&#0;</a>", "<a>&#x8;</a>", "<a>\x01</a>",
        "<a>\xff</a>", "<a>\xc0\x80</a>", "<a>\xed\xa0\x80</a>", "<a>]]></a>", "<a<b/>", "</a>",
        "<?xml version='1.0'?>", "<a b='<'/>", "<a>\xef\xbf\xbf</a>"})
    BOOST_CHECK_MESSAGE(read_all_ways(stream(bad)).error == Error::malformed, bad);
}

BOOST_AUTO_TEST_CASE(U_089_U_091_only_utf_8_and_xml_1_0) {
  for (const std::string_view bad :
       {"<?xml version='1.1'?><a/>", "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        "<?xml version='1.0' encoding='UTF-16'?><a/>"})
    BOOST_CHECK_MESSAGE(read_all_ways(bad).error == Error::encoding, bad);
  for (const std::string_view good : {"<?xml version='1.0' encoding='UTF-8'?><a/>",
                                      "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes'?>\n<a/>"})
    BOOST_CHECK_MESSAGE(read_all_ways(good, {}, true).error == Error::none, good);
}

// expat takes a document for UTF-16 that begins like one, although it is told UTF-8.
BOOST_AUTO_TEST_CASE(U_089_UTF_16_is_refused_also_when_nothing_announces_it) {
  for (const std::string_view text : {"<a><b/></a>", " <a/>", "<?xml version='1.0'?><a/>"}) {
    for (const bool big_endian : {false, true}) {
      const std::string mark = big_endian ? "\xfe\xff" : "\xff\xfe";
      BOOST_CHECK(read_all_ways(utf_16(text, big_endian)).error == Error::encoding);
      BOOST_CHECK(read_all_ways(mark + utf_16(text, big_endian)).error == Error::encoding);
    }
  }
}

BOOST_AUTO_TEST_CASE(U_090_white_space_may_stand_between_elements_and_nothing_else) {
  BOOST_CHECK_EQUAL(read_all_ways(stream(" \n\t\r\n<a/>\r <b/> ")).elements.size(), 2U);
  for (const std::string_view bad : {"x<a/>", "<a/>x", "<a/>&#120;", "<a/><![CDATA[x]]>"})
    BOOST_CHECK_MESSAGE(read_all_ways(stream(bad)).error == Error::text, bad);
}

BOOST_AUTO_TEST_CASE(a_document_that_is_cut_off_is_malformed_when_it_is_said_to_be_whole) {
  for (const std::string_view bad : {"", " ", "<a", "<a>", "<a><b/>", "<a/><b/>", "<a/>x", "x"})
    BOOST_CHECK_MESSAGE(read_all_ways(bad, {}, true).error != Error::none, bad);
}

BOOST_AUTO_TEST_CASE(U_092_limits_hold_at_their_exact_value) {
  const auto allowed = [](const std::string& document, const xml::Limits& limits) {
    return one_read(document, limits) == Error::none;
  };
  xml::Limits limits;
  limits.element_bytes = 20;
  BOOST_CHECK(allowed("<r><a>" + repeat("x", 13) + "</a>", limits));
  BOOST_CHECK(!allowed("<r><a>" + repeat("x", 14) + "</a>", limits));
  BOOST_CHECK(!allowed("<r><a>" + repeat("x", 18), limits));  // seen before it is complete
  limits = {};
  limits.depth = 4;
  BOOST_CHECK(allowed("<r><a><a><a/></a></a>", limits));
  BOOST_CHECK(!allowed("<r><a><a><a><a/></a></a></a>", limits));
  limits = {};
  limits.attributes = 2;
  BOOST_CHECK(allowed("<r><a b='' c='' xmlns='d'/>", limits));
  BOOST_CHECK(!allowed("<r><a b='' c='' d=''/>", limits));
  limits = {};
  limits.declarations = 3;
  BOOST_CHECK(allowed("<r xmlns='d'><a xmlns:p='u' xmlns:q='v'/><b xmlns:p='u' xmlns:q='v'/>", limits));
  BOOST_CHECK(!allowed("<r xmlns='d'><a xmlns:p='u'><b xmlns:q='v'><c xmlns='e'/>", limits));
  limits = {};
  limits.name_bytes = 10;
  BOOST_CHECK(allowed("<r><" + repeat("n", 10) + "/>", limits));
  BOOST_CHECK(!allowed("<r><" + repeat("n", 11) + "/>", limits));
  BOOST_CHECK(allowed("<r><a " + repeat("n", 10) + "=''/>", limits));
  BOOST_CHECK(!allowed("<r><a " + repeat("n", 11) + "=''/>", limits));
  limits = {};
  limits.elements = 3;
  BOOST_CHECK(allowed("<r>" + repeat("<a/>", 3), limits));
  BOOST_CHECK(!allowed("<r>" + repeat("<a/>", 4), limits));
  limits = {};
  limits.token_bytes = 30;
  BOOST_CHECK(allowed("<r><a b='" + repeat("x", 24), limits));
  BOOST_CHECK(!allowed("<r><a b='" + repeat("x", 25), limits));
  BOOST_CHECK(allowed("<r><a>" + repeat("x", 1000), limits));  // text is no token
}

BOOST_AUTO_TEST_CASE(an_element_in_thousands_of_pieces_is_put_together) {
  const std::string text = repeat("0123456789", 5000);
  const std::string document = stream("<a>" + text + "</a><b/>");
  std::vector<std::string_view> pieces;
  for (std::size_t at = 0; at < document.size(); at += 7)
    pieces.push_back(std::string_view(document).substr(at, 7));
  const Outcome found = tests::read(pieces, {}, tests::Parsers::warm, false);
  BOOST_REQUIRE_EQUAL(found.elements.size(), 2U);
  BOOST_CHECK_EQUAL(found.elements[0], "<a xmlns='jabber:client'>" + text + "</a>");
}

// expat remembers every name until its parser is freed: a stream's parser has to be a new one now and then.
BOOST_AUTO_TEST_CASE(rule_5_names_that_never_come_again_are_forgotten) {
  xml::Pool pool(1);
  xml::Splitter splitter;
  xml::Batch batch;
  splitter.feed(pool, {}, header, batch);
  const std::size_t before = ::mallinfo2().uordblks;  // nothing under a sanitizer
  std::size_t found = 0;
  std::size_t fed = 0;
  for (unsigned i = 0; i < 100'000; ++i) {
    const std::string name = "n" + std::to_string(i);
    const std::string element =
        i % 2 == 0 ? "<" + name : " b" + name + "=''/><" + name + "/>";  // cut in a tag, or not
    BOOST_REQUIRE(splitter.feed(pool, {}, element, batch) == Error::none);
    found += batch.elements.size();
    fed += element.size();
  }
  BOOST_CHECK_EQUAL(found, 100'000U);
  BOOST_CHECK_GT(fed, 1'000'000U);
  BOOST_CHECK_LT(::mallinfo2().uordblks, before + 2'000'000);
}

BOOST_AUTO_TEST_CASE(U_088_a_second_declaration_is_refused_also_by_another_parser) {
  for (const bool cooled : {false, true}) {
    xml::Pool pool(1);
    xml::Splitter splitter;
    xml::Batch batch;
    BOOST_CHECK(splitter.feed(pool, {}, "<?xml version='1.0'?>", batch) == Error::none);
    if (cooled) {
      pool.cool();
      pool.cool();
    }
    BOOST_CHECK(splitter.feed(pool, {}, "<?xml version='1.0'?><a>", batch) != Error::none);
  }
}

BOOST_AUTO_TEST_CASE(after_an_error_nothing_more_is_reported) {
  xml::Pool pool(1);
  xml::Splitter splitter;
  xml::Batch batch;
  BOOST_CHECK(splitter.feed(pool, {}, stream("<a/><!-- --><b/>"), batch) == Error::restricted);
  BOOST_CHECK_EQUAL(batch.elements.size(), 1U);
  BOOST_CHECK(splitter.feed(pool, {}, "<c/>", batch) == Error::restricted);
  BOOST_CHECK(batch.elements.empty());
}

BOOST_AUTO_TEST_SUITE_END()
