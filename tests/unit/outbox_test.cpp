#include "bosh/outbox.hpp"

#include <boost/test/unit_test.hpp>
#include <string_view>

using bosh::Letter;
using bosh::Outbox;

namespace {

void say(Outbox& outbox, bosh::StreamId stream, std::string_view text) {
  xml::Element element;
  element.bytes = text;
  outbox.add(stream, {&element, 1}, bosh::Time{});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(outbox)

BOOST_AUTO_TEST_CASE(B_173_a_letter_is_of_one_stream) {
  Outbox outbox;
  say(outbox, 0, "<a/>");
  say(outbox, 1, "<b/>");
  say(outbox, 0, "<c/>");
  BOOST_CHECK_EQUAL(outbox.bytes(), 12U);
  const Letter first = outbox.take();
  BOOST_CHECK_EQUAL(first.stream, 0U);
  BOOST_CHECK_EQUAL(first.content, "<a/><c/>");
  const Letter second = outbox.take();
  BOOST_CHECK_EQUAL(second.stream, 1U);
  BOOST_CHECK_EQUAL(second.content, "<b/>");
  BOOST_CHECK(outbox.empty());
}

BOOST_AUTO_TEST_CASE(B_179_a_stream_s_end_comes_last_and_alone) {
  Outbox outbox;
  say(outbox, 1, "<b/>");
  outbox.end(1, {bosh::Condition::host_unknown, {}});
  BOOST_CHECK(!outbox.take().end);
  const Letter end = outbox.take();
  BOOST_CHECK_EQUAL(end.content, "");
  BOOST_REQUIRE(end.end);
  BOOST_CHECK(end.end->condition == bosh::Condition::host_unknown);
}

BOOST_AUTO_TEST_CASE(nothing_makes_no_letter) {
  Outbox outbox;
  outbox.add(0, {}, bosh::Time{});
  BOOST_CHECK(outbox.empty());
}

BOOST_AUTO_TEST_SUITE_END()
