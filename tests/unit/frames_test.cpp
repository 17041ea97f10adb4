// WebSocket frames: every class of the Autobahn suite as tables, each input also in every two pieces and byte
// by byte (RFC 6455 §5, RFC 7692 §7).
#include "websocket/frames.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace websocket;

namespace {

constexpr std::size_t limit = 100'000;

std::string number(std::uint64_t value, unsigned bytes) {
  std::string out;
  for (unsigned shift = bytes * 8; shift > 0; shift -= 8)
    out += static_cast<char>(value >> (shift - 8) & 0xffU);
  return out;
}

/// A client's frame. `first`: FIN, RSV and the opcode.
std::string frame(unsigned first, std::string_view payload) {
  const std::string mask = "\x37\xfa\x21\x3d";
  std::string out(1, static_cast<char>(first));
  const std::size_t size = payload.size();
  if (size < 126)
    out += static_cast<char>(0x80U | size);
  else
    out += size <= 0xffff ? "\xfe" + number(size, 2) : "\xff" + number(size, 8);
  out += mask;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

/// Nothing of a message is inflated here: it comes out in brackets.
std::optional<CloseCode> in_brackets(std::string_view compressed, std::size_t most, std::string& out) {
  out = '[' + std::string(compressed) + ']';
  if (compressed == "broken") return CloseCode::invalid_data;
  return out.size() > most ? std::optional(CloseCode::too_big) : std::nullopt;
}

std::string told(const Event& event) {
  const std::string payload(event.payload.size() > 200 ? std::to_string(event.payload.size()) + " bytes"
                                                       : std::string(event.payload));
  switch (event.kind) {
    case Event::Kind::text:
      return "text " + payload;
    case Event::Kind::binary:
      return "binary " + payload;
    case Event::Kind::ping:
      return "ping " + payload;
    case Event::Kind::pong:
      return "pong " + payload;
    case Event::Kind::close:
      return "close " + std::to_string(static_cast<unsigned>(event.code));
    case Event::Kind::violation:
      return "violation " + std::to_string(static_cast<unsigned>(event.code));
    case Event::Kind::nothing:
      break;
  }
  return "nothing";
}

using Told = std::vector<std::string>;

/// What comes of the bytes when they arrive in these pieces.
Told read(const std::vector<std::string_view>& pieces, Inflate inflate = nullptr, std::size_t most = limit) {
  FrameReader reader(most, inflate);
  Told all;
  for (const std::string_view piece : pieces) {
    std::string copy(piece);
    std::span<char> bytes(copy);
    for (;;) {
      const Event event = reader.next(bytes);
      if (event.kind == Event::Kind::nothing) break;
      all.push_back(told(event));
    }
    BOOST_CHECK(bytes.empty());
  }
  return all;
}

void check_read(std::string_view bytes, const Told& expected, Inflate inflate = nullptr) {
  BOOST_TEST(read({bytes}, inflate) == expected, boost::test_tools::per_element());
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < bytes.size(); ++i) single.push_back(bytes.substr(i, 1));
  BOOST_TEST(read(single, inflate) == expected, boost::test_tools::per_element());
  if (bytes.size() > 300) return;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    BOOST_REQUIRE(read({bytes.substr(0, cut), bytes.substr(cut)}, inflate) == expected);
}

/// Behind a good message, and before one that nobody reads any more.
void check_refused(std::string_view bytes, CloseCode code, Inflate inflate = nullptr) {
  BOOST_TEST_CONTEXT(std::string(bytes.substr(0, 40)))
  check_read(frame(0x81, "good") + std::string(bytes) + frame(0x81, "late"),
             {"text good", "violation " + std::to_string(static_cast<unsigned>(code))}, inflate);
}

const std::string frame_of_64_bits = "\x82\xff" + number(std::uint64_t{1} << 63U, 8) + "mask";

}  // namespace

BOOST_AUTO_TEST_SUITE(frames)

BOOST_AUTO_TEST_CASE(W_090_messages_of_all_sizes) {
  for (const std::size_t size :
       {0U, 1U, 7U, 8U, 9U, 125U, 126U, 127U, 128U, 65535U, 65536U, 65537U, 100000U}) {
    const std::string text(size, '*');
    const std::string shown = size > 200 ? std::to_string(size) + " bytes" : text;
    check_read(frame(0x81, text), {"text " + shown});
    check_read(frame(0x82, text) + frame(0x81, "x"), {"binary " + shown, "text x"});
  }
}

BOOST_AUTO_TEST_CASE(W_074_control_frames_of_all_sizes) {
  for (const std::size_t size : {0U, 1U, 8U, 124U, 125U}) {
    check_read(frame(0x89, std::string(size, 'p')), {"ping " + std::string(size, 'p')});
    check_read(frame(0x8a, std::string(size, 'p')), {"pong " + std::string(size, 'p')});
  }
  check_read(frame(0x89, std::string("\x00\xff\xfe", 3)), {"ping " + std::string("\x00\xff\xfe", 3)});
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += frame(0x89, std::to_string(i));
  check_read(ten, {"ping 0", "ping 1", "ping 2", "ping 3", "ping 4", "ping 5", "ping 6", "ping 7", "ping 8",
                   "ping 9"});
}

BOOST_AUTO_TEST_CASE(W_092_control_frames_are_short_and_whole) {
  for (const unsigned opcode : {8U, 9U, 10U}) {
    check_refused(frame(0x80U | opcode, std::string(126, 'p')), CloseCode::protocol_error);
    check_refused(frame(opcode, "p"), CloseCode::protocol_error);
  }
}

BOOST_AUTO_TEST_CASE(W_089_reserved_bits_and_opcodes) {
  for (const unsigned reserved : {0x10U, 0x20U, 0x30U, 0x40U, 0x50U, 0x60U, 0x70U})
    for (const unsigned opcode : {1U, 2U, 8U, 9U, 10U})
      check_refused(frame(0x80U | reserved | opcode, ""), CloseCode::protocol_error);
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U})
    for (const auto* payload : {"", "x"})
      check_refused(frame(0x80U | opcode, payload), CloseCode::protocol_error);
}

BOOST_AUTO_TEST_CASE(W_088_a_frame_that_is_not_masked) {
  check_refused(std::string("\x81\x05hello", 7), CloseCode::protocol_error);
  check_refused(std::string("\x81\x00", 2), CloseCode::protocol_error);
  check_refused(std::string("\x89\x00", 2), CloseCode::protocol_error);
}

BOOST_AUTO_TEST_CASE(W_090_a_length_in_more_bytes_than_needed) {
  check_refused("\x81\xfe" + number(125, 2) + "mask" + std::string(125, 'x'), CloseCode::protocol_error);
  check_refused("\x81\xff" + number(65535, 8) + "mask", CloseCode::protocol_error);
  check_refused("\x81\xff" + number(5, 8) + "mask", CloseCode::protocol_error);
  check_refused(frame_of_64_bits, CloseCode::protocol_error);
}

BOOST_AUTO_TEST_CASE(W_029_fragments_are_joined) {
  check_read(frame(0x01, "a") + frame(0x80, "b"), {"text ab"});
  check_read(frame(0x02, "a") + frame(0x00, "") + frame(0x80, "b"), {"binary ab"});
  check_read(frame(0x01, "") + frame(0x00, "") + frame(0x80, ""), {"text "});
  check_read(frame(0x01, "") + frame(0x00, "x") + frame(0x80, ""), {"text x"});
  check_read(frame(0x01, "a") + frame(0x89, "p") + frame(0x80, "b"), {"ping p", "text ab"});
  check_read(frame(0x01, "a") + frame(0x89, "p") + frame(0x00, "b") + frame(0x8a, "q") + frame(0x80, "c") +
                 frame(0x01, "d") + frame(0x80, "e"),
             {"ping p", "pong q", "text abc", "text de"});
  check_read(frame(0x01, "a") + frame(0x88, ""), {"close 1005"});
}

BOOST_AUTO_TEST_CASE(W_091_fragments_out_of_place) {
  check_refused(frame(0x80, "x"), CloseCode::protocol_error);
  check_refused(frame(0x00, "x"), CloseCode::protocol_error);
  check_refused(frame(0x01, "a") + frame(0x81, "b"), CloseCode::protocol_error);
  check_refused(frame(0x01, "a") + frame(0x02, "b"), CloseCode::protocol_error);
  check_refused(frame(0x02, "a") + frame(0x01, "b"), CloseCode::protocol_error);
}

BOOST_AUTO_TEST_CASE(W_095_text_is_utf_8) {
  const std::vector<std::string> right = {"",
                                          "x",
                                          "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc",
                                          "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
                                          std::string(1, '\0'),
                                          "\xc2\x80",
                                          "\xe0\xa0\x80",
                                          "\xf0\x90\x80\x80",
                                          "\x7f",
                                          "\xdf\xbf",
                                          "\xef\xbf\xbf",
                                          "\xed\x9f\xbf",
                                          "\xee\x80\x80",
                                          "\xef\xbf\xbd",
                                          "\xf4\x8f\xbf\xbf",
                                          "\xef\xbf\xbe",
                                          "12345678\xc2\x80"};
  for (const std::string& text : right) {
    check_read(frame(0x81, text), {"text " + text});
    for (std::size_t cut = 0; cut <= text.size(); ++cut)  // also within a character
      check_read(frame(0x01, text.substr(0, cut)) + frame(0x80, text.substr(cut)), {"text " + text});
    check_read(frame(0x82, text + "\xff"), {"binary " + text + "\xff"});
  }
  const std::vector<std::string> wrong = {"\x80",
                                          "\xbf",
                                          "\x80\xbf",
                                          "x\xc2",
                                          "\xe0\xa0",
                                          "\xf0\x90\x80",
                                          "\xc0\xaf",
                                          "\xc1\xbf",
                                          "\xe0\x80\xaf",
                                          "\xe0\x9f\xbf",
                                          "\xf0\x80\x80\xaf",
                                          "\xf0\x8f\xbf\xbf",
                                          "\xf8\x88\x80\x80\x80",
                                          "\xfc\x84\x80\x80\x80\x80",
                                          "\xfe",
                                          "\xff",
                                          "\xed\xa0\x80",
                                          "\xed\xbf\xbf",
                                          "\xed\xa0\x80\xed\xb0\x80",
                                          "\xf4\x90\x80\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xc2x",
                                          "\xe1\x80x",
                                          "12345678\xff",
                                          "1234567\xc2",
                                          "\xce\xba\xe1\xbd\xb9\xed\xa0\x80 edited"};
  for (const std::string& text : wrong) {
    check_refused(frame(0x81, text), CloseCode::invalid_data);
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
      check_refused(frame(0x01, text.substr(0, cut)) + frame(0x80, text.substr(cut)),
                    CloseCode::invalid_data);
  }
}

BOOST_AUTO_TEST_CASE(W_093_W_094_close_frames) {
  check_read(frame(0x88, ""), {"close 1005"});
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 1012U, 1013U,
                              1014U, 3000U, 3999U, 4000U, 4999U}) {
    check_read(frame(0x88, number(code, 2)), {"close " + std::to_string(code)});
    check_read(frame(0x88, number(code, 2) + std::string(123, 'x')), {"close " + std::to_string(code)});
  }
  for (const unsigned code :
       {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U, 5000U, 65535U})
    check_refused(frame(0x88, number(code, 2)), CloseCode::protocol_error);
  check_refused(frame(0x88, "\x03"), CloseCode::protocol_error);
  check_refused(frame(0x88, number(1000, 2) + "\xed\xa0\x80"), CloseCode::invalid_data);
}

BOOST_AUTO_TEST_CASE(W_068_after_a_close_nothing_is_read) {
  check_read(frame(0x88, number(1000, 2)) + frame(0x81, "x") + frame(0x89, "y"), {"close 1000"});
  check_read(frame(0x88, number(1000, 2)) + "\xff\xff\xff", {"close 1000"});
}

BOOST_AUTO_TEST_CASE(W_098_messages_are_bounded) {
  check_refused(frame(0x81, std::string(limit + 1, 'x')), CloseCode::too_big);
  check_refused("\x82\xff" + number(std::uint64_t{1} << 40U, 8) + "mask", CloseCode::too_big);
  check_refused(frame(0x01, std::string(limit, 'x')) + frame(0x80, "x"), CloseCode::too_big);
}

BOOST_AUTO_TEST_CASE(many_frames_that_hold_next_to_nothing_are_refused) {
  std::string most = frame(0x01, "");
  for (int i = 0; i < 1022; ++i) most += frame(0x00, "");
  BOOST_TEST(read({most + frame(0x80, "x")}) == Told{"text x"});
  BOOST_TEST(read({most + frame(0x00, "") + frame(0x80, "x")}) == Told{"violation 1008"});
  std::string small = frame(0x02, std::string(16, 'x'));
  for (int i = 0; i < 6000; ++i) small += frame(0x00, std::string(16, 'x'));
  BOOST_TEST(read({small + frame(0x80, "")}) == Told{"binary 96016 bytes"});
}

BOOST_AUTO_TEST_CASE(W_106_W_107_compressed_messages) {
  check_read(frame(0xc1, "abc") + frame(0x81, "plain"), {"text [abc]", "text plain"}, in_brackets);  // W-110
  check_read(frame(0x41, "a") + frame(0x89, "p") + frame(0x00, "b") + frame(0x80, "c"),
             {"ping p", "text [abc]"}, in_brackets);
  check_read(frame(0xc2, ""), {"binary []"}, in_brackets);
  check_refused(frame(0xc1, "\xff"), CloseCode::invalid_data, in_brackets);  // what it was inflated to
  check_refused(frame(0xc1, "broken"), CloseCode::invalid_data, in_brackets);
  check_refused(frame(0xc1, std::string(limit, 'x')), CloseCode::too_big, in_brackets);
}

BOOST_AUTO_TEST_CASE(W_108_the_bit_of_compression_stands_on_first_frames_only) {
  check_refused(frame(0xc9, ""), CloseCode::protocol_error, in_brackets);
  check_refused(frame(0xc8, ""), CloseCode::protocol_error, in_brackets);
  check_refused(frame(0x41, "a") + frame(0xc0, "b"), CloseCode::protocol_error, in_brackets);
  check_refused(frame(0xa1, "a"), CloseCode::protocol_error, in_brackets);
}

BOOST_AUTO_TEST_CASE(W_088_frames_that_are_sent_are_not_masked_and_minimal) {
  const auto header = [](std::size_t size, bool compressed = false) {
    std::string out = "before";
    append_frame_header(out, Opcode::text, size, compressed);
    return out.substr(6);
  };
  BOOST_TEST(header(0) == std::string("\x81\x00", 2));
  BOOST_TEST(header(125) == "\x81\x7d");
  BOOST_TEST(header(126) == std::string("\x81\x7e\x00\x7e", 4));
  BOOST_TEST(header(65535) == "\x81\x7e\xff\xff");
  BOOST_TEST(header(65536) == "\x81\x7f" + number(65536, 8));
  BOOST_TEST(header(5, true) == "\xc1\x05");
}

BOOST_AUTO_TEST_CASE(W_097_close_frames_that_are_sent) {
  BOOST_TEST(close_frame(CloseCode::normal) == "\x88\x02\x03\xe8");
  BOOST_TEST(close_frame(CloseCode::too_big, "why") == "\x88\x05\x03\xf1why");
  BOOST_TEST(close_frame(CloseCode::none) == std::string("\x88\x00", 2));
  BOOST_TEST(close_frame(CloseCode::normal, std::string(200, 'x')).size() == 127U);
}

BOOST_AUTO_TEST_SUITE_END()
