#include "xmpp/bounce.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

namespace {

std::string bounced(const std::string& stanzas) {
  xml::Pool pool(1);
  return xmpp::bounce(pool, stanzas);
}

const std::string unavailable =
    "<error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
const std::string unserved =
    "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";

}  // namespace

BOOST_AUTO_TEST_SUITE(bounce)

BOOST_AUTO_TEST_CASE(X_061_X_062_a_message_comes_back) {
  BOOST_CHECK_EQUAL(bounced("<message xmlns='jabber:client' from='a@b/c' to='d@e/f' id='1' type='chat'>"
                            "<body>x</body></message>"),
                    "<message to='a@b/c' from='d@e/f' id='1' type='error'>" + unavailable + "</message>");
}

BOOST_AUTO_TEST_CASE(X_060_a_question_is_answered) {
  for (const std::string type : {"get", "set"})
    BOOST_CHECK_EQUAL(
        bounced("<iq xmlns='jabber:client' from='a' to='b' id='2' type='" + type + "'><q xmlns='q'/></iq>"),
        "<iq to='a' from='b' id='2' type='error'>" + unserved + "</iq>");
}

BOOST_AUTO_TEST_CASE(X_059_presence_is_dropped) {
  BOOST_CHECK_EQUAL(bounced("<presence xmlns='jabber:client' from='a'/>"), "");
}

BOOST_AUTO_TEST_CASE(X_063_no_error_answers_an_error_or_an_answer) {
  for (const char* stanza : {"<message xmlns='jabber:client' from='a' type='error'/>",
                             "<iq xmlns='jabber:client' from='a' id='1' type='result'/>",
                             "<iq xmlns='jabber:client' from='a' id='1' type='error'/>",
                             "<iq xmlns='jabber:client' from='a' id='1'/>"})
    BOOST_CHECK_MESSAGE(bounced(stanza).empty(), stanza);
}

BOOST_AUTO_TEST_CASE(X_065_they_come_back_in_order_and_nothing_else_does) {
  const std::string message = "<message xmlns='jabber:client' id='1'/>";
  const std::string iq = "<iq xmlns='jabber:client' id='2' type='get'/>";
  const std::string both = bounced("<r xmlns='urn:xmpp:sm:3'/>" + message + "<message xmlns='other'/>" + iq +
                                   "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  BOOST_CHECK_EQUAL(both, bounced(message) + bounced(iq));
  BOOST_CHECK_EQUAL(bounced(""), "");
}

BOOST_AUTO_TEST_CASE(X_062_what_stood_in_attributes_stays_in_them) {
  BOOST_CHECK_EQUAL(bounced("<message xmlns='jabber:client' from=\"a'b\" id='&lt;&amp;'/>"),
                    "<message to='a&apos;b' id='&lt;&amp;' type='error'>" + unavailable + "</message>");
}

BOOST_AUTO_TEST_SUITE_END()
