#include "bosh/body.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "bosh/reply.hpp"

using namespace bosh;

namespace {

ParsedBody parse(std::string_view text, const xml::Limits& limits = {}) {
  xml::Pool pool(1);
  return parse_body(pool, text, limits);
}

/// A body with these attributes and children.
std::string body(std::string_view attributes, std::string_view children = {}) {
  return "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' " +
         std::string(attributes) + ">" + std::string(children) + "</body>";
}

bool is_fault(std::string_view attributes, std::string_view children = {}) {
  const ParsedBody parsed = parse(body(attributes, children));
  BOOST_CHECK(parsed.fault.empty() || parsed.body.payload.empty());
  return !parsed.fault.empty();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bodies)

BOOST_AUTO_TEST_CASE(X_090_the_creation_request_of_strophe) {
  const ParsedBody parsed = parse(
      R"(<body content="text/xml; charset=utf-8" hold="1" rid="2718281828" to="localhost" ver="1.6" wait="60" xml:lang="en" )"
      R"(xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" xmpp:version="1.0"/>)");
  BOOST_CHECK_EQUAL(parsed.fault, "");
  const Body& read = parsed.body;
  BOOST_CHECK_EQUAL(read.rid, 2718281828U);
  BOOST_CHECK_EQUAL(read.sid, "");
  BOOST_CHECK_EQUAL(read.to, "localhost");
  BOOST_CHECK_EQUAL(read.language, "en");
  BOOST_CHECK(read.version == (Version{1, 6}));
  BOOST_CHECK(read.wait == 60U && read.hold == 1U);
  BOOST_CHECK_EQUAL(read.xmpp_version, "1.0");
  BOOST_CHECK(!read.restart && !read.terminate);
}

BOOST_AUTO_TEST_CASE(B_004_numbers_are_read_strictly) {
  for (const char* bad :
       {"", "x", "-1", "+1", "1.0", "0x1", "1 2", "99999999999999999", "18446744073709551617"}) {
    BOOST_CHECK_MESSAGE(is_fault("rid='" + std::string(bad) + "'"), bad);
    BOOST_CHECK_MESSAGE(is_fault("rid='1' wait='" + std::string(bad) + "'"), bad);
    BOOST_CHECK_MESSAGE(is_fault("rid='1' hold='" + std::string(bad) + "'"), bad);
  }
  BOOST_CHECK_EQUAL(parse(body("rid=' 17\n'")).body.rid, 17U);
}

BOOST_AUTO_TEST_CASE(B_138_rids_from_1_to_2_to_the_53_minus_1) {
  BOOST_CHECK(is_fault("to='a'"));
  BOOST_CHECK(is_fault("rid='0'"));
  BOOST_CHECK(!is_fault("rid='1'"));
  BOOST_CHECK(!is_fault("rid='9007199254740991'"));
  BOOST_CHECK(is_fault("rid='9007199254740992'"));
}

BOOST_AUTO_TEST_CASE(B_005_order_and_quotes_do_not_matter) {
  const Body read =
      parse("<body sid=\"s\" to='a' xmlns=\"http://jabber.org/protocol/httpbind\" rid=\"7\"/>").body;
  BOOST_CHECK_EQUAL(read.rid, 7U);
  BOOST_CHECK_EQUAL(read.sid, "s");
  BOOST_CHECK(is_fault("rid='1' rid='1'"));
}

BOOST_AUTO_TEST_CASE(B_032_B_033_B_036_payloads_of_any_namespace_with_blanks_between_them) {
  const auto parsed =
      parse(body("rid='1' sid='s'", "\n <a xmlns='urn:a'>\xC3\xA9</a>\t<b xmlns='urn:b'/>\r\n"));
  BOOST_CHECK_EQUAL(parsed.fault, "");
  BOOST_CHECK_EQUAL(parsed.body.payload, "<a xmlns='urn:a'>\xC3\xA9</a><b xmlns='urn:b'/>");
  BOOST_CHECK(!parse(body("rid='1' sid='s'", "<a xmlns='urn:a'/>x")).fault.empty());
  BOOST_CHECK(!parse(body("rid='1' sid='s'", "<a xmlns='urn:a'>\xE9</a>")).fault.empty());
}

BOOST_AUTO_TEST_CASE(X_038_what_is_in_SASL_elements_is_not_touched) {
  const std::string response = "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\n  YT1i=\r\n</response>";
  BOOST_CHECK_EQUAL(parse(body("rid='1' sid='s'", response)).body.payload, response);
}

BOOST_AUTO_TEST_CASE(B_019_B_057_a_media_type_is_a_type_and_a_subtype) {
  for (const char* good :
       {"text/xml", "text/xml; charset=utf-8", "application/xml;a=\"b\"", "text/plain ; x=y"})
    BOOST_CHECK_EQUAL(parse(body("rid='1' content='" + std::string(good) + "'")).body.content, good);
  for (const char* bad : {"text", "/x", "x/", "te xt/xml", "text/x y", "text/xml;&#10;a", "text/xml&#0;"})
    BOOST_CHECK_MESSAGE(is_fault("content='" + std::string(bad) + "' rid='1'"), bad);
  BOOST_CHECK(is_fault("rid='1' content='text/" + std::string(200, 'x') + "'"));
}

BOOST_AUTO_TEST_CASE(B_004_B_061_acks_and_pauses_are_numbers) {
  const Body read = parse(body("rid='2' sid='s' ack='1' pause='60' key='k' newkey='n' stream='t'")).body;
  BOOST_CHECK(read.ack == 1U && read.pause == 60U);
  BOOST_CHECK_EQUAL(read.key + read.newkey + read.stream, "knt");
  for (const char* bad : {"ack='x'", "ack='-1'", "pause='1.5'", "pause=''"})
    BOOST_CHECK_MESSAGE(is_fault("rid='2' sid='s' " + std::string(bad)), bad);
  BOOST_CHECK(is_fault("rid='2' pause='60'"));
}

BOOST_AUTO_TEST_CASE(B_183_without_ver_a_client_is_legacy) {
  BOOST_CHECK(parse(body("rid='1'")).body.legacy);
  BOOST_CHECK(!parse(body("rid='1' ver='1.6'")).body.legacy);
  BOOST_CHECK(!parse(body("rid='1' ver='odd'")).body.legacy);
}

BOOST_AUTO_TEST_CASE(a_message_or_presence_shows_that_the_login_is_over) {
  const auto talks = [](const char* payload) { return parse(body("rid='1' sid='s'", payload)).body.talks; };
  BOOST_CHECK(talks("<message/>") && talks("<presence xmlns='jabber:client'/>"));
  BOOST_CHECK(!talks("<iq/>") && !talks("<message xmlns='other'/>") && !talks(""));
}

BOOST_AUTO_TEST_CASE(B_046_versions_are_two_integers) {
  BOOST_CHECK((Version{1, 6} < Version{1, 10}));
  BOOST_CHECK((Version{1, 10} < Version{2, 0}));
  BOOST_CHECK(parse(body("rid='1' ver='1.10'")).body.version == (Version{1, 10}));
  for (const char* odd : {"1", "x.y", "1.", ".1", "1.-1", "1.6.2"})
    BOOST_CHECK_MESSAGE(!parse(body("rid='1' ver='" + std::string(odd) + "'")).body.version, odd);
}

BOOST_AUTO_TEST_CASE(B_003_X_001_X_002_restart_counts_under_any_prefix_and_only_in_its_namespace) {
  for (const char* yes : {"true", "1", " true "})
    BOOST_CHECK(parse(body("rid='1' sid='s' xmpp:restart='" + std::string(yes) + "'")).body.restart);
  BOOST_CHECK(parse(body("rid='1' sid='s' xmlns:y='urn:xmpp:xbosh' y:restart='true'")).body.restart);
  for (const char* no :
       {"restart='true'", "xmpp:restart='false'", "xmpp:restart='0'", "xmlns:y='urn:y' y:restart='true'"})
    BOOST_CHECK_MESSAGE(!parse(body("rid='1' sid='s' " + std::string(no))).body.restart, no);
}

BOOST_AUTO_TEST_CASE(B_026_another_root_is_a_fault) {
  for (const char* bad :
       {"<body rid='1'/>", "<body xmlns='other' rid='1'/>",
        "<b xmlns='http://jabber.org/protocol/httpbind' rid='1'/>",
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>", "", "text", "{\"rid\":1}"})
    BOOST_CHECK_MESSAGE(!parse(bad).fault.empty() && !parse(bad).root_read, bad);
}

BOOST_AUTO_TEST_CASE(B_030_what_may_stand_before_the_root) {
  const std::string root = body("rid='1'");
  for (const char* before :
       {"<?xml version='1.0'?>", "<?xml version='1.0' encoding='utf-8'?>\n", "\n ", "\xef\xbb\xbf"})
    BOOST_CHECK_MESSAGE(parse(before + root).fault.empty(), before);
  for (const char* before :
       {"<?xml version='1.1'?>", "<!DOCTYPE body>", "<!-- -->", "<?pi?>", "x", " <?xml version='1.0'?>"})
    BOOST_CHECK_MESSAGE(!parse(before + root).fault.empty(), before);
}

BOOST_AUTO_TEST_CASE(B_061_terminate_without_a_sid_is_a_fault) {
  BOOST_CHECK(is_fault("rid='1' type='terminate'"));
  BOOST_CHECK(parse(body("rid='1' sid='s' type='terminate'")).body.terminate);
}

BOOST_AUTO_TEST_CASE(B_038_payload_is_taken_out_whole_and_in_order) {
  const ParsedBody parsed =
      parse(body("rid='1' sid='s' xmlns:x='urn:x'",
                 "\n <message><body>a</body></message> <x:r/><iq xmlns='jabber:client'/>\n"));
  BOOST_CHECK_EQUAL(parsed.fault, "");
  BOOST_CHECK_EQUAL(parsed.body.payload,
                    "<message xmlns='jabber:client'><body>a</body></message><x:r xmlns:x='urn:x'/><iq "
                    "xmlns='jabber:client'/>");
}

BOOST_AUTO_TEST_CASE(X_014_a_client_can_not_speak_for_the_stream) {
  for (const char* bad : {"<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>",
                          "<features xmlns='http://etherx.jabber.org/streams'/>",
                          "<s:error xmlns:s='http://etherx.jabber.org/streams'/>",
                          "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<presence/>text",
                          "<presence/><!-- c -->", "<a", "</body>"})
    BOOST_CHECK_MESSAGE(is_fault("rid='1' sid='s'", "<presence/>" + std::string(bad)), bad);
}

BOOST_AUTO_TEST_CASE(U_078_a_stanza_of_servers_is_a_fault) {
  BOOST_CHECK(is_fault("rid='1' sid='s'", "<presence/><message xmlns='jabber:server'/>"));
}

BOOST_AUTO_TEST_CASE(X_010_U_079_a_stanza_with_a_prefix_is_a_fault) {
  BOOST_CHECK(is_fault("rid='1' sid='s'", "<presence/><c:message xmlns:c='jabber:client'/>"));
}

BOOST_AUTO_TEST_CASE(U_093_characters_that_XML_does_not_have_are_a_fault) {
  using namespace std::string_view_literals;
  for (const std::string_view bad : {"&#0;"sv, "&#x8;"sv, "&#xB;"sv, "&#x1F;"sv, "&#xFFFE;"sv, "&#xD800;"sv,
                                     "\x01"sv, "\x1f"sv, "\0"sv, "\xef\xbf\xbe"sv})
    for (const std::string& stanza :
         {"<iq>" + std::string(bad) + "</iq>", "<iq a='" + std::string(bad) + "'/>"})
      BOOST_CHECK_MESSAGE(is_fault("rid='1' sid='s'", stanza), stanza);
  BOOST_CHECK(!is_fault("rid='1' sid='s'", "<iq a='&#9;&#xA;&#xD;&#x7F;'>\t\n\r\x7f&#x10FFFF;</iq>"));
}

BOOST_AUTO_TEST_CASE(B_188_a_fault_behind_a_right_start_tag_still_tells_rid_and_sid) {
  for (const char* rest :
       {"<a></b></body>", "text</body>", "<!-- c --></body>", "", "<a/>", "</body><more/>"}) {
    const ParsedBody parsed =
        parse("<body xmlns='http://jabber.org/protocol/httpbind' rid='7' sid='s'>" + std::string(rest));
    BOOST_CHECK_MESSAGE(!parsed.fault.empty() && parsed.root_read, rest);
    BOOST_CHECK_EQUAL(parsed.body.rid, 7U);
    BOOST_CHECK_EQUAL(parsed.body.sid, "s");
  }
}

BOOST_AUTO_TEST_CASE(B_188_so_does_a_fault_in_another_attribute) {
  const ParsedBody parsed = parse(body("rid='7' sid='s' wait='-1'"));
  BOOST_CHECK(!parsed.fault.empty() && parsed.root_read);
  BOOST_CHECK_EQUAL(parsed.body.rid, 7U);
}

BOOST_AUTO_TEST_CASE(the_start_of_a_body_tells_rid_and_sid) {
  xml::Pool pool(1);
  const std::string start =
      "<body xmlns='http://jabber.org/protocol/httpbind' rid='7' sid='s'><message><body>aaaa";
  const ParsedBody parsed = parse_body_start(pool, start, {});
  BOOST_CHECK(parsed.root_read);
  BOOST_CHECK_EQUAL(parsed.body.sid, "s");
  BOOST_CHECK(!parse_body_start(pool, start.substr(0, 40), {}).root_read);
  BOOST_CHECK(!parse_body_start(pool, "garbage", {}).root_read);
}

BOOST_AUTO_TEST_CASE(B_040_limits_are_a_fault) {
  xml::Limits limits;
  limits.depth = 4;
  BOOST_CHECK(parse(body("rid='1'", "<a><b><c/></b></a>"), limits).fault.empty());
  BOOST_CHECK(!parse(body("rid='1'", "<a><b><c><d/></c></b></a>"), limits).fault.empty());
}

BOOST_AUTO_TEST_CASE(B_040_a_small_body_can_not_become_a_large_payload) {
  xml::Limits limits;
  limits.element_bytes = 10'000;
  const auto with_children = [&](std::size_t count) {
    std::string children;
    while (count-- > 0) children += "<x:a/>";
    return parse(body("rid='1' sid='s' xmlns:x='" + std::string(1000, 'u') + "'", children), limits);
  };
  BOOST_CHECK(with_children(8).fault.empty());
  BOOST_CHECK(!with_children(20).fault.empty());
}

BOOST_AUTO_TEST_CASE(B_063_the_creation_reply_tells_what_was_granted) {
  Granted granted;
  granted.sid = "s1";
  granted.version = {1, 6};
  granted.wait = std::chrono::seconds(60);
  granted.hold = 1;
  granted.requests = 2;
  granted.inactivity = std::chrono::seconds(90);
  granted.polling = std::chrono::seconds(2);
  BOOST_CHECK_EQUAL(*creation_reply(granted, {"a.example", "i<d", "1.0"}, {},
                                    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>"),
                    "<body xmlns='http://jabber.org/protocol/httpbind' sid='s1' wait='60' requests='2' "
                    "hold='1' inactivity='90' polling='2' "
                    "ver='1.6' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restartlogic='true' from='a.example' "
                    "authid='i&lt;d' xmpp:version='1.0' "
                    "xmlns:stream='http://etherx.jabber.org/streams'>"
                    "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/></body>");
}

BOOST_AUTO_TEST_CASE(B_087_and_B_181_the_other_replies) {
  BOOST_CHECK_EQUAL(*plain_reply({}), "<body xmlns='http://jabber.org/protocol/httpbind'/>");
  BOOST_CHECK_EQUAL(*plain_reply("<a xmlns='b'/>"),
                    "<body xmlns='http://jabber.org/protocol/httpbind'><a xmlns='b'/></body>");
  BOOST_CHECK_EQUAL(*silent_reply(), *plain_reply({}));
  BOOST_CHECK_EQUAL(*terminal_reply({}),
                    "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>");
  BOOST_CHECK_EQUAL(
      *terminal_reply({Condition::item_not_found, {}}),
      "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>");
  BOOST_CHECK_EQUAL(*repeated_reply(), "<body xmlns='http://jabber.org/protocol/httpbind' type='error'/>");
}

BOOST_AUTO_TEST_SUITE_END()
