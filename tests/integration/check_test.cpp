// `boshctl check`: where the way to a server, or to boshd itself, is blocked.
#include <boost/test/unit_test.hpp>

#include "tests/integration/name_server.hpp"
#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

constexpr std::string_view offers_tls =
    "<stream:features><starttls "
    "xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
constexpr std::string_view proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view logins =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism>"
    "<mechanism>SCRAM-SHA-1-PLUS</mechanism></mechanisms></stream:features>";

const Authority& authority() {
  static const Authority made;
  return made;
}

/// A running check.
class Check {
 public:
  explicit Check(std::string_view settings, std::vector<std::string> more = {})
      : process_(BOSHCTL_PROGRAM, arguments(settings, std::move(more))) {}

  int status() { return process_.exit_status(); }
  std::string out() const { return process_.out.text(); }

 private:
  std::vector<std::string> arguments(std::string_view settings, std::vector<std::string> more) const {
    std::vector<std::string> all{"check", "--config", directory_.write("boshd.toml", settings)};
    all.insert(all.end(), more.begin(), more.end());
    all.emplace_back("example.org");
    return all;
  }
  TemporaryDirectory directory_;
  Process process_;
};

std::string at(const FakeServer& server, std::string_view more = {}) {
  return "upstream.server = \"" + server.address() + "\"\n" + std::string(more);
}

std::string trusting(const TemporaryDirectory& directory) {
  return "upstream.tls = \"required\"\nupstream.ca = \"" + directory.write("ca.pem", authority().pem()) +
         "\"\n";
}

Claim for_names(std::string names) {
  Claim claim;
  claim.names = std::move(names);
  return claim;
}

/// Plays a server with STARTTLS.
void serve_tls(const FakeServer& server, const Identity& identity, bool after = true) {
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send(stream_start() + std::string(offers_tls));
  wire.read_until("<starttls");
  wire.read_until(">");
  wire.send(proceed);
  wire.accept_tls(identity);
  if (!after) return;
  read_stream_start(wire);
  wire.send(stream_start() + std::string(logins));
  wire.read_to_end();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check_upstream)

BOOST_AUTO_TEST_CASE(a_server_on_this_machine_without_tls_is_right) {
  const FakeServer server;
  Check check(at(server));
  Wire wire = server.accept();
  BOOST_TEST(has(read_stream_start(wire), "to='example.org'"));
  wire.send(stream_start() + std::string(features));
  BOOST_TEST(check.status() == 0);
  for (const char* part : {"ok   config    example.org is served", "ok   connect",
                           "ok   features  ANONYMOUS; no STARTTLS", "\nexample.org works.\n"})
    BOOST_TEST(has(check.out(), part), check.out());
}

BOOST_AUTO_TEST_CASE(starttls_with_the_right_certificate) {
  const TemporaryDirectory directory;
  const FakeServer server;
  Check check(at(server, trusting(directory)));
  serve_tls(server, authority().issue(for_names("DNS:example.org")));
  BOOST_TEST(check.status() == 0);
  for (const char* part : {"STARTTLS required", "ok   tls       TLSv1.3",
                           "certificate for example.org; issued by Test Authority",
                           "SCRAM-SHA-1 SCRAM-SHA-1-PLUS", "example.org works.\n"})
    BOOST_TEST(has(check.out(), part), check.out());
}

BOOST_AUTO_TEST_CASE(a_certificate_for_another_name) {
  const TemporaryDirectory directory;
  const FakeServer server;
  Check check(at(server, trusting(directory)));
  serve_tls(server, authority().issue(for_names("DNS:other.org")), false);
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "certificate for other.org"), check.out());
  BOOST_TEST(has(check.out(), "it is not for example.org"), check.out());
  BOOST_TEST(has(check.out(), "has to name example.org"), check.out());
}

BOOST_AUTO_TEST_CASE(a_certificate_of_nobody) {
  const TemporaryDirectory directory;
  const FakeServer server;
  Check check(at(server, trusting(directory)));
  serve_tls(server, self_signed(for_names("DNS:example.org")), false);
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "self-signed certificate"), check.out());
  BOOST_TEST(has(check.out(), "[upstream] ca"), check.out());
}

BOOST_AUTO_TEST_CASE(no_starttls_where_it_is_required) {
  const TemporaryDirectory directory;
  const FakeServer server;
  Check check(at(server, trusting(directory)));
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send(stream_start() + std::string(features));
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "fail starttls"), check.out());
  BOOST_TEST(has(check.out(), "[upstream] tls = \"never\""), check.out());
}

BOOST_AUTO_TEST_CASE(a_login_that_wants_tls_where_there_is_to_be_none) {
  const FakeServer server;
  Check check(at(server, "upstream.tls = \"never\"\n"));
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send(stream_start() + std::string(offers_tls));
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "fail login"), check.out());
  BOOST_TEST(has(check.out(), "[upstream] tls = \"auto\""), check.out());
}

BOOST_AUTO_TEST_CASE(nobody_listens) {
  FakeServer server;
  const std::string settings = at(server);
  server.stop();
  Check check(settings);
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "fail connect"), check.out());
  BOOST_TEST(has(check.out(), "Connection refused"), check.out());
}

BOOST_AUTO_TEST_CASE(something_else_listens) {
  const FakeServer server;
  Check check(at(server));
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "no XMPP stream"), check.out());
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_know_the_domain) {
  const FakeServer server;
  Check check(at(server));
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send(stream_start() +
            "<stream:error><host-unknown "
            "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "host-unknown"), check.out());
  BOOST_TEST(has(check.out(), "does not serve example.org"), check.out());
}

BOOST_AUTO_TEST_CASE(a_proxy_header_comes_first) {
  const FakeServer server;
  Check check(at(server, "upstream.proxy_protocol = \"v1\"\n"));
  Wire wire = server.accept();
  BOOST_TEST(wire.read_until("\r\n").starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
  read_stream_start(wire);
  wire.send(stream_start() + std::string(features));
  BOOST_TEST(check.status() == 0);
  BOOST_TEST(has(check.out(), "a PROXY header is sent"), check.out());
}

BOOST_AUTO_TEST_CASE(a_domain_that_is_not_served_and_a_wrong_configuration) {
  Check other("upstream.domains = [\"example.net\"]\n");
  BOOST_TEST(other.status() == 1);
  BOOST_TEST(has(other.out(), "[upstream] domains"), other.out());
  Check wrong("upstream.domain = [\"example.net\"]\n");
  BOOST_TEST(wrong.status() == 1);
  BOOST_TEST(has(wrong.out(), "boshd.toml:1"), wrong.out());
}

BOOST_AUTO_TEST_CASE(one_server_of_two_is_enough_and_the_other_is_told) {
  FakeServer dead;
  const std::string address = dead.address();
  dead.stop();
  const FakeServer server;
  Check check("upstream.server = [\"" + address + "\", \"" + server.address() + "\"]\n");
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send(stream_start() + std::string(features));
  BOOST_TEST(check.status() == 0);
  BOOST_TEST(has(check.out(), "example.org works, but:\n- connect: " + address), check.out());
}

BOOST_AUTO_TEST_CASE(json_for_programs) {
  const FakeServer server;
  const TemporaryDirectory directory;
  Process check(BOSHCTL_PROGRAM,
                {"-j", "check", "--config", directory.write("boshd.toml", at(server)), "example.org"});
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send(stream_start() + std::string(features));
  BOOST_TEST(check.exit_status() == 0);
  BOOST_TEST(has(check.out.text(), "{\"step\":\"connect\",\"result\":\"ok\""), check.out.text());
  BOOST_TEST(has(check.out.text(), "{\"ok\":true,\"subject\":\"example.org\",\"problems\":[]}\n"),
             check.out.text());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(check_dns)

namespace {

std::string by_dns(const NameServer& names, std::string_view more = {}) {
  return "upstream.server = \"dns\"\nupstream.domains = [\"example.org\"]\nupstream.allow_networks = "
         "[\"127.0.0.0/8\"]\n"
         "upstream.nameservers = [\"" +
         names.address() + "\"]\n" + std::string(more);
}

}  // namespace

BOOST_AUTO_TEST_CASE(srv_records_lead_to_the_server) {
  NameServer names;
  const FakeServer server;
  names.services("_xmpp-client._tcp.example.org", {{"xmpp.example.org", server.port(), 5, 10}});
  names.hosts("xmpp.example.org", {"127.0.0.1"});
  Check check(by_dns(names));
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send(stream_start() + std::string(features));
  BOOST_TEST(check.status() == 0);
  BOOST_TEST(has(check.out(), "_xmpp-client._tcp.example.org: xmpp.example.org port " +
                                  std::to_string(server.port()) + ", priority 5, weight 10"),
             check.out());
  BOOST_TEST(has(check.out(), "_xmpps-client._tcp.example.org: no record"), check.out());
  BOOST_TEST(has(check.out(), "xmpp.example.org. is 127.0.0.1"), check.out());
}

BOOST_AUTO_TEST_CASE(no_records_at_all) {
  const NameServer names;
  Check check(by_dns(names));
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "there are no SRV records"), check.out());
  BOOST_TEST(has(check.out(), "the name has no address"), check.out());
  BOOST_TEST(has(check.out(), "[upstream] server"), check.out());
}

BOOST_AUTO_TEST_CASE(an_address_of_the_inner_network) {
  NameServer names;
  names.services("_xmpp-client._tcp.example.org", {{"xmpp.example.org", 5222}});
  names.hosts("xmpp.example.org", {"10.0.0.7"});
  Check check(by_dns(names));
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "10.0.0.7:5222 is not a public address"), check.out());
  BOOST_TEST(has(check.out(), "allow_networks"), check.out());
}

BOOST_AUTO_TEST_CASE(name_servers_that_do_not_answer) {
  NameServer names;
  names.mood(NameServer::Mood::fails);
  Check check(by_dns(names));
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "[upstream] nameservers"), check.out());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(check_front)

BOOST_AUTO_TEST_CASE(a_session_through_the_front) {
  const EchoServer server;
  const Daemon daemon("upstream.server = \"" + server.address() + "\"\n");
  const std::string host = "127.0.0.1:" + std::to_string(daemon.port());
  Check check("",
              {"--url", "http://" + host + "/http-bind", "--websocket", "ws://" + host + "/xmpp-websocket"});
  BOOST_TEST(check.status() == 0);
  for (const char* part : {"ok   cors", "ok   bosh      a session was opened", "ok   bosh      and closed",
                           "ok   websocket opened", "not https"})
    BOOST_TEST(has(check.out(), part), check.out());
  daemon.wait_for_log("session-end reason=client-terminated");
}

BOOST_AUTO_TEST_CASE(what_a_proxy_can_do_wrong) {
  struct Case {
    const char* answer;
    const char* advice;
  };
  const Case cases[] = {
      {"HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n", "proxy_pass"},
      {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "bosh_path"},
      {"HTTP/1.1 301 Moved\r\nLocation: https://x/\r\nContent-Length: 0\r\n\r\n", "follow no redirects"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "Another service"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 74\r\n\r\n<body type='terminate' condition='host-unknown' "
       "xmlns='http://x.y/zzzzz'/>",
       "host-unknown"},
  };
  for (const Case& c : cases) {
    const FakeServer proxy;
    Check check("", {"--url", "http://" + proxy.address() + "/http-bind"});
    proxy.accept();  // to see whether somebody listens
    Wire options = proxy.accept();
    options.read_until("\r\n\r\n");
    options.send("HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\n\r\n");
    Wire post = proxy.accept();
    post.read_until("'/>");
    post.send(c.answer);
    BOOST_TEST(check.status() == 1);
    BOOST_TEST(has(check.out(), c.advice), check.out());
  }
}

BOOST_AUTO_TEST_CASE(a_proxy_that_does_not_pass_the_upgrade_on) {
  const FakeServer proxy;
  Check check("", {"--websocket", "ws://" + proxy.address() + "/xmpp-websocket"});
  proxy.accept();
  Wire wire = proxy.accept();
  BOOST_TEST(has(wire.read_until("\r\n\r\n"), "Sec-WebSocket-Protocol: xmpp"));
  wire.send("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n");
  BOOST_TEST(check.status() == 1);
  BOOST_TEST(has(check.out(), "proxy_set_header Upgrade"), check.out());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
