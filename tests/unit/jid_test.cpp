// The address that a server gives its client.
#include "xmpp/jid.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

#include "xmpp/stream.hpp"

namespace {

constexpr std::string_view header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='a.example' version='1.0'>"
    "<stream:features/>";

const xml::Limits limits;

/// The JIDs that a stream tells of, one behind the other.
std::string jids(std::string_view elements) {
  xml::Pool pool{1};
  xml::Batch batch;
  xmpp::Stream stream{"a.example", "en", limits};
  stream.open();
  stream.receive(pool, header, batch);
  std::string all;
  while (!elements.empty()) {  // one read each
    const auto end = elements.find('\n');
    const std::string jid = stream.receive(pool, elements.substr(0, end), batch).jid;
    if (!jid.empty()) all += (all.empty() ? "" : " ") + jid;
    elements.remove_prefix(end == elements.npos ? elements.size() : end + 1);
  }
  return all;
}

// As they come from servers.
constexpr std::string_view prosody =
    "<iq id='_bind_auth_2' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<jid>romeo@example.org/converse.js-12345</jid></bind></iq>";
constexpr std::string_view ejabberd =
    "<iq xml:lang='en' type='result' id='2'><bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\">"
    "<jid>romeo@example.org/1234567890</jid></bind></iq>";
constexpr std::string_view openfire =
    "<iq type=\"result\" id=\"x\" to=\"example.org/abc\"><bind xmlns=\"urn:ietf:params:xml:ns:xmpp-bind\">"
    "<jid>romeo@example.org/abc</jid></bind></iq>";
constexpr std::string_view sasl2_bind2 =
    "<success xmlns='urn:xmpp:sasl:2'><additional-data>dj1x</additional-data>"
    "<authorization-identifier>romeo@example.org/app.1</authorization-identifier>"
    "<bound xmlns='urn:xmpp:bind:0'/></success>";
constexpr std::string_view sasl2_alone =
    "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>romeo@example.org</authorization-identifier>"
    "</success>";

}  // namespace

BOOST_AUTO_TEST_SUITE(jid)

BOOST_AUTO_TEST_CASE(the_result_of_a_bind_tells_it) {
  BOOST_TEST(jids(prosody) == "romeo@example.org/converse.js-12345");
  BOOST_TEST(jids(ejabberd) == "romeo@example.org/1234567890");
  BOOST_TEST(jids(openfire) == "romeo@example.org/abc");
}

BOOST_AUTO_TEST_CASE(prefixes_and_entities_are_understood) {
  BOOST_TEST(jids("<iq type='result' id='1'><b:bind xmlns:b='urn:ietf:params:xml:ns:xmpp-bind'>"
                  "<b:jid>a@b/x&amp;y &lt;&apos;&gt;</b:jid></b:bind></iq>") == "a@b/x&y <'>");
}

BOOST_AUTO_TEST_CASE(sasl2_tells_it_with_its_success) {
  BOOST_TEST(jids(sasl2_bind2) == "romeo@example.org/app.1");
}

BOOST_AUTO_TEST_CASE(a_bare_address_is_completed_by_a_later_bind) {
  BOOST_TEST(jids(std::string(sasl2_alone) + "\n" + std::string(prosody)) ==
             "romeo@example.org romeo@example.org/converse.js-12345");
}

BOOST_AUTO_TEST_CASE(once_it_is_known_nothing_is_looked_at_any_more) {
  BOOST_TEST(jids(std::string(prosody) + "\n" + std::string(ejabberd)) ==
             "romeo@example.org/converse.js-12345");
}

BOOST_AUTO_TEST_CASE(behind_the_first_stanza_and_a_resumed_session_none_comes) {
  BOOST_TEST(jids("<message><body>x</body></message>\n" + std::string(prosody)) == "");
  BOOST_TEST(jids("<presence from='x'/>\n" + std::string(prosody)) == "");
  BOOST_TEST(jids("<resumed xmlns='urn:xmpp:sm:3' previd='1' h='2'/>\n" + std::string(prosody)) == "");
}

BOOST_AUTO_TEST_CASE(what_only_looks_like_one_is_none) {
  BOOST_TEST(jids("<iq type='result' id='1'><query xmlns='jabber:iq:roster'/></iq>") == "");
  BOOST_TEST(jids("<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>") == "");
  BOOST_TEST(
      jids("<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid/></bind></iq>") ==
      "");
  BOOST_TEST(jids("<iq type='result' id='1'><x><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
                  "<jid>a@b/c</jid></bind></x></iq>") == "");
  BOOST_TEST(jids("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>") == "");
  BOOST_TEST(jids("<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>" +
                  std::string(4000, 'a') + "</jid></bind></iq>") == "");
}

BOOST_AUTO_TEST_SUITE_END()
