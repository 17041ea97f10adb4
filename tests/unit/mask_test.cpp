// What of a stanza an operator sees, and which sessions he means.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "src/operate/mask.hpp"
#include "src/operate/session_query.hpp"
#include "src/operate/words.hpp"

namespace boshd {
namespace {

namespace data = boost::unit_test::data;

struct Case {
  const char* name;
  std::string xml;
  std::string nothing;  // shown without leave
  std::string bodies;   // … with leave for bodies
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

const std::string sasl = " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";
const std::string sasl2 = " xmlns='urn:xmpp:sasl:2'";

const Case cases[] = {
    {"a message", "<message to='a@b'><body>Hello</body></message>",
     "<message to='a@b'><body>…(5)</body></message>", "<message to='a@b'><body>Hello</body></message>"},
    {"bytes are counted as they came", "<body>é&amp;</body>", "<body>…(7)</body>", "<body>é&amp;</body>"},
    {"CDATA", "<body><![CDATA[<a>]]></body>", "<body><![CDATA[…(3)]]></body>",
     "<body><![CDATA[<a>]]></body>"},
    {"blanks are nobody's secret", "<iq> <query/>\n</iq>", "<iq> <query/>\n</iq>", "<iq> <query/>\n</iq>"},
    {"text around elements", "<p>one<b>two</b>three</p>", "<p>…(3)<b>…(3)</b>…(5)</p>",
     "<p>one<b>two</b>three</p>"},
    {"a password of SASL", "<auth" + sasl + " mechanism='PLAIN'>AGEAYg==</auth>",
     "<auth" + sasl + " mechanism='PLAIN'>…(8)</auth>", "<auth" + sasl + " mechanism='PLAIN'>…(8)</auth>"},
    {"with a prefix", "<s:auth xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl'>eA==</s:auth>",
     "<s:auth xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl'>…(4)</s:auth>",
     "<s:auth xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl'>…(4)</s:auth>"},
    {"without any namespace", "<response>eA==</response>", "<response>…(4)</response>",
     "<response>…(4)</response>"},
    {"a challenge", "<challenge" + sasl + ">cj1h</challenge>", "<challenge" + sasl + ">…(4)</challenge>",
     "<challenge" + sasl + ">…(4)</challenge>"},
    {"success with data", "<success" + sasl + ">dj1h</success>", "<success" + sasl + ">…(4)</success>",
     "<success" + sasl + ">…(4)</success>"},
    {"mechanisms are shown", "<mechanisms" + sasl + "><mechanism>PLAIN</mechanism></mechanisms>",
     "<mechanisms" + sasl + "><mechanism>PLAIN</mechanism></mechanisms>",
     "<mechanisms" + sasl + "><mechanism>PLAIN</mechanism></mechanisms>"},
    {"what a server says of a failure", "<failure" + sasl + "><not-authorized/><text>Wrong</text></failure>",
     "<failure" + sasl + "><not-authorized/><text>Wrong</text></failure>",
     "<failure" + sasl + "><not-authorized/><text>Wrong</text></failure>"},
    {"SASL2",
     "<authenticate" + sasl2 + " mechanism='PLAIN'><initial-response>eA==</initial-response></authenticate>",
     "<authenticate" + sasl2 + " mechanism='PLAIN'><initial-response>…(4)</initial-response></authenticate>",
     "<authenticate" + sasl2 + " mechanism='PLAIN'><initial-response>…(4)</initial-response></authenticate>"},
    {"SASL2's success",
     "<success" + sasl2 +
         "><additional-data>dj0=</additional-data>"
         "<authorization-identifier>a@b</authorization-identifier></success>",
     "<success" + sasl2 +
         "><additional-data>…(4)</additional-data>"
         "<authorization-identifier>…(3)</authorization-identifier></success>",
     "<success" + sasl2 +
         "><additional-data>…(4)</additional-data>"
         "<authorization-identifier>a@b</authorization-identifier></success>"},
    {"a token of FAST", "<token xmlns='urn:xmpp:fast:0' expiry='2026' token='WXZzciBwYmFm'/>",
     "<token xmlns='urn:xmpp:fast:0' expiry='2026' token='…(12)'/>",
     "<token xmlns='urn:xmpp:fast:0' expiry='2026' token='…(12)'/>"},
    {"jabber:iq:auth",
     "<query xmlns='jabber:iq:auth'><username>a</username><password>b</password><digest>cc</digest></query>",
     "<query "
     "xmlns='jabber:iq:auth'><username>…(1)</username><password>…(1)</password><digest>…(2)</digest></query>",
     "<query "
     "xmlns='jabber:iq:auth'><username>a</username><password>…(1)</password><digest>…(2)</digest></query>"},
    {"a registration",
     "<query xmlns='jabber:iq:register'><username>a</username><password>b</password><key>k</key></query>",
     "<query "
     "xmlns='jabber:iq:register'><username>…(1)</username><password>…(1)</password><key>…(1)</key></query>",
     "<query "
     "xmlns='jabber:iq:register'><username>a</username><password>…(1)</password><key>…(1)</key></query>"},
    {"a registration by form",
     "<x xmlns='jabber:x:data'><field var='username'><value>a</value></field>"
     "<field var='new_Password'><value>bb</value></field>"
     "<field type=\"text-private\" var='pin'><value>ccc</value></field></x>",
     "<x xmlns='jabber:x:data'><field var='username'><value>…(1)</value></field>"
     "<field var='new_Password'><value>…(2)</value></field>"
     "<field type=\"text-private\" var='pin'><value>…(3)</value></field></x>",
     "<x xmlns='jabber:x:data'><field var='username'><value>a</value></field>"
     "<field var='new_Password'><value>…(2)</value></field>"
     "<field type=\"text-private\" var='pin'><value>…(3)</value></field></x>"},
    {"what a page's URL says",
     "<query xmlns='urn:boshd:query:0'><parameter name='token'>abc</parameter></query>",
     "<query xmlns='urn:boshd:query:0'><parameter name='token'>…(3)</parameter></query>",
     "<query xmlns='urn:boshd:query:0'><parameter name='token'>…(3)</parameter></query>"},
    {"passwords in attributes", "<service type='turn' username='u' password='p w'/>",
     "<service type='turn' username='u' password='…(3)'/>",
     "<service type='turn' username='u' password='…(3)'/>"},
    {"comments and instructions", "<a><!-- > b --><?p '>'?>c</a>", "<a><!--…(5)--><?p '>'?>…(1)</a>",
     "<a><!-- > b --><?p '>'?>c</a>"},
    {"a prefix is no attribute", "<a xmlns:token='urn:t'/>", "<a xmlns:token='urn:t'/>",
     "<a xmlns:token='urn:t'/>"},
    {"an unfinished text", "<message><body>secr", "<message><body>…(4)", "<message><body>secr"},
    {"an unfinished tag", "<message><x password='a", "<message><x …", "<message><x …"},
    {"an unfinished CDATA", "<body><![CDATA[abc", "<body><![CDATA[…(3)", "<body><![CDATA[abc"},
    {"a namespace ends with its element", "<a><b xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>x</b><c>y</c></a>",
     "<a><b xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>…(1)</b><c>…(1)</c></a>",
     "<a><b xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>…(1)</b><c>y</c></a>"},
    {"more end tags than elements", "</a></b>text", "</a></b>…(4)", "</a></b>text"},
    {"quotes that hold the other quote and >", "<a b='\">' token=\"'\">t</a>",
     "<a b='\">' token=\"…(1)\">…(1)</a>", "<a b='\">' token=\"…(1)\">t</a>"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(masks)

BOOST_DATA_TEST_CASE(texts_and_secrets_are_covered, data::make(cases), sample) {
  BOOST_TEST(mask(sample.xml, {}) == sample.nothing);
  BOOST_TEST(mask(sample.xml, {.bodies = true}) == sample.bodies);
}

BOOST_DATA_TEST_CASE(with_leave_for_both_everything_is_shown, data::make(cases), sample) {
  if (std::string_view(sample.name) == "an unfinished tag") return;
  BOOST_TEST(mask(sample.xml, {.bodies = true, .secrets = true}) == sample.xml);
}

BOOST_AUTO_TEST_CASE(session_ids_are_covered_whatever_is_allowed) {
  const Unmasked all{.bodies = true, .secrets = true};
  BOOST_TEST(mask("<body xmlns='http://jabber.org/protocol/httpbind' sid='abc' wait='60' key='k'/>", all) ==
             "<body xmlns='http://jabber.org/protocol/httpbind' sid='…(3)' wait='60' key='…(1)'/>");
  BOOST_TEST(mask("<resume xmlns='urn:xmpp:sm:3' h='1' previd='abc'/>", all) ==
             "<resume xmlns='urn:xmpp:sm:3' h='1' previd='…(3)'/>");
  BOOST_TEST(mask("<jingle xmlns='urn:xmpp:jingle:1' sid='abc'/>", all) ==
             "<jingle xmlns='urn:xmpp:jingle:1' sid='abc'/>");
}

// Whatever is cut off: no byte of a secret may come through.
BOOST_AUTO_TEST_CASE(a_secret_stays_covered_wherever_the_xml_is_cut) {
  const std::string whole = "<iq><auth" + sasl +
                            " x='y'>QQQQ</auth><t:token xmlns:t='urn:xmpp:fast:0' token='QQQ'/>"
                            "<query xmlns='jabber:iq:register'><password>QQ</password></query></iq>";
  for (std::size_t end = 0; end <= whole.size(); ++end)
    BOOST_TEST(mask(whole.substr(0, end), {.bodies = true}).find('Q') == std::string::npos, end);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(session_queries)

namespace {

SessionNames session(std::string_view sid, std::string_view jid, const char* address) {
  return {7, sid, jid, *parse_ip(address)};
}

bool means(std::string_view text, const SessionNames& names, std::string_view label = {}) {
  const auto query = read_session_query(text, label);
  return query && query->matches(names);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_an_operator_writes_means_a_session) {
  const SessionNames one = session("00471baaaaaa", "Romeo@example.org/Balcony", "192.0.2.7");
  BOOST_TEST(means("00471b", one));
  BOOST_TEST(means("00471b…", one));
  BOOST_TEST(means("00471b...", one));
  BOOST_TEST(means("0047", one));
  BOOST_TEST(means("#7", one));
  BOOST_TEST(means("romeo@example.org", one));
  BOOST_TEST(means("romeo@EXAMPLE.org/Balcony", one));
  BOOST_TEST(means("192.0.2.7", one));
  BOOST_TEST(!means("00471c", one));
  BOOST_TEST(!means("#8", one));
  BOOST_TEST(!means("juliet@example.org", one));
  BOOST_TEST(!means("romeo@example.org/balcony", one));
  BOOST_TEST(!means("romeo@example.or", one));
  BOOST_TEST(!means("192.0.2.8", one));
}

BOOST_AUTO_TEST_CASE(the_label_of_the_node_stands_before_the_digits) {
  const SessionNames one = session("n1-00471baaaaaa", "", "2001:db8::1");
  BOOST_TEST(means("n1-00471b", one, "n1"));
  BOOST_TEST(means("2001:DB8:0::1", one, "n1"));
  BOOST_TEST(!read_session_query("00471b", "n1").has_value());
  BOOST_TEST(!read_session_query("n2-00471b", "n1").has_value());
  BOOST_TEST(!read_session_query("n1", "n1").has_value());
}

BOOST_AUTO_TEST_CASE(what_could_mean_anybody_is_refused) {
  for (const char* text : {"", "00", "xyz1", "#", "#0", "#zz", "@example.org", "romeo@", "…"})
    BOOST_TEST(!read_session_query(text, "").has_value(), text);
}

BOOST_AUTO_TEST_CASE(nobody_is_meant_by_a_jid_that_is_not_known) {
  BOOST_TEST(!means("a@b", session("00471b", "", "192.0.2.7")));
}

BOOST_AUTO_TEST_CASE(the_nearest_word) {
  BOOST_TEST(nearest("show sesions", {"show sessions", "show session", "kill"}) == "show sessions");
  BOOST_TEST(nearest("klil", {"show sessions", "kill"}) == "kill");
  BOOST_TEST(nearest("dance", {"show sessions", "kill"}) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
