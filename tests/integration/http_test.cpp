// The web side: pages, CORS, framing, slow clients. The numbers in the names are those of the checklists for
// the web (D) and XEP-0124 (B).
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <sstream>

#include "tests/integration/client.hpp"

namespace integration {
namespace {

namespace data = boost::unit_test::data;

constexpr std::string_view host = "Host: example.org\r\n";

std::string request(std::string_view line, std::string_view headers = {}) {
  return std::string(line) + "\r\n" + std::string(host) + std::string(headers) + "\r\n";
}

struct Page {
  const char* line;
  unsigned status;
  const char* allow = "";
};

constexpr const char* methods = "GET, HEAD, POST, OPTIONS";
const Page pages[] = {
    {"GET /http-bind HTTP/1.1", 200},
    {"GET /http-bind/ HTTP/1.1", 200},
    {"GET /http-bind?a=b HTTP/1.1", 200},
    {"GET http://example.org/http-bind HTTP/1.1", 200},
    {"HEAD /http-bind HTTP/1.1", 200},
    {"OPTIONS /http-bind HTTP/1.1", 204, methods},
    {"OPTIONS /http-bind/?x HTTP/1.1", 204, methods},
    {"OPTIONS * HTTP/1.1", 204, methods},
    {"GET / HTTP/1.1", 404},
    {"GET /http-bindx HTTP/1.1", 404},
    {"GET /http-bind// HTTP/1.1", 404},
    {"GET /http-bind/x HTTP/1.1", 404},
    {"GET /HTTP-BIND HTTP/1.1", 404},
    {"POST /elsewhere HTTP/1.1", 404},
    {"PUT /http-bind HTTP/1.1", 405, methods},
    {"DELETE /http-bind HTTP/1.1", 405, methods},
    {"BREW /http-bind HTTP/1.1", 501},
    {"post /http-bind HTTP/1.1", 501},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(web)

BOOST_AUTO_TEST_CASE(D_043_D_050_pages_and_methods) {
  Bridge bridge;
  for (const Page& page : pages) {
    BOOST_TEST_CONTEXT(page.line) {
      HttpClient client = bridge.connect();
      client.send(request(page.line));
      const Response answer = client.answer(std::string_view(page.line).starts_with("HEAD"));
      BOOST_TEST(answer.status == page.status);
      BOOST_TEST(answer.header("Allow") == page.allow);
      check_headers(answer);
    }
  }
  BOOST_TEST(!bridge.server.has_connection());
}

BOOST_AUTO_TEST_CASE(D_046_head_has_the_length_of_get_and_no_body) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.send(request("GET /http-bind HTTP/1.1") + request("HEAD /http-bind HTTP/1.1") +
              request("GET /http-bind HTTP/1.1"));
  const Response get = client.answer();
  const Response head = client.answer(true);
  BOOST_TEST(get.header("Content-Length") == head.header("Content-Length"));
  BOOST_TEST(client.answer().body == get.body);
}

BOOST_DATA_TEST_CASE(D_049_posts_reach_bosh_under_every_form_of_the_path,
                     data::make({"/http-bind", "/http-bind/", "/http-bind?x=1",
                                 "http://example.org/http-bind"})) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.send(HttpClient::post_bytes(body_element("rid='1'"), {}, sample));
  BOOST_TEST(said(client.answer()) == "terminate improper-addressing");
}

BOOST_AUTO_TEST_CASE(a_path_of_one_s_own_with_a_slash) {
  FakeServer server;
  const Daemon daemon("upstream.server = \"" + server.address() + "\"\nlisten.bosh_path = \"/chat/bosh/\"");
  HttpClient client(daemon);
  for (const auto& [path, status] :
       {std::pair("/chat/bosh", 200U), std::pair("/chat/bosh/", 200U), std::pair("/http-bind", 404U)}) {
    client.send(HttpClient::post_bytes(body_element("rid='1'"), {}, path));
    BOOST_TEST(client.answer().status == status);
  }
}

BOOST_AUTO_TEST_CASE(B_017_D_037_the_content_type_does_not_matter) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "text/xml", ""}) {
    const std::string body = body_element("rid='1'");
    client.send(request("POST /http-bind HTTP/1.1", "Content-Type: " + std::string(type) +
                                                        "\r\nContent-Length: " + std::to_string(body.size()) +
                                                        "\r\n") +
                body);
    BOOST_TEST(said(client.answer()) == "terminate improper-addressing");
  }
}

BOOST_AUTO_TEST_CASE(B_015_D_080_an_unknown_content_encoding_is_refused) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  const Response answer = client.ask("whatever", "Content-Encoding: br\r\n");
  BOOST_TEST(answer.status == 415U);
  check_headers(answer);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cors)

BOOST_AUTO_TEST_CASE(D_022_preflight) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.send(request("OPTIONS /http-bind HTTP/1.1",
                      "Origin: https://chat.example\r\nAccess-Control-Request-Method: POST\r\n"
                      "Access-Control-Request-Headers: content-type\r\n"));
  const Response answer = client.answer();
  BOOST_TEST(answer.status == 204U);
  BOOST_TEST(answer.header("Access-Control-Allow-Origin") == "*");
  BOOST_TEST(has(answer.header("Access-Control-Allow-Methods"), "POST"));
  BOOST_TEST(has(answer.header("Access-Control-Allow-Headers"), "ontent-"));
  BOOST_TEST(answer.header("Access-Control-Max-Age") == "7200");
  BOOST_TEST(answer.header("Content-Length") == "");  // D-038
}

BOOST_AUTO_TEST_CASE(D_024_D_026_only_listed_origins) {
  Bridge bridge("cors.origins = [\"https://chat.example\"]");
  HttpClient client = bridge.connect();
  const std::string body = body_element("rid='1'");
  const Response good = client.ask(body, "Origin: https://chat.example\r\n");
  BOOST_TEST(said(good) == "terminate improper-addressing");
  BOOST_TEST(good.header("Access-Control-Allow-Origin") == "https://chat.example");
  BOOST_TEST(has(good.header("Vary"), "Origin"));
  for (const char* origin :
       {"https://evil.example", "null", "https://chat.example.evil", "http://chat.example"}) {
    const Response bad = client.ask(body, "Origin: " + std::string(origin) + "\r\n");
    BOOST_TEST(bad.status == 403U);
    BOOST_TEST(bad.header("Access-Control-Allow-Origin") == "");
  }
  BOOST_TEST(said(client.ask(body)) == "terminate improper-addressing");  // no browser
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(framing)

struct Shape {
  const char*
      bytes;  // what follows would be a request of its own if the two ends disagree about this one's length
  unsigned status;
};

// Each is sent with a second request behind it.
const Shape smuggling[] = {
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
     "4\r\n\r\n0\r\n\r\n",
     400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 4\r\n\r\nabcd", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 3\r\n\r\nabc", 400},
    {"POST /http-bind HTTP/1.1\r\n Host: a\r\nContent-Length: 0\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 3\r\n\r\nabc", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nX: a\x01"
     "b\r\nContent-Length: 0\r\n\r\n",
     400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
    {"POST /http-bind HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 400},
    {"GET /http-bind HTTP/1.1\r\n\r\n", 400},
    {"GET /http-bind HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"GET /http-bind HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET  /http-bind HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /http bind HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /http-bind HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
    {"GET /http-bind\r\nHost: a\r\n\r\n", 400},
    {"GET /http-bind http/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET /http-bind HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"POST /http-bind HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nContent-Length: 0\r\n\r\n", 417},
    {"\x16\x03\x01\x02\x01\x01\x01\x01", 400},
    {"<body rid='1'/>\r\n\r\n", 400},
};

BOOST_AUTO_TEST_CASE(D_052_D_074_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed) {
  Bridge bridge;
  for (const Shape& shape : smuggling) {
    BOOST_TEST_CONTEXT(shape.bytes) {
      HttpClient client = bridge.connect();
      client.send(shape.bytes + request("GET /smuggled HTTP/1.1"));
      const Response answer = client.answer();
      BOOST_TEST(answer.status == shape.status);
      BOOST_TEST(answer.header("Connection") == "close");
      check_headers(answer);
      BOOST_TEST(client.wire.read_to_end() == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(D_055_D_081_too_long_heads) {
  Bridge bridge;
  const std::pair<std::string, unsigned> cases[] = {
      {request("GET /" + std::string(9000, 'x') + " HTTP/1.1"), 414},
      {request("GET /http-bind HTTP/1.1", "X: " + std::string(16 * 1024, 'x') + "\r\n"), 431},
      {"GET /http-bind HTTP/1.1\r\nX: " + std::string(20 * 1024, 'x'), 431},
  };
  for (const auto& [bytes, status] : cases) {
    HttpClient client = bridge.connect();
    client.send(bytes);
    const Response answer = client.answer();
    BOOST_TEST(answer.status == status);
    check_headers(answer);
    client.wire.finish();
    client.wire.read_to_end();
  }
}

BOOST_AUTO_TEST_CASE(B_012_D_066_a_chunked_request_works) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const std::string body = session.next(message(1));
  std::string chunks = request("POST /http-bind HTTP/1.1", "Transfer-Encoding: Chunked\r\n");
  for (const char byte : body) chunks += "1;ext=\"x\"\r\n" + std::string(1, byte) + "\r\n";
  client.send(chunks + "0\r\nTrailer: x\r\n\r\n");
  BOOST_TEST(read_message(session.server) == message(1));
  session.server.send(message(2));
  BOOST_TEST(said(client.answer()) == message(2));
}

BOOST_AUTO_TEST_CASE(D_053_empty_lines_before_a_request_are_ignored) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.send("\r\n" + request("GET /http-bind HTTP/1.1") + "\r\n" + request("GET /http-bind HTTP/1.1"));
  BOOST_TEST(client.answer().status == 200U);
  BOOST_TEST(client.answer().status == 200U);
}

BOOST_AUTO_TEST_CASE(B_023_D_069_D_070_when_the_connection_stays) {
  struct Case {
    const char* version;
    const char* header;
    const char* connection;
    bool stays;
  };
  const Case cases[] = {{"HTTP/1.1", "", "", true},
                        {"HTTP/1.1", "Connection: close\r\n", "close", false},
                        {"HTTP/1.1", "Connection: x, Close\r\n", "close", false},
                        {"HTTP/1.0", "", "close", false},
                        {"HTTP/1.0", "Connection: keep-alive\r\n", "keep-alive", true},
                        {"HTTP/1.0", "Connection: keep-alive, close\r\n", "close", false}};
  Bridge bridge;
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.version << " " << c.header) {
      HttpClient client = bridge.connect();
      const std::string get = request("GET /http-bind " + std::string(c.version), c.header);
      client.send(get);
      const Response answer = client.answer();
      BOOST_TEST(answer.status == 200U);
      const std::string connection = answer.header("Connection");
      BOOST_TEST((connection == c.connection || (!c.stays && connection == "close")), connection);
      if (!c.stays) {
        BOOST_TEST(client.wire.read_to_end() == "");
      } else {
        client.send(get);
        BOOST_TEST(client.answer().status == 200U);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(B_006_B_008_a_session_over_http_1_0_with_a_connection_for_each_request) {
  Bridge bridge;
  HttpClient first = bridge.connect();
  Session session(bridge, first);
  const auto send = [](HttpClient& client, const std::string& body) {
    client.send("POST /http-bind HTTP/1.0\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
  };
  const auto hear = [](HttpClient& client) {
    std::string heard = said(client.answer());
    BOOST_TEST(client.wire.read_to_end() == "");
    return heard;
  };
  for (std::uint64_t id = 1; id <= 5; ++id) {
    HttpClient client = bridge.connect();
    send(client, session.next(message(id)));
    BOOST_TEST(read_message(session.server) == message(id));
    session.server.send(message(id));
    std::string heard = hear(client);
    if (id > 1) {
      BOOST_TEST(heard == "");  // what it sends next shows that it has the answer before
      HttpClient poll = bridge.connect();
      send(poll, session.next());
      heard = hear(poll);
    }
    BOOST_TEST(heard == message(id));
  }
}

BOOST_AUTO_TEST_CASE(D_068_D_075_D_078_expect_100_continue) {
  Bridge bridge("limits.max_request = \"64 KiB\"");
  HttpClient client = bridge.connect();
  const std::string body = body_element("rid='1'");
  const std::string head = "Expect: 100-continue\r\nContent-Length: ";
  client.send(request("POST /http-bind HTTP/1.1", head + std::to_string(body.size()) + "\r\n"));
  BOOST_TEST(client.wire.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send(body);
  BOOST_TEST(said(client.answer()) == "terminate improper-addressing");
  client.send(request("POST /http-bind HTTP/1.1", head + "1000000\r\n"));
  const Response refused = client.answer();
  BOOST_TEST(refused.status == 413U);
  check_headers(refused);
  BOOST_TEST(refused.header("Connection") == "close");
  BOOST_TEST(client.wire.read_to_end() == "");
}

// A body that nobody wants is read, or the connection is closed: it is no request.
BOOST_DATA_TEST_CASE(D_068_a_body_is_not_the_next_request,
                     data::make({"POST /elsewhere HTTP/1.1", "GET /http-bind HTTP/1.1",
                                 "DELETE /http-bind HTTP/1.1", "OPTIONS /http-bind HTTP/1.1"})) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  const std::string body = request("GET /smuggled HTTP/1.1");
  client.send(request(sample, "Content-Length: " + std::to_string(body.size()) + "\r\n") + body +
              request("GET /http-bind HTTP/1.1"));
  const Response answer = client.answer();
  if (answer.header("Connection") == "close")
    BOOST_TEST(client.wire.read_to_end() == "");
  else
    BOOST_TEST(client.answer().status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(greedy)

BOOST_AUTO_TEST_CASE(D_089_a_client_that_reads_no_answers_is_not_read_either) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  client.wire.set_send_buffer(16 * 1024);
  const std::string get = request("GET /http-bind HTTP/1.1");
  const std::size_t before = bridge.daemon.resident();
  std::size_t sent = 0;
  std::string rest;
  for (;; rest.erase(0, client.wire.send_some(rest))) {
    if (rest.empty()) {
      rest = get;
      ++sent;
    }
    if (client.wire.writable()) continue;
    bridge.settle(50);
    if (!client.wire.writable()) break;
    BOOST_TEST_REQUIRE(sent < 1'000'000U);
  }
  BOOST_TEST_MESSAGE("the client could send " << sent << " requests");
  BOOST_TEST(bridge.daemon.has_grown_less(before, 2 * 1024 * 1024));
  for (std::size_t i = 1; i < sent; ++i) BOOST_TEST_REQUIRE(client.answer().status == 200U);
  client.send(rest);
  BOOST_TEST(client.answer().status == 200U);
}

BOOST_AUTO_TEST_CASE(no_descriptors_left_is_no_end) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  bridge.daemon.limit_descriptors(40);
  constexpr std::size_t many = 100;
  std::vector<HttpClient> crowd;
  crowd.reserve(many);
  while (crowd.size() < many) crowd.push_back(bridge.connect());
  bridge.daemon.wait_for_log("accept-failed");
  session.hold(client);
  session.server.send(message(1));
  BOOST_TEST(said(client.answer()) == message(1));
  BOOST_TEST(said(client.ask(body_element("to='example.org' rid='1'"))) ==
             "terminate remote-connection-failed");
  crowd.clear();
  HttpClient late = bridge.connect();
  late.send(request("GET /http-bind HTTP/1.1"));
  BOOST_TEST(late.answer().status == 200U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(proxies)

BOOST_DATA_TEST_CASE(D_094_D_095_whose_word_counts_for_the_client_s_address, data::make({false, true}),
                     trusted) {
  Bridge bridge(trusted ? "proxy.trusted = [\"127.0.0.0/8\", \"192.0.2.7\"]" : "proxy.trusted = []");
  HttpClient client = bridge.connect();
  client.post(body_element("to='example.org' rid='1'"),
              "X-Forwarded-For: 203.0.113.9, 198.51.100.1\r\nX-Forwarded-For: 192.0.2.7\r\n");
  Wire server = bridge.server.accept();
  server.send(stream_start() + std::string(features));
  const std::string sid = root_attribute(client.answer().body, "sid");
  client.ask(body_element("type='terminate' rid='2' sid='" + sid + "'"));
  const std::string line = bridge.daemon.wait_for_log("session-end");
  BOOST_TEST(has(line, trusted ? " client=198.51.100.1 " : " client=127.0.0.1 "), line);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(slow)

/// Sends a byte every tenth of a second until the daemon has had enough; returns what it said.
std::string trickle(HttpClient& client, std::string_view start) {
  client.send(start);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!client.wire.readable_within(std::chrono::milliseconds(100))) {
    client.send("x");
    if (std::chrono::steady_clock::now() > deadline) throw Failure("a slow request is never cut");
  }
  client.wire.finish();
  return client.wire.read_to_end();
}

BOOST_DATA_TEST_CASE(D_082_a_head_that_does_not_get_on_is_cut,
                     data::make({"P", "POST /http-bind HTTP/1.1\r\nHost: a\r\nX: "})) {
  Bridge bridge("limits.request_timeout = \"1s\"");
  HttpClient client = bridge.connect();
  const std::string answer = trickle(client, sample);
  BOOST_TEST(answer.starts_with("HTTP/1.1 408 "), answer);
  BOOST_TEST(has(answer, "Access-Control-Allow-Origin: *\r\n"), answer);
}

// It may be a session's, whose client would take a 4xx for its end.
BOOST_DATA_TEST_CASE(
    rule_8_a_body_that_does_not_get_on_is_cut_in_silence,
    data::make({"POST /http-bind HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n<body",
                "POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<body"})) {
  Bridge bridge("limits.request_timeout = \"1s\"");
  HttpClient client = bridge.connect();
  BOOST_TEST(trickle(client, sample) == "");
}

BOOST_AUTO_TEST_CASE(D_082_a_slow_request_behind_a_held_one_is_cut_in_its_turn) {
  Bridge bridge("limits.request_timeout = \"1s\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client, "to='example.org' wait='2' hold='1'");
  session.hold(client);
  client.send("POST /http-bind HTTP/1.1\r\nHost: a\r\n");
  BOOST_TEST(said(client.answer()) == "");
  BOOST_TEST(client.answer().status == 408U);
  BOOST_TEST(client.wire.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(D_082_an_idle_connection_is_closed_in_silence) {
  Bridge bridge("limits.idle_timeout = \"1s\"");
  HttpClient fresh = bridge.connect();
  HttpClient used = bridge.connect();
  used.send(request("GET /http-bind HTTP/1.1"));
  used.answer();
  BOOST_TEST(fresh.wire.read_to_end() == "");
  BOOST_TEST(used.wire.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(B_024_a_held_request_is_not_idle) {
  Bridge bridge("limits.idle_timeout = \"1s\"\nlimits.request_timeout = \"1s\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client, "to='example.org' wait='3' hold='1'");
  BOOST_TEST(said(client.ask(session.next())) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
