// Compression of WebSocket messages: each stands alone (RFC 7692 §7.2).
#include "src/message_deflate.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

using namespace boshd;
using websocket::CloseCode;

namespace {

std::string text_of(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) text += "<message id='" + std::to_string(random() % 1000) + "'/>";
  text.resize(size);
  return text;
}

std::string inflated(std::string_view compressed, std::size_t limit = 1 << 20) {
  std::string out;
  const auto fault = inflate_message(compressed, limit, out);
  return fault ? "fault " + std::to_string(static_cast<unsigned>(*fault)) : out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_deflate)

BOOST_AUTO_TEST_CASE(W_106_what_is_compressed_comes_out_again) {
  for (unsigned bits = 9; bits <= 15; ++bits)
    for (const std::size_t size : {0U, 1U, 100U, 5000U, 65536U, 1000000U}) {
      const std::string text = text_of(size);
      const std::string packed = deflate_message(text, bits);
      BOOST_REQUIRE(!packed.empty());
      BOOST_CHECK(inflated(packed) == text);
      BOOST_CHECK(!packed.ends_with(std::string_view("\x00\x00\xff\xff", 4)));
    }
}

BOOST_AUTO_TEST_CASE(W_107_the_examples_of_the_specification) {
  BOOST_CHECK_EQUAL(inflated(std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)), "Hello");
  BOOST_CHECK_EQUAL(inflated(std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)),
                    "Hello");                                                                // stored
  BOOST_CHECK_EQUAL(inflated(std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)), "Hello");  // a last block
  BOOST_CHECK_EQUAL(inflated(std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13)),
                    "Hello");
  BOOST_CHECK_EQUAL(inflated(std::string("\x00", 1)), "");
}

BOOST_AUTO_TEST_CASE(W_102_no_context_is_taken_over) {
  const std::string text = text_of(2000);
  const std::string first = deflate_message(text, 15);
  BOOST_CHECK_EQUAL(deflate_message(text, 15), first);
  BOOST_CHECK_EQUAL(inflated(first), text);
  // The second "Hello" of the specification's example points back into the first.
  BOOST_CHECK(inflated(std::string("\xf2\x00\x11\x00\x00", 5)) != "Hello");
}

BOOST_AUTO_TEST_CASE(W_111_a_bomb_is_stopped_at_the_limit) {
  const std::string bomb = deflate_message(std::string(5'000'000, 'x'), 15);
  BOOST_CHECK(bomb.size() < 30'000);
  std::string out;
  BOOST_CHECK(inflate_message(bomb, 100'000, out) == CloseCode::too_big);
  BOOST_CHECK(out.size() < 200'000);
  BOOST_CHECK_EQUAL(inflated(deflate_message(std::string(1000, 'x'), 15), 1000), std::string(1000, 'x'));
  BOOST_CHECK_EQUAL(inflated(deflate_message(std::string(1001, 'x'), 15), 1000), "fault 1009");
}

BOOST_AUTO_TEST_CASE(W_107_what_is_not_deflated_is_refused) {
  BOOST_CHECK_EQUAL(inflated("\xff\xff\xff"), "fault 1007");
  BOOST_CHECK_EQUAL(inflated("\x07"), "fault 1007");
  BOOST_CHECK_EQUAL(inflated(deflate_message("good", 15)), "good");  // and the next one is read as ever
}

BOOST_AUTO_TEST_SUITE_END()
