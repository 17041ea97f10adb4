// Bad bodies in good requests.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <sstream>
#include <vector>

#include "tests/integration/client.hpp"

namespace integration {

namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(bad_bodies)

// $ is the body's namespace, @ the session's sid and rid, % a good message: what stands before the fault must
// not be forwarded (B-188).
using Faults = std::vector<const char*>;
const Faults malformed = {
    "<body $ @>%",
    "<body $ @>%</bodyx>",
    "<body $ @>%</body><body/>",
    "<body $ @>%</body>text",
    "<body $ @>%<iq></body>",
    "<body $ @>%<p:iq/></body>",
    "<body $ @>%<iq a='1' a='2'/></body>",
    "<body $ @>%\xff</body>",
    "<body $ @>%<iq>&#8;</iq></body>",
    "<body $ @>%<iq>\x1f</iq></body>",
    "<body $ @>%</stream:stream></body>",
};
const Faults restricted = {
    "<body $ @>%<!-- x --></body>",
    "<body $ @><message xmlns='jabber:client'><!-- x --></message></body>",
    "<body $ @>%<?php x?></body>",
    "<body $ @>%<iq>&bomb;</iq></body>",
};
const Faults text = {
    "<body $ @>%text</body>",
    "<body $ @>text%</body>",
};
const Faults of_the_stream = {
    "<body $ xmlns:s='http://etherx.jabber.org/streams' @>%<s:stream/></body>",
    "<body $ xmlns:s='http://etherx.jabber.org/streams' @>%<s:error/></body>",
    "<body $ @><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></body>",
};
const Faults of_namespaces = {
    "<body $ @><message xmlns='jabber:server'/></body>",
    "<body $ xmlns:c='jabber:client' @><c:message/></body>",
};
const Faults of_attributes = {
    "<body $ wait='-1' @/>",
    "<body $ hold='99999999999999999999' @/>",
};

// These do not even name a session.
const char* const strangers[] = {
    "",
    "@",
    " ",
    "not XML",
    "{\"json\": true}",
    "<",
    "<body",
    "<body>",
    "\xff\xfe<\0b\0o\0",
    "<html/>",
    "<body @/>",
    "<body xmlns='http://jabber.org/protocol/httpbinds' @/>",
    "<bodys $ @/>",
    "<h:html xmlns:h='http://jabber.org/protocol/httpbind' @/>",
    "<?xml version='1.1'?><body $ @/>",
    "<?xml version='1.0' encoding='ISO-8859-1'?><body $ @/>",
    "<!DOCTYPE body><body $ @/>",
    "<!DOCTYPE b [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><body $ @><message>&b;</message></body>",
    "<!DOCTYPE b SYSTEM 'http://127.0.0.1:1/x'><body $ @/>",
    "<!-- x --><body $ @/>",
    "<?pi x?><body $ @/>",
    "<body $ ver='1.6' rid='0'/>",
    "<body $ ver='1.6' rid='-5'/>",
    "<body $ ver='1.6' rid='9007199254740992'/>",
    "<body $ ver='1.6' rid='1e3'/>",
    "<body $ ver='1.6' to='example.org'/>",
    "<body $ ver='1.6' rid='1' type='terminate'/>",
    "<body $ ver='1.6' rid='1' to='example.org'><iq>",
};

std::string filled(std::string_view pattern, const std::string& attributes) {
  std::string out;
  for (const char c : pattern) {
    if (c == '$')
      out += "xmlns='http://jabber.org/protocol/httpbind'";
    else if (c == '@')
      out += attributes;
    else if (c == '%')
      out += "<message xmlns='jabber:client'/>";
    else
      out += c;
  }
  return out;
}

std::string names(const Session& session, std::uint64_t rid) {
  return "sid='" + session.sid + "'" + attribute("rid", rid);
}

BOOST_AUTO_TEST_CASE(B_187_what_names_no_session_is_a_bad_request_and_ends_none) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  for (const char* stranger : strangers) {
    BOOST_TEST_CONTEXT(stranger) {
      const Response answer = client.ask(filled(stranger, names(session, session.rid + 1)));
      BOOST_TEST(said(answer) == "terminate bad-request");
      check_headers(answer);
    }
  }
  BOOST_TEST(!bridge.server.has_connection());
  session.hold(client);
  session.server.send(message(1));
  BOOST_TEST(said(client.answer()) == message(1));
}

/// A fault with sid and rid ends that session, and the server gets nothing of its request.
void check_faults(const Faults& faults) {
  for (const char* fault : faults) {
    BOOST_TEST_CONTEXT(fault) {
      Bridge bridge;
      HttpClient client = bridge.connect();
      Session session(bridge, client);
      BOOST_TEST(said(client.ask(filled(fault, names(session, session.rid + 1)))) == "terminate bad-request");
      BOOST_TEST(session.server.read_until(">") == stream_end);
      BOOST_TEST(has(bridge.daemon.wait_for_log("session-end"), "reason=bad-request "));
    }
  }
}

BOOST_AUTO_TEST_CASE(B_027_B_188_U_088_U_093_what_is_not_well_formed_ends_its_session_and_goes_nowhere) {
  check_faults(malformed);
}
BOOST_AUTO_TEST_CASE(B_028_B_029_B_188_U_086_so_does_restricted_XML) {
  check_faults(restricted);
}
BOOST_AUTO_TEST_CASE(B_031_B_188_so_does_text_between_stanzas) {
  check_faults(text);
}
BOOST_AUTO_TEST_CASE(B_188_X_013_X_014_so_does_what_belongs_to_the_stream) {
  check_faults(of_the_stream);
}
BOOST_AUTO_TEST_CASE(B_188_X_010_U_078_U_079_so_do_stanzas_of_servers_or_with_a_prefix) {
  check_faults(of_namespaces);
}
BOOST_AUTO_TEST_CASE(B_188_so_do_numbers_that_are_none) {
  check_faults(of_attributes);
}

BOOST_AUTO_TEST_CASE(B_188_with_a_wrong_rid_it_ends_nothing) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  for (const Faults& faults : {malformed, restricted, text, of_the_stream, of_namespaces, of_attributes})
    for (const char* fault : faults)
      for (const std::uint64_t rid : {session.rid + 100, session.rid - 100})
        BOOST_TEST(said(client.ask(filled(fault, names(session, rid)))) == "terminate bad-request");
  session.hold(client);
  session.server.send(message(1));
  BOOST_TEST(said(client.answer()) == message(1));
}

BOOST_AUTO_TEST_CASE(D_067_an_unfinished_request_is_not_acted_on) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  HttpClient cut = bridge.connect();
  const std::string bytes = HttpClient::post_bytes(session.at(session.rid + 1, message(9)));
  cut.send(bytes.substr(0, bytes.size() - 1));
  cut.wire.finish();
  BOOST_TEST(!has(cut.wire.read_to_end(), " 200 "));
  session.hold(client);  // the server's next bytes are this request's
}

BOOST_AUTO_TEST_CASE(xml_depth_and_number_of_payloads_have_limits) {
  Bridge bridge("limits.max_depth = 10");
  const auto nested = [](int depth) {
    std::string out = "<message>";
    for (int i = 2; i < depth; ++i) out += "<a>";
    for (int i = 2; i < depth; ++i) out += "</a>";
    return out + "</message>";
  };
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.post(session.next(nested(10)));  // with the body's own
  BOOST_TEST(has(read_message(session.server), "<a>"));
  HttpClient other = bridge.connect();
  BOOST_TEST(said(other.ask(session.next(nested(11)))) == "terminate bad-request");
}

std::string of_size(const Session& session, std::uint64_t rid, std::size_t bytes) {
  const std::string empty = session.at(rid, "<message id='1'><body></body></message>");
  return session.at(rid,
                    "<message id='1'><body>" + std::string(bytes - empty.size(), 'x') + "</body></message>");
}

constexpr std::size_t max_request = 64 * 1024;

BOOST_AUTO_TEST_CASE(a_body_up_to_the_limit_is_taken) {
  Bridge bridge("limits.max_request = \"64 KiB\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.post(of_size(session, ++session.rid, max_request));
  BOOST_TEST(session.server.read_until("</message>").size() > max_request - 1000);
}

BOOST_DATA_TEST_CASE(a_body_above_the_limit_of_a_live_session_is_a_policy_violation,
                     data::make({max_request + 1, 3 * max_request, 20 * max_request}) *
                         data::make({false, true}),
                     size, chunked) {
  Bridge bridge("limits.max_request = \"64 KiB\"");
  HttpClient first = bridge.connect();
  HttpClient client = bridge.connect();
  Session session(bridge, first);
  session.hold(first);
  const std::string body = of_size(session, session.rid + 1, size);
  if (!chunked) {
    client.post(body);
  } else {
    std::string bytes = "POST /http-bind HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < body.size(); at += 4096) {
      const auto part = body.substr(at, 4096);
      std::ostringstream length;
      length << std::hex << part.size();
      bytes += length.str() + "\r\n" + part + "\r\n";
    }
    client.send(bytes + "0\r\n\r\n");
  }
  const Response answer = client.answer();
  BOOST_TEST(said(answer).starts_with("terminate policy-violation: "), said(answer));
  BOOST_TEST(has(answer.body, "max_request"), answer.body);
  BOOST_TEST(has(answer.body, "65536"), answer.body);
  check_headers(answer);
  BOOST_TEST(said(first.answer()).starts_with("terminate policy-violation"));
  BOOST_TEST(session.server.read_until(">") == stream_end);
  BOOST_TEST(has(bridge.daemon.wait_for_log("session-end"), "reason=request-too-large "));
}

BOOST_AUTO_TEST_CASE(B_214_a_body_above_the_limit_of_no_session_is_a_413) {
  Bridge bridge("limits.max_request = \"64 KiB\"");
  HttpClient opener = bridge.connect();
  Session session(bridge, opener);
  const std::string padding(2 * max_request, 'x');
  for (const std::string& start :
       {std::string(), std::string("<"), std::string("<body xmlns='http://jabber.org/protocol/httpbind' "),
        body_element("rid='1' to='example.org'", " "), body_element("rid='1' sid='00'", " "),
        body_element("rid='1' sid='" + std::string(34, '0') + "'", " ")}) {
    HttpClient client = bridge.connect();
    client.post(start.substr(0, start.rfind(" </body>")) + padding);
    const Response answer = client.answer();
    BOOST_TEST(answer.status == 413U, start << said(answer));
    check_headers(answer);
  }
  // Who knows a sid and no rid of it ends nothing.
  HttpClient guesser = bridge.connect();
  guesser.post(of_size(session, session.rid + 100, 2 * max_request));
  BOOST_TEST(said(guesser.answer()).starts_with("terminate policy-violation"));
  session.hold(opener);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
