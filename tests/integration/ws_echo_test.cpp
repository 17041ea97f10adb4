// The connection of boshd's WebSockets against the rules of RFC 6455 and RFC 7692, over sockets: what the
// Autobahn suite looks at, against an echo.
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "src/message_deflate.hpp"
#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

/// The echo as a process.
class Echo {
 public:
  explicit Echo(bool deflate = false)
      : process_(WS_ECHO_PROGRAM, deflate ? std::vector<std::string>{"--port", "0", "--deflate"}
                                          : std::vector<std::string>{"--port", "0"}) {
    const std::string line = process_.out.wait_for_line("listening ");
    port_ = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(' ') + 1)));
  }
  WebClient connect(std::string_view headers = {}) const { return WebClient(port_, headers); }

 private:
  Process process_;
  std::uint16_t port_ = 0;
};

constexpr std::string_view with_deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

std::string close_line(unsigned code) {
  return "close " + std::to_string(code) + "\n";
}

/// In frames of this size.
std::string fragmented(unsigned opcode, std::string_view message, std::size_t size) {
  std::string out;
  for (std::size_t at = 0; at < message.size(); at += size) {
    const bool last = at + size >= message.size();
    out += client_frame((last ? 0x80U : 0U) | (at == 0 ? opcode : 0U), message.substr(at, size));
  }
  return out;
}

/// What comes back for these bytes and a Close frame behind them, up to the end.
std::string said_to(const Echo& echo, std::string_view bytes) {
  WebClient client = echo.connect();
  client.send(bytes);
  client.send(client_frame(0x88, close_payload(1000)));
  return client.hears_to_end();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(web_echo)

BOOST_AUTO_TEST_CASE(W_015_text_and_binary_of_all_sizes) {
  const Echo echo;
  WebClient client = echo.connect();
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 65535U, 65536U, 1U << 20U, 16U << 20U}) {
    const std::string payload(size, '*');
    for (const unsigned opcode : {1U, 2U}) {
      client.send(client_frame(0x80U | opcode, payload));
      const Frame frame = client.frame();
      BOOST_REQUIRE_EQUAL(frame.first, 0x80U | opcode);
      BOOST_REQUIRE(frame.payload == payload);
    }
  }
  client.send(client_frame(0x82, std::string((16U << 20U) + 1, '*')));
  BOOST_TEST(client.hears() == "close 1009");
}

BOOST_AUTO_TEST_CASE(W_029_fragments_of_all_sizes_whole_and_octet_by_octet) {
  const Echo echo;
  WebClient client = echo.connect();
  const std::string payload(1U << 20U, 'x');
  for (const std::size_t size : {64U, 256U, 1024U, 4096U, 65536U}) {
    client.send(fragmented(2, payload, size));
    BOOST_REQUIRE(client.frame().payload == payload);
  }
  for (const char octet : client_frame(0x81, "in single octets \xce\xba")) client.send({&octet, 1});
  BOOST_TEST(client.hears() == "in single octets \xce\xba");
}

BOOST_AUTO_TEST_CASE(W_074_pings_between_fragments) {
  const Echo echo;
  BOOST_TEST(said_to(echo, client_frame(0x89, "p")) == "frame 138: p\n" + close_line(1000));
  BOOST_TEST(said_to(echo, client_frame(0x8a, "nobody asked")) == close_line(1000));
  BOOST_TEST(said_to(echo, client_frame(0x01, "a") + client_frame(0x89, "1") + client_frame(0x00, "b") +
                               client_frame(0x89, "2") + client_frame(0x80, "c")) ==
             "frame 138: 1\nframe 138: 2\nabc\n" + close_line(1000));
}

BOOST_AUTO_TEST_CASE(W_089_W_091_W_092_W_097_violations_are_told_their_code) {
  const Echo echo;
  const std::string good = client_frame(0x81, "good");
  const auto check = [&](std::string_view bytes, unsigned code) {
    BOOST_TEST(said_to(echo, good + std::string(bytes) + good) == "good\n" + close_line(code));
  };
  for (const unsigned first : {0xc1U, 0xa1U, 0x91U, 0xb9U, 0x83U, 0x87U, 0x8bU, 0x8fU})
    check(client_frame(first, "x"), 1002);
  for (const unsigned first : {0x80U, 0x00U, 0x09U, 0x08U}) check(client_frame(first, "x"), 1002);
  check(client_frame(0x89, std::string(126, 'p')), 1002);
  check(client_frame(0x01, "a") + client_frame(0x81, "b"), 1002);
  check(std::string("\x81\x01x", 3), 1002);
  check(client_frame(0x81, "\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), 1007);
  check(client_frame(0x01, "\xf4") + client_frame(0x80, "\x90\x80\x80"), 1007);
}

BOOST_AUTO_TEST_CASE(W_095_characters_may_be_split_between_fragments) {
  const Echo echo;
  const std::string text = "Hello-\xc2\xb5@\xc3\x9f\xf0\x9f\x98\x80";
  std::string single;
  for (std::size_t i = 0; i < text.size(); ++i)
    single += client_frame((i + 1 == text.size() ? 0x80U : 0U) | (i == 0 ? 1U : 0U), text.substr(i, 1));
  BOOST_TEST(said_to(echo, single) == text + "\n" + close_line(1000));
}

BOOST_AUTO_TEST_CASE(W_068_W_093_close_frames_are_answered) {
  const Echo echo;
  const auto check = [&](std::string_view payload, unsigned code) {
    WebClient client = echo.connect();
    client.send(client_frame(0x88, payload) + client_frame(0x81, "late"));
    BOOST_TEST(client.hears_to_end() == close_line(code));
  };
  check("", 0);
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1011U, 1014U, 3000U, 4999U})
    check(close_payload(code, "why"), code);
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 2999U, 5000U})
    check(close_payload(code), 1002);
  check("\x03", 1002);
  check(close_payload(1000, "\xff"), 1007);
  check(close_payload(1000, std::string(123, 'y')), 1000);
  check(close_payload(1000, std::string(124, 'y')), 1002);
}

BOOST_AUTO_TEST_CASE(W_100_W_106_compressed_messages_come_back_compressed) {
  const Echo echo(true);
  WebClient client = echo.connect(with_deflate);
  for (int i = 0; i < 1000; ++i) {
    const std::string text = std::to_string(i) + std::string(static_cast<std::size_t>(i) * 17 % 5000, 'x');
    const std::string packed = boshd::deflate_message(text, 15);
    if (i % 3 == 0)
      client.send(fragmented(0x41, packed, packed.size() / 2 + 1));
    else
      client.send(client_frame(0xc1, packed));
    Frame frame = client.frame();
    if (frame.first == 0xc1) {
      std::string inflated;
      BOOST_REQUIRE(!boshd::inflate_message(frame.payload, 10'000, inflated));
      frame.payload = std::move(inflated);
    }
    BOOST_REQUIRE(frame.payload == text);
  }
  const std::string bomb = boshd::deflate_message(std::string(20U << 20U, 'x'), 15);
  client.send(client_frame(0xc1, bomb));
  BOOST_TEST(client.hears() == "close 1009");
  WebClient broken = echo.connect(with_deflate);
  broken.send(client_frame(0xc1, "\xff\xff\xff"));
  BOOST_TEST(broken.hears() == "close 1007");
}

BOOST_AUTO_TEST_CASE(W_101_without_the_offer_nothing_may_be_compressed) {
  const Echo echo(true);
  BOOST_TEST(said_to(echo, client_frame(0xc1, "x")) == close_line(1002));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
