// Unfinished and too large requests, `100 Continue`, and requests changed at random.
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "tests/unit/http_requests.hpp"

namespace boshd {

BOOST_AUTO_TEST_SUITE(http_request_limits)

BOOST_AUTO_TEST_CASE(a_body_is_any_bytes) {
  const auto body = "\0\r\n\r\n\xff<body>\r"s;
  BOOST_TEST(good(post("Content-Length: " + std::to_string(body.size()) + "\r\n", body)).body == body);
}

BOOST_AUTO_TEST_CASE(D_067_an_unfinished_request_stays_unfinished) {
  for (const auto& message :
       {""s, "\r\n"s, "P"s, "GET / HTTP/1.1\r\nHost: a\r\n"s, post("Content-Length: 6\r\n", "12345"),
        chunked("5\r\nhello\r\n"), chunked("5\r\nhello\r\n0\r\n"), chunked("0\r\nX: y\r\n")}) {
    BOOST_TEST((read_every_way(message).state == State::reading), message);
  }
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_told_apart) {
  const std::vector<std::string> messages = {
      post("Content-Length: 3\r\n", "one"),           chunked("3\r\ntwo\r\n0\r\n\r\n"), get("/three"),
      "\r\n" + post("Content-Length: 4\r\n", "four"), chunked("0\r\nX: y\r\n\r\n"),     get("/six")};
  std::string all;
  for (const auto& message : messages) all += message;
  for (std::size_t step = 1; step <= all.size(); ++step) {
    std::size_t at = 0;
    for (const auto& message : messages) {
      RequestReader reader{HttpLimits{}};
      const auto start = at;
      while (reader.state() == State::reading && at < all.size()) {
        at += reader.read(std::string_view(all).substr(at, step));
      }
      if (reader.state() != State::complete || at - start != message.size()) {
        BOOST_ERROR("in steps of " << step << " at " << start);
      }
      BOOST_TEST(reader.read("x") == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(D_081_a_head_up_to_the_limit_passes) {
  const HttpLimits limits{.header_bytes = 200, .header_fields = 100, .body_bytes = 100};
  good(request_with_head_of(199), limits);
  good(request_with_head_of(200), limits);
  good("\r\n\r\n" + request_with_head_of(200), limits);
  refused(431, request_with_head_of(201), limits);
  refused(431, std::string(200, 'x'), limits);
  BOOST_TEST((read_every_way(std::string(199, 'x'), limits).state == State::reading));
}

BOOST_AUTO_TEST_CASE(D_081_fields_up_to_the_limit_pass) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 5, .body_bytes = 100};
  const auto with_fields = [](int count) {
    std::string message = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < count; ++i) message += "X: y\r\n";
    return message + "\r\n";
  };
  good(with_fields(4), limits);
  good(with_fields(5), limits);
  refused(431, with_fields(6), limits);
}

BOOST_AUTO_TEST_CASE(D_079_a_body_up_to_the_limit_passes) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 10, .body_bytes = 100};
  for (const std::size_t size : {99U, 100U}) {
    const std::string body(size, 'x');
    BOOST_TEST(good(post("Content-Length: " + std::to_string(size) + "\r\n", body), limits).body == body);
  }
  BOOST_TEST(
      good(chunked("32\r\n" + std::string(50, 'x') + "\r\n32\r\n" + std::string(50, 'y') + "\r\n0\r\n\r\n"),
           limits)
          .body.size() == 100U);
  const std::string body(101, 'x');
  for (const auto& message :
       {post("Content-Length: 101\r\n", body), chunked("65\r\n" + body + "\r\n0\r\n\r\n"),
        chunked("64\r\n" + std::string(100, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n")}) {
    const auto outcome = read_every_way(message, limits);
    BOOST_TEST((outcome.state == State::too_large), message);
    BOOST_TEST(outcome.request.body == body);
  }
}

BOOST_AUTO_TEST_CASE(D_079_the_start_of_a_body_too_large_is_kept) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 10, .body_bytes = 100};
  const std::string body(40000, 'x');
  const auto kept = RequestReader::kept_of_too_large;
  const auto check = [&](const std::string& head, const std::string& rest) {
    RequestReader reader(limits);
    reader.read(head);
    BOOST_TEST((reader.state() == State::reading));
    reader.read(rest.substr(0, kept - 1));
    BOOST_TEST((reader.state() == State::reading));
    reader.read(rest.substr(kept - 1));
    BOOST_TEST((reader.state() == State::too_large));
    BOOST_TEST(reader.request().body == body.substr(0, kept));
    BOOST_TEST(reader.head_complete());
  };
  check(post("Content-Length: 40000\r\n", ""), body);
  check(post("Content-Length: 18446744073709551615\r\n", ""), body);
  check(chunked("9C40\r\n"), body);
  check(chunked("FFFFFFFFFFFFFFFF\r\n"), body);
}

BOOST_AUTO_TEST_CASE(D_079_beyond_the_kept_start_a_chunk_too_much_is_told_at_once) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 10, .body_bytes = 20000};
  RequestReader reader(limits);
  reader.read(chunked("4E20\r\n" + std::string(20000, 'x') + "\r\n"));
  BOOST_TEST((reader.state() == State::reading));
  reader.read("1\r\n");
  BOOST_TEST((reader.state() == State::too_large));
  BOOST_TEST(reader.request().body.size() == 20000U);
}

BOOST_AUTO_TEST_CASE(D_075_continue_is_asked_for_once_and_only_before_the_body) {
  const auto head = post("Expect: 100-Continue\r\nContent-Length: 5\r\n", "");
  RequestReader reader{HttpLimits{}};
  reader.read(std::string_view(head).substr(0, head.size() - 1));
  BOOST_TEST((reader.state() == State::reading));
  reader.read("\n");
  BOOST_TEST((reader.state() == State::continue_first));
  BOOST_TEST(reader.head_complete());
  reader.read("1");
  BOOST_TEST((reader.state() == State::reading));
  reader.read("2345");
  BOOST_TEST((reader.state() == State::complete));
  BOOST_TEST(reader.request().body == "12345");

  RequestReader hasty{HttpLimits{}};
  hasty.read(head + "1");
  BOOST_TEST((hasty.state() == State::reading));

  RequestReader in_chunks{HttpLimits{}};
  in_chunks.read(post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", ""));
  BOOST_TEST((in_chunks.state() == State::continue_first));
  in_chunks.read("0\r\n\r\n");
  BOOST_TEST((in_chunks.state() == State::complete));

  good(head + "12345");
  good(post("Expect: 100-continue\r\n", ""));
  good(post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""));
}

BOOST_AUTO_TEST_CASE(D_076_http_1_0_expects_nothing) {
  for (const auto expectation : {"100-continue", "tea"}) {
    RequestReader reader{HttpLimits{}};
    reader.read("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: "s + expectation + "\r\n\r\n");
    BOOST_TEST((reader.state() == State::reading));
    reader.read("12345");
    BOOST_TEST((reader.state() == State::complete));
  }
}

BOOST_AUTO_TEST_CASE(D_077_other_expectations_fail) {
  for (const auto expectation : {"tea", "100-continue, tea", "100-continue\r\nExpect: tea", ""}) {
    refused(417, post("Content-Length: 5\r\nExpect: "s + expectation + "\r\n", "12345"));
  }
}

BOOST_AUTO_TEST_CASE(D_079_a_client_that_waits_learns_at_once_that_its_body_is_too_large) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 10, .body_bytes = 100};
  const auto head = post("Expect: 100-continue\r\nContent-Length: 101\r\n", "");
  for (const auto& message : {head, head + "<body"}) {
    const auto outcome = read_every_way(message, limits);
    BOOST_TEST((outcome.state == State::too_large));
    BOOST_TEST(outcome.request.body.empty());
  }
}

// What the list above has not thought of: any message, good or bad, must come out the same however it is cut.
BOOST_AUTO_TEST_CASE(changed_messages_come_out_the_same_however_they_are_cut) {
  const HttpLimits limits{.header_bytes = 300, .header_fields = 6, .body_bytes = 20};
  const std::vector<std::string> seeds = {
      post("Content-Length: 12\r\nX-Forwarded-For: 192.0.2.1\r\n", "<body>x</body>"),
      chunked("5;a=\"b\"\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n"),
      post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
      "OPTIONS http://h.example/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: https://b\r\n\r\n"};
  const std::vector<std::string> splices = {"\r\n",     "\r",  "\n",       " ",       "\t",
                                            "0",        "5",   ":",        ";",       ",",
                                            "\"",       "\0"s, "\r\n\r\n", "chunked", "Content-Length: 5\r\n",
                                            "HTTP/1.0", "\x80"};
  std::mt19937 random(20261120);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 4000; ++round) {
    auto message = seeds[below(seeds.size())];
    for (auto changes = 1 + below(3); changes > 0; --changes) {
      message.replace(below(message.size()), below(3), splices[below(splices.size())]);
    }
    const auto whole = read_pieces({message}, limits);
    if (!same(whole, read_pieces(bytes_of(message), limits))) BOOST_ERROR("byte by byte: " << shown(message));
    const auto cut = below(message.size());
    const auto text = std::string_view(message);
    if (!same(whole, read_pieces({text.substr(0, cut), text.substr(cut)}, limits))) {
      BOOST_ERROR("cut at " << cut << ": " << shown(message));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_reader_can_be_moved) {
  RequestReader first{HttpLimits{}};
  first.read("GET / HT");
  RequestReader second = std::move(first);
  second.read("TP/1.1\r\nHost: a\r\n\r\n");
  BOOST_TEST((second.state() == State::complete));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
