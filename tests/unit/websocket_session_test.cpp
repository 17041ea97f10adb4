// A session over WebSocket: its opening, its messages, its ends (RFC 7395).
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <vector>

#include "websocket/messages.hpp"
#include "websocket/session.hpp"
#include "xmpp/stream.hpp"

using namespace std::chrono_literals;
using websocket::CloseCode;
using websocket::End;

namespace {

constexpr std::string_view open_tag =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' version='1.0' xml:lang='en'/>";
constexpr std::string_view close_tag = R"(<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />)";
constexpr std::string_view opened =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='a.example' id='s1' version='1.0' "
    "xml:lang='en'/>";
constexpr std::string_view own_open =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='' id='own' version='1.0'/>";
constexpr std::string_view features = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>";

std::string error(std::string_view condition, std::string_view text = {}) {
  return xmpp::stream_error(condition, text);
}

using Lines = std::vector<std::string>;

/// One session on a clock that only the test moves. What it wants done is told in lines.
struct Fixture {
  websocket::Settings settings;
  websocket::Time now{1h};
  xml::Pool pool{1};
  std::optional<websocket::Session> session;
  Lines did;
  std::optional<End> ended;
  CloseCode code = CloseCode::none;

  Fixture() {
    settings.limits.element_bytes = 1000;
    session.emplace(settings, "own", now);
  }
  /// Open, with features.
  static Fixture at_work() {
    Fixture f;
    f.says(open_tag);
    f.server_opens();
    f.server_says(features);
    return f;
  }

  void says(std::string_view text) {
    step([&](auto& effects) { session->on_message(now, pool, text, effects); });
  }
  void violates(CloseCode with) {
    step([&](auto& effects) { session->on_violation(with, effects); });
  }
  void stalls() {
    step([&](auto& effects) { session->on_stalled(effects); });
  }
  void is_lost() {
    step([&](auto& effects) { session->on_lost(effects); });
  }
  void server_opens(std::string id = "s1", std::string version = "1.0") {
    step([&](auto& effects) {
      session->on_upstream_open({"a.example", std::move(id), std::move(version), "en"}, effects);
    });
  }
  void server_says(std::string_view text) {
    xml::Element element;
    element.bytes = text;
    step([&](auto& effects) { session->on_upstream({&element, 1}, effects); });
  }
  void server_ends(websocket::Farewell farewell = {}) {
    step([&](auto& effects) { session->on_upstream_end(now, std::move(farewell), effects); });
  }
  void stops(bool at_once) {
    step([&](auto& effects) {
      session->end(now, {error("system-shutdown"), CloseCode::going_away}, at_once, effects);
    });
  }
  /// The clock goes to the deadline, and a moment before it nothing happens.
  void deadline(std::chrono::seconds expected) {
    BOOST_REQUIRE(session->deadline() == now + expected);
    now = session->deadline() - 1ms;
    step([&](auto& effects) { session->on_time(now, effects); });
    BOOST_CHECK(did.empty());
    now += 1ms;
    step([&](auto& effects) { session->on_time(now, effects); });
  }

 private:
  template <class Step>
  void step(Step&& take) {
    BOOST_REQUIRE_MESSAGE(!ended, "an event after the end");
    websocket::Effects effects;
    take(effects);
    did.clear();
    for (const websocket::Effect& effect : effects) {
      BOOST_CHECK_MESSAGE(!ended, "an effect after the end");
      if (const auto* send = std::get_if<websocket::Send>(&effect)) did.push_back(send->message);
      if (const auto* open = std::get_if<websocket::Open>(&effect))
        did.push_back("opens " + open->to + " in " + open->language);
      if (const auto* forward = std::get_if<websocket::Forward>(&effect))
        did.push_back("> " + forward->element);
      if (const auto* restart = std::get_if<websocket::Restart>(&effect))
        did.push_back("restarts in " + restart->language);
      if (std::holds_alternative<websocket::Close>(effect)) did.emplace_back("closes");
      if (const auto* end = std::get_if<websocket::Ended>(&effect)) {
        ended = end->end;
        code = end->code;
      }
    }
    BOOST_CHECK(session->ended() == ended.has_value());
  }
};

void check(const Fixture& f, const Lines& expected) {
  BOOST_CHECK_EQUAL_COLLECTIONS(f.did.begin(), f.did.end(), expected.begin(), expected.end());
}
void check_end(const Fixture& f, End end, CloseCode code) {
  BOOST_REQUIRE(f.ended.has_value());
  BOOST_CHECK_EQUAL(static_cast<int>(*f.ended), static_cast<int>(end));
  BOOST_CHECK_EQUAL(static_cast<int>(f.code), static_cast<int>(code));
}
Lines lines(std::initializer_list<std::string_view> texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(websocket_session)

BOOST_AUTO_TEST_CASE(W_033_W_035_W_036_a_stream_opens_and_its_header_is_the_answer) {
  Fixture f;
  BOOST_CHECK(f.did.empty());  // W-033
  f.says(open_tag);
  check(f, {"opens a.example in en"});
  f.server_opens();
  check(f, lines({opened}));
  f.server_says(features);
  check(f, lines({features}));
}

BOOST_AUTO_TEST_CASE(W_034_who_says_who_he_is_is_addressed) {
  Fixture f;
  f.says(
      "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' from='&apos;b@a.example' "
      "version='1.0'/>");
  check(f, {"opens a.example in "});
  f.server_opens();
  check(f,
        {"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='a.example' to='&apos;b@a.example' id='s1' "
         "version='1.0' xml:lang='en'/>"});
}

BOOST_AUTO_TEST_CASE(W_020_an_xml_declaration_is_tolerated_and_not_passed_on) {
  Fixture f;
  f.says("<?xml version='1.0'?>" + std::string(open_tag));
  check(f, {"opens a.example in en"});
  f.server_opens();
  f.says("<?xml version='1.0' encoding='UTF-8'?>\n<iq xmlns='jabber:client'/>");
  check(f, {"> <iq xmlns='jabber:client'/>"});
}

BOOST_AUTO_TEST_CASE(W_017_W_019_W_026_W_078_each_message_is_passed_on_as_it_is) {
  Fixture f = Fixture::at_work();
  for (const std::string_view stanza :
       {"<message xmlns='jabber:client' to='b'><body>&lt;ü</body></message>", "<iq xmlns='jabber:client'/>",
        "<presence xmlns='jabber:client'/>", "<r xmlns='urn:xmpp:sm:3'/>",
        "<enable xmlns='urn:xmpp:sm:3' resume='true'/>", "<message><body/></message>"}) {  // W-078, W-026
    f.says(stanza);
    check(f, {"> " + std::string(stanza)});
  }
}

BOOST_AUTO_TEST_CASE(U_078_U_079_stanzas_of_another_kind_of_stream_are_refused) {
  for (const std::string_view stanza :
       {"<c:presence xmlns:c='jabber:client'/>", "<message xmlns='jabber:server'/>",
        "<query xmlns='urn:boshd:query:0'/>", "<q:query xmlns:q='urn:boshd:query:0'/>"}) {
    Fixture f = Fixture::at_work();
    f.says(stanza);
    check(f, {error("unsupported-stanza-type"), std::string(close_tag)});
    check_end(f, End::bad_message, CloseCode::protocol_error);
  }
}

BOOST_AUTO_TEST_CASE(W_027_W_028_white_space_is_ignored) {
  Fixture f;
  for (const std::string_view blank : {"", " ", "\r\n\t "}) {
    f.says(blank);
    check(f, {});
  }
  f = Fixture::at_work();
  f.says(" ");
  check(f, {});
}

BOOST_AUTO_TEST_CASE(W_048_W_049_another_open_restarts_the_stream) {
  Fixture f = Fixture::at_work();
  f.says("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' version='1.0' xml:lang='de'/>");
  check(f, {"restarts in de"});
  f.says("<iq xmlns='jabber:client'/>");
  check(f, {"> <iq xmlns='jabber:client'/>"});
  f.server_opens("s2");
  check(f, {"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='a.example' id='s2' version='1.0' "
            "xml:lang='en'/>"});
  f.server_opens("s3");  // nobody asked for it
  check(f, {});
}

BOOST_AUTO_TEST_CASE(W_052_a_restart_before_the_features_is_refused) {
  Fixture f;
  f.says(open_tag);
  f.says(open_tag);
  check(f, {std::string(own_open), error("bad-format"), std::string(close_tag)});
  check_end(f, End::bad_message, CloseCode::protocol_error);
}

BOOST_AUTO_TEST_CASE(W_041_an_old_server_has_no_features_to_wait_for) {
  Fixture f;
  f.says(open_tag);
  f.server_opens("s1", "");
  check(f, {"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='a.example' id='s1' xml:lang='en'/>"});
  f.says(open_tag);
  check(f, {"restarts in en"});
}

struct Refusal {
  const char* message;
  const char* condition;
  CloseCode code = CloseCode::protocol_error;
};

BOOST_AUTO_TEST_CASE(W_018_W_032_W_037_W_038_W_040_a_bad_opening_is_answered_with_open_error_and_close) {
  const Refusal refusals[] = {
      {"<open xmlns='urn:example' to='a.example' version='1.0'/>", "invalid-namespace"},  // W-037
      {"<open to='a.example' version='1.0'/>", "invalid-namespace"},
      {"<message xmlns='jabber:client'/>", "invalid-namespace"},  // W-040
      {"<stream:stream to='a.example' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
       "not-well-formed"},
      {"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0'/>", "improper-addressing"},   // W-032
      {"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example'/>", "unsupported-version"},  // W-041
      {" <open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a.example' version='1.0'/>",
       "not-well-formed"},  // W-018
  };
  for (const Refusal& refusal : refusals) {
    BOOST_TEST_CONTEXT(refusal.message) {
      Fixture f;
      f.says(refusal.message);
      check(f, {std::string(own_open), error(refusal.condition), std::string(close_tag)});
      check_end(f, End::bad_message, refusal.code);
    }
  }
}

BOOST_AUTO_TEST_CASE(W_025_U_086_U_088_what_is_not_one_whole_element_ends_the_stream) {
  const Refusal refusals[] = {
      {"<iq xmlns='jabber:client'/><iq xmlns='jabber:client'/>", "not-well-formed"},
      {"<iq xmlns='jabber:client'>", "not-well-formed"},
      {"<iq xmlns='jabber:client'/>text", "not-well-formed"},
      {"text", "not-well-formed"},
      {"\xef\xbb\xbf<iq xmlns='jabber:client'/>", "not-well-formed"},  // W-018
      {"</stream:stream>", "not-well-formed"},
      {"<a:iq/>", "not-well-formed"},
      {"<iq xmlns='jabber:client'/><!-- -->", "restricted-xml"},
      {"<iq xmlns='jabber:client'><!-- --></iq>", "restricted-xml"},
      {"<?php x?><iq xmlns='jabber:client'/>", "restricted-xml"},
      {"<!DOCTYPE a><iq xmlns='jabber:client'/>", "restricted-xml"},
      {"<?xml version='1.0' encoding='ISO-8859-1'?><iq/>", "unsupported-encoding"},
      {"<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>", "unsupported-stanza-type"},
      {"<a xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "unsupported-stanza-type"},
  };
  for (const Refusal& refusal : refusals) {
    BOOST_TEST_CONTEXT(refusal.message) {
      Fixture f = Fixture::at_work();
      f.says(refusal.message);
      check(f, {error(refusal.condition), std::string(close_tag)});
      check_end(f, End::bad_message, refusal.code);
    }
  }
}

BOOST_AUTO_TEST_CASE(elements_too_deep_are_against_the_policy) {
  Fixture f = Fixture::at_work();
  std::string deep = "<iq xmlns='jabber:client'>";
  for (int i = 0; i < 70; ++i) deep += "<a>";
  for (int i = 0; i < 70; ++i) deep += "</a>";
  f.says(deep + "</iq>");
  check(f, {error("policy-violation"), std::string(close_tag)});
  check_end(f, End::message_too_large, CloseCode::policy_violation);
}

BOOST_AUTO_TEST_CASE(W_047_starttls_is_refused) {
  Fixture f = Fixture::at_work();
  f.says("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  check(f, {"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", std::string(close_tag)});
  check_end(f, End::bad_message, CloseCode::protocol_error);
}

BOOST_AUTO_TEST_CASE(W_063_after_a_close_nothing_more_is_said) {
  for (const auto* message : {"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<iq>", "<open/>"}) {
    Fixture f = Fixture::at_work();
    f.server_ends();
    f.says(message);
    check(f, {});
  }
}

BOOST_AUTO_TEST_CASE(W_058_W_059_W_060_the_client_closes_and_the_server_has_the_last_word) {
  Fixture f = Fixture::at_work();
  f.says(close_tag);
  check(f, {"closes"});
  f.says("<iq xmlns='jabber:client'/>");  // too late
  check(f, {});
  f.server_says("<presence xmlns='jabber:client'/>");
  check(f, {"<presence xmlns='jabber:client'/>"});
  f.server_ends();
  check(f, lines({close_tag}));
  BOOST_CHECK(!f.ended);  // W-059: the client began, it closes the WebSocket
  f.is_lost();
  check_end(f, End::client_closed, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(a_client_that_closes_before_it_has_an_answer_hears_no_more) {
  Fixture f;
  f.says(open_tag);
  f.says(close_tag);
  check(f, {"closes"});
  f.server_opens();
  check(f, {});
  f.server_says(features);
  check(f, {});
  f.server_ends();
  check(f, lines({close_tag}));
}

BOOST_AUTO_TEST_CASE(W_060_a_server_that_does_not_close_is_not_waited_for) {
  Fixture f = Fixture::at_work();
  f.says("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
  f.deadline(5s);
  check(f, lines({close_tag}));
  check_end(f, End::client_closed, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(W_060_a_client_that_does_not_close_the_websocket_is_closed) {
  Fixture f = Fixture::at_work();
  f.says(close_tag);
  f.server_ends();
  f.deadline(5s);
  check(f, {});
  check_end(f, End::client_closed, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(a_close_before_the_stream_is_answered) {
  Fixture f;
  f.says(close_tag);
  check(f, lines({close_tag}));
  check_end(f, End::client_closed, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(W_061_W_062_the_server_closes_and_the_client_answers) {
  Fixture f = Fixture::at_work();
  f.server_ends();
  check(f, lines({close_tag}));
  f.says("<iq xmlns='jabber:client'/>");  // there is nobody left to get it
  check(f, {});
  f.says(close_tag);  // W-062: the answer, which gets none
  check(f, {});
  check_end(f, End::told, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(W_061_a_client_that_does_not_answer_is_closed) {
  Fixture f = Fixture::at_work();
  f.server_ends();
  f.deadline(5s);
  check(f, {});
  check_end(f, End::told, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(W_055_W_081_the_server_s_error_goes_to_the_client) {
  Fixture f = Fixture::at_work();
  f.server_ends({error("conflict"), CloseCode::normal});
  check(f, {error("conflict"), std::string(close_tag)});  // W-054
  f.is_lost();
  check_end(f, End::told, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(W_039_a_server_that_is_not_there_is_an_error_behind_an_open) {
  Fixture f;
  f.says(open_tag);
  f.server_ends({error("remote-connection-failed"), CloseCode::internal_error});
  check(f, {std::string(own_open), error("remote-connection-failed"), std::string(close_tag)});
  f.deadline(5s);
  check_end(f, End::told, CloseCode::internal_error);
}

BOOST_AUTO_TEST_CASE(W_064_a_client_that_is_gone_without_a_word_is_lost) {
  Fixture f = Fixture::at_work();
  f.is_lost();
  check(f, {});
  check_end(f, End::client_lost, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(W_042_nobody_waits_for_ever_for_an_open) {
  Fixture f;
  f.deadline(30s);
  check(f, {});
  check_end(f, End::not_opened, CloseCode::policy_violation);
}

struct Violation {
  CloseCode code;
  std::string error;
  End end;
};

BOOST_AUTO_TEST_CASE(W_016_W_053_W_056_bad_frames_are_a_stream_error_and_the_close_code) {
  const Violation violations[] = {
      {CloseCode::protocol_error, error("bad-format"), End::bad_frames},
      {CloseCode::unsupported_data, error("unsupported-encoding"), End::bad_frames},
      {CloseCode::invalid_data, error("unsupported-encoding"), End::bad_frames},
      {CloseCode::policy_violation, error("policy-violation"), End::overactive},
      {CloseCode::too_big, error("policy-violation", "The message is larger than 1000 bytes (max_request)."),
       End::message_too_large},
  };
  for (const Violation& violation : violations) {
    BOOST_TEST_CONTEXT(static_cast<int>(violation.code)) {
      Fixture f = Fixture::at_work();
      f.violates(violation.code);
      check(f, {violation.error, std::string(close_tag)});
      check_end(f, violation.end, violation.code);
      Fixture fresh;  // there is no stream that could have an error
      fresh.violates(violation.code);
      check(fresh, {});
      check_end(fresh, violation.end, violation.code);
    }
  }
}

BOOST_AUTO_TEST_CASE(W_099_a_client_that_takes_nothing_is_against_the_policy) {
  Fixture f = Fixture::at_work();
  f.stalls();
  check(f, {error("policy-violation"), std::string(close_tag)});
  check_end(f, End::client_stalled, CloseCode::policy_violation);
}

BOOST_AUTO_TEST_CASE(a_shutdown_is_told) {
  Fixture f = Fixture::at_work();
  f.stops(true);
  check(f, {error("system-shutdown"), std::string(close_tag)});
  check_end(f, End::told, CloseCode::going_away);
  Fixture patient = Fixture::at_work();
  patient.stops(false);
  check(patient, {error("system-shutdown"), std::string(close_tag)});
  patient.says("<iq xmlns='jabber:client'/>");  // W-063
  check(patient, {"> <iq xmlns='jabber:client'/>"});
  patient.says(close_tag);
  check_end(patient, End::told, CloseCode::going_away);
}

BOOST_AUTO_TEST_CASE(W_069_a_shutdown_can_send_clients_elsewhere) {
  const std::string elsewhere =
      R"(<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" see-other-uri='wss://b.example/ws' />)";
  Fixture f;
  f.settings.see_other_uri = "wss://b.example/ws";
  f.session.emplace(f.settings, "own", f.now);
  f.stops(true);
  check(f, {elsewhere});
  Fixture open;
  open.settings.see_other_uri = "wss://b.example/ws";
  open.session.emplace(open.settings, "own", open.now);
  open.says(open_tag);
  open.server_opens();
  open.stops(true);
  check(open, {elsewhere});
  check_end(open, End::told, CloseCode::going_away);
}

BOOST_AUTO_TEST_CASE(W_071_who_waits_for_an_answer_to_open_is_sent_elsewhere_instead) {
  Fixture f;
  f.settings.see_other_uri = "wss://b.example/ws";
  f.session.emplace(f.settings, "own", f.now);
  f.says(open_tag);
  f.did.clear();
  f.stops(false);
  check(f, {R"(<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" see-other-uri='wss://b.example/ws' />)"});
}

BOOST_AUTO_TEST_CASE(W_069_who_has_closed_before_the_server_answered_hears_nothing_of_it_at_a_stop) {
  Fixture f;
  f.settings.see_other_uri = "wss://b.example/ws";
  f.session.emplace(f.settings, "own", f.now);
  f.says(open_tag);
  f.says(close_tag);
  f.did.clear();
  f.stops(false);
  f.server_says("<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>");
  check(f, {});
}

BOOST_AUTO_TEST_CASE(W_033_who_has_not_opened_a_stream_hears_of_no_stream_s_end) {
  Fixture f;
  f.stops(false);
  check(f, {});
  check_end(f, End::told, CloseCode::going_away);
}

BOOST_AUTO_TEST_CASE(a_client_that_has_closed_is_not_told_of_a_shutdown) {
  Fixture f = Fixture::at_work();
  f.says(close_tag);
  f.stops(true);
  check(f, lines({close_tag}));
  check_end(f, End::client_closed, CloseCode::normal);
}

BOOST_AUTO_TEST_CASE(W_022_W_023_W_024_each_stanza_carries_what_the_root_declared) {
  xml::Pool pool(1);
  xml::Batch batch;
  const xml::Limits limits;
  xmpp::Stream stream("a.example", "en", limits, true);
  const auto received = stream.receive(
      pool,
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:x='urn:x' "
      "xml:lang='en' version='1.0'><stream:features/><message><x:y/></message><iq xml:lang='de'/>"
      "<r xmlns='urn:xmpp:sm:3'/>",
      batch);
  Lines got;
  for (const xml::Element& element : received.elements) got.push_back(element.to_string());
  const Lines expected{
      "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>",             // W-022
      "<message xmlns='jabber:client' xmlns:x='urn:x' xml:lang='en'><x:y/></message>",  // W-023
      "<iq xmlns='jabber:client' xml:lang='de'/>", "<r xmlns='urn:xmpp:sm:3'/>"};
  BOOST_CHECK_EQUAL_COLLECTIONS(got.begin(), got.end(), expected.begin(), expected.end());
}

BOOST_AUTO_TEST_SUITE_END()
