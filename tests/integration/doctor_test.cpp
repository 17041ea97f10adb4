// What the daemon notices of a proxy in front of it, and what it does about it.
#include <poll.h>
#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

using namespace std::chrono_literals;

const std::string trusted = "proxy.trusted = [\"127.0.0.1\"]\n";

/// Three sessions of seven requests each, as by a proxy that writes these headers.
void visit(Bridge& bridge, const std::vector<std::string>& headers) {
  HttpClient proxy = bridge.connect();
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string& written = headers[i % headers.size()];
    proxy.post(body_element(std::string(Session::usual) + " rid='1'"), written);
    Wire server = bridge.server.accept();
    read_stream_start(server);
    server.send(stream_start() + std::string(features));
    const std::string sid = root_attribute(proxy.answer().body, "sid");
    for (std::uint64_t rid = 2; rid <= 7; ++rid)
      proxy.ask(body_element("sid='" + sid + "' pause='1' rid='" + std::to_string(rid) + "'"), written);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(doctor)

BOOST_AUTO_TEST_CASE(a_trusted_proxy_without_forwarding_header) {
  Bridge bridge(trusted);
  visit(bridge, {"Origin: https://chat.example.org\r\n"});
  const std::string line = bridge.daemon.wait_for_log("warning proxy-problem");
  BOOST_TEST(has(line, "problem=no-forwarded-for address=127.0.0.1 advice="), line);
  BOOST_TEST(has(line, "$proxy_add_x_forwarded_for"), line);
}

BOOST_AUTO_TEST_CASE(a_forwarding_header_of_a_proxy_that_is_not_trusted_is_told_once) {
  Bridge bridge("proxy.trusted = []");
  const std::vector<std::string> headers{"X-Forwarded-For: 192.0.2.1\r\n", "X-Forwarded-For: 192.0.2.2\r\n"};
  visit(bridge, headers);
  const std::string line = bridge.daemon.wait_for_log("warning proxy-problem");
  BOOST_TEST(has(line, "problem=untrusted-forwarded-for address=127.0.0.1 advice="), line);
  BOOST_TEST(has(line, "'127.0.0.1' to [proxy] trusted"), line);
  visit(bridge, headers);
  bridge.settle();
  BOOST_TEST(bridge.daemon.log_lines("proxy-problem").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_proxy_that_does_all_right_is_not_mentioned) {
  Bridge bridge(trusted);
  visit(bridge, {"X-Forwarded-For: 192.0.2.1\r\n", "X-Forwarded-For: 192.0.2.2\r\n"});
  bridge.settle();
  BOOST_TEST(bridge.daemon.log_lines("proxy-problem").empty());
}

BOOST_AUTO_TEST_CASE(http_1_0) {
  Bridge bridge(trusted);
  for (int i = 0; i < 20; ++i) {
    HttpClient proxy = bridge.connect();
    const std::string body = body_element("sid='unknown' rid='1'");
    proxy.send("POST /http-bind HTTP/1.0\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body);
    BOOST_TEST(said(proxy.answer()) == "terminate item-not-found");
  }
  const std::string line = bridge.daemon.wait_for_log("warning proxy-problem");
  BOOST_TEST(has(line, "problem=http10 address=127.0.0.1 advice="), line);
  BOOST_TEST(has(line, "proxy_http_version 1.1"), line);
}

BOOST_AUTO_TEST_CASE(a_websocket_without_upgrade) {
  Bridge bridge(trusted);
  HttpClient proxy = bridge.connect();
  for (int i = 0; i < 3; ++i) {
    proxy.send(
        "GET /xmpp-websocket HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nSec-WebSocket-Version: "
        "13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n");
    BOOST_TEST(proxy.answer().status == 426U);
    proxy = bridge.connect();
  }
  const std::string line = bridge.daemon.wait_for_log("warning proxy-problem");
  BOOST_TEST(has(line, "problem=no-upgrade address=127.0.0.1 advice="), line);
  BOOST_TEST(has(line, "proxy_set_header Upgrade $http_upgrade"), line);
}

namespace {

/// A proxy that waits for so long: requests that it passes on one after the other, each cut in its turn.
void cut(Bridge& bridge, int count, const std::string& first_bytes, const std::string& header) {
  constexpr auto patience_of_proxy = 5500ms;
  constexpr auto apart = 500ms;
  std::vector<HttpClient> connections;
  std::vector<Session> sessions;
  std::vector<std::chrono::steady_clock::time_point> ends;
  const auto wait_until = [](std::chrono::steady_clock::time_point time) {
    while (std::chrono::steady_clock::now() < time) ::poll(nullptr, 0, 5);
  };
  for (int i = 0; i < count; ++i) {
    HttpClient opener = bridge.connect();
    opener.send(first_bytes);
    sessions.emplace_back(bridge, opener);
    connections.push_back(bridge.connect());
    connections.back().send(first_bytes);
    connections.back().post(sessions.back().next(message(1)), header);
    read_message(sessions.back().server);
    ends.push_back(std::chrono::steady_clock::now() + patience_of_proxy);
    wait_until(ends.back() - patience_of_proxy + apart);
  }
  for (std::size_t i = 0; i < ends.size(); ++i) {
    wait_until(ends[i]);
    connections[i].wire.close();
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_proxy_that_cuts_held_requests_gets_a_shorter_wait) {
  Bridge bridge(trusted);
  const std::string header = "X-Forwarded-For: 192.0.2.1\r\n";
  cut(bridge, 8, {}, header);
  const std::string line = bridge.daemon.wait_for_log("warning proxy-problem");
  BOOST_TEST(has(line, "problem=held-requests-cut address=127.0.0.1 advice="), line);
  BOOST_TEST(has(line, "proxy_read_timeout 75s"), line);
  HttpClient proxy = bridge.connect();
  proxy.post(body_element(std::string(Session::usual) + " rid='1'"), header);
  Wire server = bridge.server.accept();
  read_stream_start(server);
  server.send(stream_start() + std::string(features));
  const std::string created = proxy.answer().body;
  BOOST_TEST(root_attribute(created, "wait") == "5", created);
  HttpClient direct = bridge.connect();
  const Session other(bridge, direct);
  BOOST_TEST(root_attribute(other.created.body, "wait") == "60", other.created.body);
}

// Each of two threads sees its own part; connections go over to the thread of their session.
BOOST_AUTO_TEST_CASE(the_same_behind_a_proxy_header_but_not_a_shorter_wait_if_that_is_switched_off) {
  Bridge bridge(trusted + "proxy.adapt_wait = false\nlisten.proxy_protocol = true\nthreads = 2\n");
  cut(bridge, 12, "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n", {});
  const std::string line = bridge.daemon.wait_for_log("warning proxy-problem");
  BOOST_TEST(has(line, "problem=held-requests-cut address=127.0.0.1 advice="), line);
  HttpClient client = bridge.connect();
  client.send("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n");
  const Session session(bridge, client);
  BOOST_TEST(root_attribute(session.created.body, "wait") == "60", session.created.body);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
