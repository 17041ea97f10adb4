// Who clients are, where they come from, and how much they may.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>

#include "src/proxy_header.hpp"
#include "tests/integration/client.hpp"
#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

constexpr std::string_view trusts_loopback = "proxy.trusted = [\"127.0.0.1\"]\n";

std::string creation(std::string_view rid = "1") {
  return body_element("rid='" + std::string(rid) + "' " + std::string(Session::usual));
}

boshd::Endpoint endpoint(std::string_view address, std::uint16_t port) {
  return {boshd::parse_ip(address).value(), port};
}

/// The header that a proxy sends for a client.
std::string header_for(std::string_view client, boshd::ProxyHeader version = boshd::ProxyHeader::v2) {
  return boshd::proxy_header(version, endpoint(client, 40'000), endpoint("192.0.2.80", 443));
}

/// A client of that address, behind a proxy that sends a PROXY header.
HttpClient from(const Bridge& bridge, std::string_view address) {
  HttpClient client(bridge.daemon);
  client.send(header_for(address));
  return client;
}

/// Waits until boshd has connected to the server, or answered the client: which of them it was.
bool reaches_server(const Bridge& bridge, const HttpClient& client) {
  pollfd both[] = {{bridge.server.descriptor(), POLLIN, 0}, {client.wire.descriptor(), POLLIN, 0}};
  if (::poll(both, 2, static_cast<int>(std::chrono::milliseconds(patience).count())) <= 0)
    throw Failure("neither a connection nor an answer");
  return both[0].revents != 0;
}

/// A failed login of this account, on a session of its own.
void fail_to_log_in(Bridge& bridge, HttpClient& client, std::string_view plain_base64) {
  Session session(bridge, client);
  client.post(session.next("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
                           std::string(plain_base64) + "</auth>"));
  session.server.read_until("</auth>");
  session.server.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
  client.answer();
  client.ask(session.next({}, "type='terminate'"));
}

constexpr std::string_view romeo = "AHJvbWVvAHg=";   // romeo, with the password x
constexpr std::string_view juliet = "AGp1bGlldAB4";  // juliet

constexpr std::string_view behind_proxy =
    "listen.proxy_protocol = true\nproxy.trusted = [\"127.0.0.1\"]\nlimits.requests_per_second = 0\n"
    "limits.authentication_timeout = \"1h\"\nlimits.login_failures = 0\n";

std::string with(std::string_view settings) {
  return std::string(behind_proxy) + std::string(settings);
}

}  // namespace

// --- PROXY headers ---

BOOST_AUTO_TEST_SUITE(proxy_protocol)

BOOST_AUTO_TEST_CASE(U_124_U_125_U_126_U_127_D_101_the_header_says_who_the_client_is) {
  for (const auto version : {boshd::ProxyHeader::v1, boshd::ProxyHeader::v2})
    for (const auto* address : {"192.0.2.7", "2001:db8::7"}) {
      Bridge bridge("listen.proxy_protocol = true\nproxy.trusted = [\"127.0.0.1\"]");
      HttpClient client(bridge.daemon);
      client.send(header_for(address, version) + HttpClient::post_bytes(creation()));
      Wire server = bridge.server.accept();
      read_stream_start(server);
      server.send("</stream:stream>");
      client.answer();
      const std::string line = bridge.daemon.wait_for_log("session-end");
      BOOST_TEST(has(line, "client=" + std::string(address)), line);
    }
}

BOOST_AUTO_TEST_CASE(U_129_a_header_may_come_in_pieces) {
  Bridge bridge("listen.proxy_protocol = true\nproxy.trusted = [\"127.0.0.1\"]");
  HttpClient client(bridge.daemon);
  const std::string header = header_for("192.0.2.7");
  for (const char byte : header.substr(0, header.size() - 1)) {
    client.send({&byte, 1});
    while (!client.wire.writable()) {
    }
  }
  client.send(header.substr(header.size() - 1));
  Session session(bridge, client);
}

BOOST_AUTO_TEST_CASE(U_124_a_header_comes_by_a_unix_socket_too) {
  const TemporaryDirectory directory;
  Bridge bridge("proxy.trusted = [\"unix\"]\n[[listen]]\naddress = \"unix:" + directory.path("s") +
                "\"\nproxy_protocol = true");
  bridge.daemon.wait_for_log("listening address=unix:");
  HttpClient client(bridge.daemon);
  client.wire = Wire::connect(directory.path("s"));
  client.send(header_for("192.0.2.7"));
  Session session(bridge, client);
  client.ask(session.next({}, "type='terminate'"));
  const std::string line = bridge.daemon.wait_for_log("session-end");
  BOOST_TEST(has(line, "client=192.0.2.7"), line);
}

BOOST_AUTO_TEST_CASE(U_124_without_a_header_nobody_is_served_and_with_one_only_trusted_proxies_are) {
  Bridge bridge(
      "listen.proxy_protocol = true\nproxy.trusted = [\"127.0.0.1\"]\n[[listen]]\naddress = \"[::1]:0\"");
  for (const std::string& start : {std::string("POST /http-bind HTTP/1.1\r\n"),
                                   std::string("PROXY NONSENSE\r\n"), std::string("\r\n\r\n\r\n")}) {
    HttpClient client(bridge.daemon);
    client.send(start);
    BOOST_TEST(client.wire.read_to_end() == "");
  }
  BOOST_TEST(has(bridge.daemon.wait_for_log("proxy-header-refused"), "peer=127.0.0.1"));
  const Daemon strict("listen.proxy_protocol = true\nproxy.trusted = [\"192.0.2.1\"]");
  HttpClient stranger(strict);
  BOOST_TEST(stranger.wire.read_to_end() == "");
  BOOST_TEST(has(strict.wait_for_log("connection-refused"), "proxy.trusted"));
}

BOOST_AUTO_TEST_CASE(U_124_a_header_that_does_not_come_is_waited_for_no_longer_than_a_request) {
  Bridge bridge(
      "listen.proxy_protocol = true\nproxy.trusted = [\"127.0.0.1\"]\nlimits.request_timeout = \"1s\"");
  HttpClient client(bridge.daemon);
  client.send("PROXY TCP4 ");
  BOOST_TEST(client.wire.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(U_109_U_111_U_114_U_119_U_123_the_server_is_told_the_client_s_address_first) {
  struct Case {
    const char* setting;
    std::string start;
  };
  const Case cases[] = {
      {"v1", "PROXY TCP4 192.0.2.7 192.0.2.80 40000 443\r\n<?xml "},
      {"v2", header_for("192.0.2.7") + "<?xml "},
      {"off", "<?xml "},
  };
  for (const auto& [setting, start] : cases) {
    Bridge bridge(
        "listen.proxy_protocol = true\nproxy.trusted = [\"127.0.0.1\"]\nupstream.proxy_protocol = \"" +
        std::string(setting) + "\"");
    HttpClient client(bridge.daemon);
    client.send(header_for("192.0.2.7"));
    client.post(creation());
    BOOST_TEST((bridge.server.accept().read(start.size()) == start));
  }
}

BOOST_AUTO_TEST_CASE(U_119_D_101_the_address_that_a_trusted_proxy_names_goes_to_the_server) {
  Bridge bridge(std::string(trusts_loopback) + "upstream.proxy_protocol = \"v1\"");
  HttpClient client(bridge.daemon);
  client.post(creation(), "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n");
  const std::string line = bridge.server.accept().read_until("\r\n");
  BOOST_TEST(line.starts_with("PROXY TCP4 192.0.2.7 127.0.0.1 "), line);
  BOOST_TEST(line.ends_with(" " + std::to_string(bridge.daemon.port()) + "\r\n"), line);
}

BOOST_AUTO_TEST_CASE(U_110_each_session_has_a_connection_of_its_own) {
  Bridge bridge(
      "listen.proxy_protocol = true\nproxy.trusted = [\"127.0.0.1\"]\nupstream.proxy_protocol = \"v1\"");
  for (const auto* address : {"192.0.2.7", "192.0.2.8", "192.0.2.7"}) {
    HttpClient client = from(bridge, address);
    client.post(creation());
    Wire server = bridge.server.accept();
    BOOST_TEST(has(server.read_until("\r\n"), "PROXY TCP4 " + std::string(address) + " "));
    read_stream_start(server);
    server.send(stream_start() + std::string(features));
    client.answer();
    BOOST_TEST(!server.readable());
  }
}

BOOST_AUTO_TEST_CASE(U_123_the_header_comes_before_direct_TLS) {
  const FakeServer server;
  const Daemon daemon(
      "upstream.domains = [\"example.org\"]\nupstream.proxy_protocol = \"v1\"\nupstream.server = \"tls://" +
      server.address() + "\"");
  HttpClient client(daemon);
  client.post(creation());
  Wire wire = server.accept();
  std::string line;  // and not a byte of what follows
  for (char byte = 0;
       byte != '\n' && wait_readable(wire.descriptor()) && ::recv(wire.descriptor(), &byte, 1, 0) == 1;)
    line += byte;
  BOOST_TEST(line.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "), line);
  wire.accept_tls(self_signed(Claim{.names = "DNS:example.org"}));
  BOOST_TEST(has(read_stream_start(wire), "to='example.org'"));
}

BOOST_AUTO_TEST_SUITE_END()

// --- Listeners ---

BOOST_AUTO_TEST_SUITE(listeners)

BOOST_AUTO_TEST_CASE(D_102_a_unix_socket_serves_clients_and_takes_a_trusted_proxy_s_word) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("http.sock");
  for (int start = 0; start < 2;
       ++start) {  // the second time the file is there already, if the first left it
    Bridge bridge("proxy.trusted = [\"unix\"]\n[[listen]]\naddress = \"unix:" + path + "\"");
    HttpClient client(bridge.daemon);
    bridge.daemon.wait_for_log("listening address=unix:");
    client.wire = Wire::connect(path);
    client.post(creation(), "X-Forwarded-For: 192.0.2.7\r\n");
    Wire server = bridge.server.accept();
    read_stream_start(server);
    server.send("</stream:stream>");
    client.answer();
    BOOST_TEST(has(bridge.daemon.wait_for_log("session-end"), "client=192.0.2.7"));
  }
  BOOST_CHECK_THROW(Wire::connect(path), Failure);
}

BOOST_AUTO_TEST_CASE(a_socket_that_a_dead_process_left_is_taken_over_and_one_in_use_is_not) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("s");
  { const FakeServer left_over(path); }
  Bridge bridge("[[listen]]\naddress = \"unix:" + path + "\"");
  bridge.daemon.wait_for_log("listening address=unix:");
  const std::string file = directory.write("boshd.toml", "[[listen]]\naddress = \"unix:" + path + "\"\n");
  const Outcome second = run_boshd({"--config", file});
  BOOST_TEST(second.status == 1);
  BOOST_TEST(has(second.err, "can't listen on unix:" + path + ": Address already in use"), second.err);
  HttpClient client(bridge.daemon);
  client.wire = Wire::connect(path);
  Session session(bridge, client);
}

BOOST_AUTO_TEST_CASE(an_inherited_descriptor_is_served) {
  const TemporaryDirectory directory;
  const FakeServer listening;  // its descriptor goes to boshd
  const std::string number = std::to_string(listening.descriptor());
  const FakeServer xmpp;
  const std::string file =
      directory.write("boshd.toml", "threads = 2\nupstream.server = \"" + xmpp.address() +
                                        "\"\n[[listen]]\naddress = \"inherited:web\"\n");
  const int copy = ::dup(listening.descriptor());  // not closed at exec
  Process process("/bin/sh",
                  {"-c", "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=other:web exec " + boshd_program() +

                             " --config " + file + " 3</dev/null 4<&" + std::to_string(copy)});
  process.err.wait_for_line("listening address=inherited:web");
  ::close(copy);
  const auto port = static_cast<std::uint16_t>(std::stoi(listening.address().substr(10)));
  for (int i = 0; i < 4; ++i) {
    Wire wire = Wire::connect(port);
    wire.send(HttpClient::post_bytes(creation()));
    Wire server = xmpp.accept();
    BOOST_TEST(has(read_stream_start(server), "example.org"));
  }
  process.signal(SIGTERM);
  BOOST_TEST(process.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_was_not_handed_over_stops_the_start) {
  const TemporaryDirectory directory;
  const Outcome outcome =
      run_boshd({"--config", directory.write("boshd.toml", "[[listen]]\naddress = \"inherited:web\"\n")});
  BOOST_TEST(outcome.status == 1);
  BOOST_TEST(has(outcome.err, "FileDescriptorName=web"), outcome.err);
}

BOOST_AUTO_TEST_SUITE_END()

// --- Limits ---

BOOST_AUTO_TEST_SUITE(limits)

BOOST_AUTO_TEST_CASE(D_083_D_101_sessions_of_an_address_are_limited_and_others_are_not) {
  Bridge bridge(with("limits.sessions_per_address = 2\nlimits.new_sessions_per_second = 0"));
  std::vector<HttpClient> clients;
  std::vector<Session> sessions;
  const auto open = [&](std::string_view address) {
    clients.push_back(from(bridge, address));
    sessions.emplace_back(bridge, clients.back());
  };
  open("192.0.2.1");
  open("192.0.2.1");
  HttpClient third = from(bridge, "192.0.2.1");
  const Response refused = third.ask(creation());
  BOOST_TEST(said(refused).starts_with("terminate policy-violation: <text"));
  BOOST_TEST(has(refused.body, "too many sessions of your address"));
  BOOST_TEST(has(bridge.daemon.wait_for_log("session-refused"), "reason=address-sessions client=192.0.2.1"));
  open("192.0.2.2");
  open("2001:db8:0:1::1");
  open("2001:db8:0:1:ffff::2");
  HttpClient same_network = from(bridge, "2001:db8:0:1:aaaa::3");  // a /64 is one address
  BOOST_TEST(said(same_network.ask(creation())).starts_with("terminate policy-violation"));
  open("2001:db8:0:2::1");
  clients[0].ask(sessions[0].next({}, "type='terminate'"));  // makes room
  open("192.0.2.1");
}

BOOST_AUTO_TEST_CASE(D_083_a_WebSocket_too_many_is_refused_in_its_handshake) {
  Bridge bridge(with("limits.sessions_per_address = 1\nlimits.new_sessions_per_second = 0"));
  HttpClient first = from(bridge, "192.0.2.1");
  first.send(WebClient::request());
  BOOST_TEST(first.wire.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  HttpClient second = from(bridge, "192.0.2.1");
  second.send(WebClient::request());
  const Response refused = second.answer();
  BOOST_TEST(refused.status == 429U);
  BOOST_TEST(refused.header("Retry-After") == "60");
  first.wire.close();
  bridge.daemon.wait_for_log("session-end");
  HttpClient third = from(bridge, "192.0.2.1");
  third.send(WebClient::request());
  BOOST_TEST(third.wire.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
}

BOOST_AUTO_TEST_CASE(new_sessions_of_an_address_have_a_rate) {
  Bridge bridge(with("limits.sessions_per_address = 0\nlimits.new_sessions_per_second = 1"));
  unsigned opened = 0;
  for (; opened < 100; ++opened) {
    HttpClient client = from(bridge, "192.0.2.1");
    client.post(creation());
    if (!reaches_server(bridge, client)) {
      BOOST_TEST(has(client.answer().body, "too fast"));
      break;
    }
    Wire server = bridge.server.accept();
    read_stream_start(server);
  }
  BOOST_TEST(opened >= 10U);
  BOOST_TEST(opened < 100U);
  HttpClient other = from(bridge, "192.0.2.2");
  Session session(bridge, other);
}

BOOST_AUTO_TEST_CASE(requests_of_an_address_have_a_rate_and_a_live_session_sees_no_4xx) {
  Bridge bridge("limits.requests_per_second = 1");
  HttpClient client(bridge.daemon);
  unsigned status = 200;
  for (int i = 0; i < 100 && status == 200; ++i) {
    client.send("GET /http-bind HTTP/1.1\r\nHost: a\r\n\r\n");
    status = client.answer().status;
  }
  BOOST_TEST(status == 503U);
}

BOOST_AUTO_TEST_CASE(the_service_may_be_full) {
  Bridge bridge("limits.sessions = 1");
  HttpClient client(bridge.daemon);
  Session session(bridge, client);
  HttpClient second(bridge.daemon);
  const Response full = second.ask(creation());
  BOOST_TEST(full.status == 503U);
  BOOST_TEST(full.header("Retry-After") != "");
  check_headers(full);
  client.ask(session.next({}, "type='terminate'"));
  Session next(bridge, second);
  Bridge small("limits.memory = \"1 MiB\"");
  HttpClient third(small.daemon);
  BOOST_TEST(third.ask(creation()).status == 503U);
  BOOST_TEST(has(small.daemon.wait_for_log("session-refused"), "reason=memory"));
}

BOOST_AUTO_TEST_CASE(who_does_not_log_in_is_ended_and_who_does_is_not) {
  Bridge bridge("limits.authentication_timeout = \"1s\"");
  HttpClient client(bridge.daemon);
  Session idle(bridge, client);
  client.post(idle.next());
  BOOST_TEST(said(client.answer()) == "terminate policy-violation");
  BOOST_TEST(has(bridge.daemon.wait_for_log("session-end"), "reason=login-timeout"));
  idle.server.read_until(stream_end);
  HttpClient other(bridge.daemon);
  Session busy(bridge, other);
  other.post(busy.next());
  busy.server.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  BOOST_TEST(has(said(other.answer()), "<success"));
  HttpClient third(bridge.daemon);
  Session later(bridge, third);  // is ended after the first would have been
  third.post(later.next());
  BOOST_TEST(said(third.answer()) == "terminate policy-violation");
  other.post(busy.next(message(1)));
  BOOST_TEST(read_message(busy.server) == message(1));
}

BOOST_AUTO_TEST_CASE(failed_logins_block_their_address) {
  Bridge bridge(std::string(behind_proxy).substr(0, behind_proxy.find("limits.login_failures")) +
                "limits.new_sessions_per_second = 0\nlimits.login_failures = 3");
  for (int i = 0; i < 3; ++i) {
    HttpClient client = from(bridge, "192.0.2.1");
    fail_to_log_in(bridge, client, i == 0 ? romeo : juliet);
  }
  HttpClient blocked = from(bridge, "192.0.2.1");
  BOOST_TEST(has(blocked.ask(creation()).body, "logins of your address have failed"));
  BOOST_TEST(has(bridge.daemon.wait_for_log("session-refused"), "reason=logins"));
  HttpClient other = from(bridge, "192.0.2.2");
  Session session(bridge, other);
}

BOOST_AUTO_TEST_CASE(failed_logins_block_their_account_whatever_the_address) {
  Bridge bridge(std::string(behind_proxy).substr(0, behind_proxy.find("limits.login_failures")) +
                "limits.new_sessions_per_second = 0\nlimits.login_failures = 3");
  for (int i = 0; i < 3; ++i) {
    HttpClient client = from(bridge, "192.0.2." + std::to_string(10 + i));
    fail_to_log_in(bridge, client, romeo);
  }
  HttpClient client = from(bridge, "192.0.2.20");
  Session session(bridge, client);
  const Response answer = client.ask(session.next(
      "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + std::string(romeo) + "</auth>"));
  BOOST_TEST(said(answer) == "terminate policy-violation");
  BOOST_TEST(has(bridge.daemon.wait_for_log("reason=too-many-logins"), "client=192.0.2.20"));
  BOOST_TEST(session.server.read_until(stream_end) == stream_end);  // the server has not been asked
  HttpClient other = from(bridge, "192.0.2.20");
  fail_to_log_in(bridge, other, juliet);
}

BOOST_AUTO_TEST_SUITE_END()

// --- Pages and their parameters ---

BOOST_AUTO_TEST_SUITE(pages)

constexpr std::string_view two_pages =
    "cors.origins = [\"https://a.example\"]\ncors.domain.\"b.example\".origins = [\"https://b.example\"]\n";

std::string creation_for(std::string_view domain) {
  return body_element("rid='1' ver='1.6' wait='60' hold='1' to='" + std::string(domain) + "'");
}

BOOST_AUTO_TEST_CASE(W_087_D_026_a_page_opens_the_domains_it_may) {
  Bridge bridge(two_pages);
  const auto ask = [&](std::string_view domain, std::string_view page) {
    HttpClient client(bridge.daemon);
    client.post(creation_for(domain), page.empty() ? "" : "Origin: https://" + std::string(page) + "\r\n");
    if (!reaches_server(bridge, client)) return said(client.answer());
    Wire server = bridge.server.accept();
    return std::string(has(read_stream_start(server), domain) ? "opened" : "opened another");
  };
  BOOST_TEST(ask("x.example", "a.example") == "opened");
  BOOST_TEST(ask("b.example", "b.example") == "opened");
  BOOST_TEST(ask("b.example", "") == "opened");
  BOOST_TEST(ask("b.example", "a.example") == "terminate policy-violation");
  BOOST_TEST(ask("x.example", "b.example") == "terminate policy-violation");
  BOOST_TEST(ask("x.example", "c.example") == "HTTP 403");
}

BOOST_AUTO_TEST_CASE(W_087_a_page_s_WebSocket_opens_the_domains_it_may) {
  Bridge bridge(two_pages);
  WebClient good(bridge.daemon, "Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://a.example\r\n");
  good.say(web_open);
  Wire server = bridge.server.accept();
  BOOST_TEST(has(read_stream_start(server), "example.org"));
  WebClient bad(bridge.daemon, "Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://b.example\r\n");
  bad.say(web_open);
  BOOST_TEST(has(bad.hears(), "<open "));
  BOOST_TEST(has(bad.hears(), "policy-violation"));
  bad.wire.close();
  BOOST_TEST(has(bridge.daemon.wait_for_log("session-end"), "reason=origin-refused"));
}

BOOST_AUTO_TEST_CASE(D_028_credentials_are_allowed_to_listed_pages) {
  Bridge bridge("cors.credentials = true\ncors.origins = [\"https://a.example\"]");
  HttpClient client(bridge.daemon);
  const Response good = client.ask("", "Origin: https://a.example\r\n");
  BOOST_TEST(good.header("Access-Control-Allow-Credentials") == "true");
  BOOST_TEST(good.header("Access-Control-Allow-Origin") == "https://a.example");
  HttpClient other(bridge.daemon);
  const Response bad = other.ask("", "Origin: https://b.example\r\n");
  BOOST_TEST(bad.header("Access-Control-Allow-Credentials") == "");
  Bridge usual;
  HttpClient third(usual.daemon);
  BOOST_TEST(third.ask("", "Origin: https://a.example\r\n").header("Access-Control-Allow-Credentials") == "");
}

BOOST_AUTO_TEST_CASE(parameters_of_the_URL_go_to_the_server_before_anything_of_the_client) {
  Bridge bridge("upstream.query = [\"room\", \"token\"]");
  constexpr std::string_view told =
      "<query xmlns='urn:boshd:query:0'><parameter name='room'>a b&lt;</parameter><parameter "
      "name='token'>x.y</parameter></query>";
  HttpClient client(bridge.daemon);
  client.send(HttpClient::post_bytes(creation(), {}, "/http-bind?room=a+b%3C&other=1&token=x.y"));
  Wire server = bridge.server.accept();
  read_stream_start(server);
  server.send(stream_start() + std::string(features));
  const std::string sid = root_attribute(client.answer().body, "sid");
  client.post(body_element("rid='2' sid='" + sid + "'", message(1)));
  BOOST_TEST(server.read_until("</query>") == told);
  BOOST_TEST(read_message(server) == message(1));

  HttpClient web(bridge.daemon);
  std::string request = WebClient::request();
  request.replace(request.find("/xmpp-websocket"), 15, "/xmpp-websocket?room=a%20b%3c&token=x.y");
  web.send(request + client_frame(0x81, web_open));
  Wire other = bridge.server.accept();
  read_stream_start(other);
  other.send(stream_start() + std::string(features));
  BOOST_TEST(other.read_until("</query>") == told);
}

BOOST_AUTO_TEST_CASE(a_client_can_t_say_itself_what_only_boshd_tells) {
  Bridge bridge("upstream.query = [\"token\"]");
  HttpClient client(bridge.daemon);
  Session session(bridge, client);
  BOOST_TEST(said(client.ask(session.next(
                 "<query xmlns='urn:boshd:query:0'><parameter name='token'>x</parameter></query>"))) ==
             "terminate bad-request");
  BOOST_TEST(session.server.read_until(stream_end) == stream_end);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
