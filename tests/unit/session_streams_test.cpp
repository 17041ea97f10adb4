// Several streams in one session (XEP-0124 §16).
#include <boost/test/unit_test.hpp>
#include <string>

#include "tests/unit/session_fixture.hpp"

using namespace tests;
using bosh::Body;
using bosh::Condition;
using bosh::End;

namespace {

constexpr auto rid = Fixture::first_rid;

std::string name(unsigned stream) {
  return boshd::sha1_hex("sid/" + std::to_string(stream)).substr(0, 15);
}

/// A session that may have three streams, and has `count`.
struct Streams : Fixture {
  std::uint64_t last = rid;

  explicit Streams(unsigned count) {
    settings.streams = 3;
    open();
    for (unsigned i = 1; i < count; ++i) add("b.example");
  }
  Body next(std::string payload = {}, std::string stream = {}) {
    Body body;
    body.rid = ++last;
    body.sid = "sid";
    body.payload = std::move(payload);
    body.stream = std::move(stream);
    return body;
  }
  void add(std::string to) {
    Body body = next();
    body.to = std::move(to);
    request(std::move(body), last);
  }
  void poll() {
    Body body = next();
    request(std::move(body), last);
  }
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

std::string of(unsigned stream, std::string_view content) {
  bosh::Notes notes;
  notes.stream = name(stream);
  return std::string(*bosh::reply(notes, content));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(streams)

BOOST_AUTO_TEST_CASE(B_076_B_167_the_first_stream_is_named_at_the_creation) {
  const Streams f(1);
  BOOST_CHECK(has(f.answers[0].body, " stream='" + name(0) + "'"));
  BOOST_CHECK(name(0) != name(1));
}

BOOST_AUTO_TEST_CASE(B_170_B_180_without_the_feature_nothing_is_added_or_named) {
  Fixture f;
  f.open();
  BOOST_CHECK(!has(f.answers[0].body, " stream="));
  Body body;
  body.rid = rid + 1;
  body.sid = "sid";
  body.to = "b.example";
  body.stream = "x";
  f.request(std::move(body), 1);
  BOOST_CHECK(f.said.empty());
  CHECK_ANSWERS(f, {});  // an ordinary poll
}

BOOST_AUTO_TEST_CASE(B_169_B_171_a_stream_is_added_and_named_at_once) {
  Streams f(1);
  f.poll();
  f.add("b.example");
  BOOST_CHECK_EQUAL(f.said.at(0), "open 1 to b.example");
  CHECK_ANSWERS(f, {{rid + 1, plain()}, {rid + 2, of(1, {})}});
  for (const char* once : {" sid=", " requests=", " wait=", " ver=", " hold="})
    BOOST_CHECK(!has(f.answers[1].body, once));
}

BOOST_AUTO_TEST_CASE(B_171_its_from_comes_with_its_name) {
  Streams f(2);
  f.poll();
  f.upstream_open("1.0", 1);
  f.upstream("<f/>", 1);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(has(f.answers[0].body, " stream='" + name(1) + "'"));
  BOOST_CHECK(has(f.answers[0].body, " from='a.example'"));
}

BOOST_AUTO_TEST_CASE(B_172_a_restart_has_to_and_adds_nothing) {
  Streams f(1);
  Body body = f.next();
  body.to = "a.example";
  body.restart = true;
  f.request(std::move(body), 1);
  BOOST_CHECK_EQUAL(f.said.at(0), "restart");
}

BOOST_AUTO_TEST_CASE(B_173_each_answer_is_of_one_stream_and_says_of_which) {
  Streams f(2);
  f.upstream("<a/>", 0);
  f.upstream("<b/>", 1);
  f.poll();
  CHECK_ANSWERS(f, {{rid + 2, of(0, "<a/>")}});
  f.poll();
  CHECK_ANSWERS(f, {{rid + 3, of(1, "<b/>")}});
  f.request(f.next("<x/>", name(0)), rid + 4);
  f.upstream("<c/>", 1);
  CHECK_ANSWERS(f, {});  // <b/> was on its way on another connection just now
  f.advance(5ms);
  CHECK_ANSWERS(f, {{rid + 4, of(1, "<c/>")}});
}

BOOST_AUTO_TEST_CASE(B_174_payload_goes_to_the_stream_it_names_or_to_all) {
  Streams f(2);
  f.request(f.next("<x/>", name(1)), 2);
  BOOST_CHECK_EQUAL(f.forwarded, "1:<x/>");
  f.request(f.next("<x/>", name(0)), 3);
  BOOST_CHECK_EQUAL(f.forwarded, "<x/>");
  f.request(f.next("<x/>"), 4);
  BOOST_CHECK_EQUAL(f.forwarded, "1:<x/><x/>");
}

BOOST_AUTO_TEST_CASE(X_041_each_stream_restarts_on_its_own) {
  Streams f(2);
  for (const unsigned stream : {1U, 0U}) {
    Body body = f.next({}, name(stream));
    body.restart = true;
    f.request(std::move(body), f.last);
    BOOST_CHECK_EQUAL(f.said.at(0), stream ? "restart 1" : "restart");
  }
}

BOOST_AUTO_TEST_CASE(B_176_a_stream_that_never_was_ends_the_session) {
  Streams f(2);
  f.request(f.next("<x/>", "unheard-of"), 2);
  BOOST_CHECK(f.ended == End::unknown_stream);
  CHECK_ANSWERS(f, {{2, over(Condition::item_not_found)}});
}

BOOST_AUTO_TEST_CASE(B_177_a_poll_may_name_anything) {
  Streams f(2);
  f.request(f.next({}, "unheard-of"), 2);
  BOOST_CHECK(!f.ended);
}

BOOST_AUTO_TEST_CASE(B_178_one_stream_is_closed_and_the_last_one_ends_the_session) {
  Streams f(2);
  Body body = f.next("<bye/>", name(0));
  body.terminate = true;
  f.request(std::move(body), 2);
  BOOST_CHECK_EQUAL(f.forwarded, "<bye/>");
  BOOST_CHECK_EQUAL(f.said.at(0), "close 0");
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(has(f.answers[0].body, " type='terminate' stream='" + name(0) + "'"));
  BOOST_CHECK(!f.ended);

  f.request(f.next("<late/>", name(0)), 3);  // B-176: closed just now
  BOOST_CHECK_EQUAL(f.forwarded, "");
  BOOST_CHECK(!f.ended);

  Body last = f.next("<bye/>", name(1));
  last.terminate = true;
  f.request(std::move(last), 4);
  BOOST_CHECK(f.ended == End::client_terminated);
}

BOOST_AUTO_TEST_CASE(B_178_without_a_name_all_are_closed) {
  Streams f(2);
  Body body = f.next("<bye/>");
  body.terminate = true;
  f.request(std::move(body), 2);
  BOOST_CHECK_EQUAL(f.forwarded, "1:<bye/><bye/>");
  BOOST_CHECK(f.ended == End::client_terminated);
}

BOOST_AUTO_TEST_CASE(B_179_a_server_s_end_is_that_of_its_stream) {
  Streams f(2);
  f.poll();
  f.upstream_end(1, {Condition::remote_connection_failed, {}});
  BOOST_REQUIRE_EQUAL(f.answers.size(), 1U);
  BOOST_CHECK(has(f.answers[0].body,
                  " type='terminate' condition='remote-connection-failed' stream='" + name(1) + "'"));
  BOOST_CHECK(!f.ended);
  f.poll();
  f.upstream_end(0, {Condition::remote_connection_failed, {}});
  BOOST_CHECK(f.ended == End::told);
}

BOOST_AUTO_TEST_CASE(B_179_an_end_that_comes_after_the_session_s_own_changes_nothing) {
  Streams f(2);
  Body body = f.next();
  body.terminate = true;
  bosh::Effects effects;
  f.session->on_request(f.now, f.arrival(9), std::move(body), effects);
  const std::size_t told = effects.size();
  f.session->on_upstream_end(f.now, 1, {Condition::host_unknown, {}}, effects);
  f.session->on_upstream_end(f.now, 0, {Condition::host_unknown, {}}, effects);
  BOOST_CHECK_EQUAL(effects.size(), told);
}

BOOST_AUTO_TEST_CASE(B_171_an_addition_s_answer_has_no_data_even_at_the_end) {
  Streams f(2);
  f.upstream("<x/>");
  const Body poll = f.next();  // comes last
  Body addition = f.next();
  addition.to = "c.example";
  f.request(std::move(addition), 7);
  Body last = f.next();
  last.terminate = true;
  f.request(std::move(last), 8);
  f.upstream("<y/>");
  f.request(poll, 9);
  BOOST_CHECK(f.ended == End::client_terminated);
  BOOST_REQUIRE_EQUAL(f.answers.size(), 3U);
  BOOST_CHECK(has(f.answers[0].body, "<x/><y/>"));
  CHECK_ANSWERS(f, {f.answers[0], {7, over()}, {8, plain()}});
}

BOOST_AUTO_TEST_CASE(one_stream_too_many_is_refused_by_itself) {
  Streams f(3);
  f.add("d.example");
  f.poll();
  BOOST_CHECK(!f.ended);
  BOOST_REQUIRE(!f.answers.empty());
  BOOST_CHECK(has(f.answers.back().body, "condition='policy-violation' stream='" + name(3) + "'"));
}

BOOST_AUTO_TEST_SUITE_END()
