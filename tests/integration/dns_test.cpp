// The way to servers that DNS names: which are asked for, in which order they are tried, what is remembered,
// and where nobody is led.
#include <poll.h>
#include <sys/socket.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "tests/integration/name_server.hpp"
#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

namespace data = boost::unit_test::data;
using Mood = NameServer::Mood;
using namespace std::chrono_literals;

constexpr std::string_view failed = "terminate remote-connection-failed";
const std::string plain_name = "_xmpp-client._tcp.example.org";
const std::string tls_name = "_xmpps-client._tcp.example.org";

/// A daemon of one thread that finds its servers by DNS.
class Relay {
 public:
  /// `settings` are added to these, or stand instead of them.
  explicit Relay(std::string_view settings = {})
      : daemon(with_defaults(settings, names.address())), probe_(daemon) {}

  HttpClient connect() const { return HttpClient(daemon); }
  /// A client that asks for a session.
  HttpClient open(std::string_view domain = "example.org", std::string_view more = {}) const {
    HttpClient client = connect();
    client.post(
        body_element("rid='1' to='" + std::string(domain) + "' xmpp:version='1.0' " + std::string(more)));
    return client;
  }
  /// Returns when the daemon has handled what had reached it before.
  void settle() {
    for (int turn = 0; turn < 3; ++turn) {
      probe_.send("GET /http-bind HTTP/1.1\r\nHost: example.org\r\n\r\n");
      probe_.answer();
    }
  }

  NameServer names;
  Daemon daemon;

 private:
  static std::string with_defaults(std::string_view settings, const std::string& name_server) {
    std::string out(settings);
    out += '\n';
    for (const std::string& line :
         {std::string("threads = 1"), std::string("upstream.server = \"dns\""),
          std::string("upstream.any = true"), "upstream.nameservers = [\"" + name_server + "\"]",
          std::string(R"(upstream.allow_networks = ["127.0.0.0/8", "::1"])"),
          std::string("upstream.tls = \"never\""), std::string("upstream.connect_timeout = \"60s\"")})
      if (!has(settings, line.substr(0, line.find(" =")))) out += line + '\n';
    return out + std::string(unlimited);
  }

  HttpClient probe_;
};

/// The next connection to this server becomes the client's session.
struct Served {
  Served(const FakeServer& fake, HttpClient& client) : server(fake.accept()) {
    header = read_stream_start(server);
    server.send(stream_start() + std::string(features));
    const Response created = client.answer();
    BOOST_TEST(has(created.body, "ANONYMOUS"), said(created));
  }
  Wire server;
  std::string header;
};

std::string answer(HttpClient&& client) {
  return said(client.answer());
}

void check_log(const Relay& relay, std::string_view what, std::initializer_list<std::string_view> parts) {
  const std::string line = relay.daemon.wait_for_log(what);
  for (const std::string_view part : parts) BOOST_TEST(has(line, part), line << " has no " << part);
}

/// A name of its own for each server, all with the address 127.0.0.1.
Srv service(Relay& relay, const std::string& host, const FakeServer& server, std::uint16_t priority = 0) {
  relay.names.hosts(host, {"127.0.0.1"});
  return {host, server.port(), priority};
}

/// The next bytes on it are a ClientHello for this domain.
void check_hello(Wire& server, std::string_view domain = "example.org") {
  const std::string start = server.read(5);
  BOOST_TEST_REQUIRE(start[0] == '\x16');
  const std::size_t size = static_cast<unsigned char>(start[3]) * 256U + static_cast<unsigned char>(start[4]);
  const std::string hello = server.read(size);
  BOOST_TEST(has(hello, domain));
  BOOST_TEST(has(hello, "xmpp-client"));
}

/// Two servers with one port on two addresses.
std::pair<FakeServer, FakeServer> pair_of_servers(const std::string& one, const std::string& other) {
  for (;;) {
    FakeServer first(one, 0);
    try {
      return {std::move(first), FakeServer(other, first.port())};
    } catch (const Failure&) {  // the port is taken there
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(finding)

BOOST_AUTO_TEST_CASE(U_002_U_020_the_server_of_an_srv_record_gets_a_stream_for_the_domain) {
  const FakeServer server;
  Relay relay;
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  HttpClient client = relay.open();
  const Served served(server, client);
  BOOST_TEST(has(served.header, " to='example.org' "), served.header);
  BOOST_TEST(relay.names.asked(plain_name, RecordType::srv) == 1U);
  BOOST_TEST(relay.names.asked("example.org", RecordType::a) == 0U);
}

BOOST_AUTO_TEST_CASE(U_001_a_configured_server_needs_no_dns) {
  const FakeServer own;
  Relay relay("upstream.domain.\"example.org\".server = \"" + own.address() + "\"");
  HttpClient client = relay.open();
  const Served served(own, client);
  BOOST_TEST(relay.names.asked() == 0U);
}

BOOST_AUTO_TEST_CASE(U_002_dns_is_asked_in_ascii) {
  const FakeServer server;
  Relay relay;
  relay.names.services("_xmpp-client._tcp.xn--bcher-kva.example",
                       {service(relay, "xmpp.example.net", server)});
  for (const char* domain : {"bücher.example", "BÜCHER.example", "xn--bcher-kva.example"}) {
    HttpClient client = relay.open(domain);
    const Served served(server, client);
    BOOST_TEST(has(served.header, " to='" + std::string(domain) + "' "), served.header);
  }
  BOOST_TEST(relay.names.asked("_xmpp-client._tcp.xn--bcher-kva.example", RecordType::srv) == 1U);
}

BOOST_AUTO_TEST_CASE(U_003_U_004_U_005_both_kinds_are_one_list_and_each_is_spoken_to_in_its_way) {
  const FakeServer servers[4];
  Relay relay("upstream.tls = \"auto\"");
  relay.names.services(tls_name, {service(relay, "a.example.net", servers[0], 1),
                                  service(relay, "c.example.net", servers[2], 3)});
  relay.names.services(plain_name, {service(relay, "d.example.net", servers[3], 4),
                                    service(relay, "b.example.net", servers[1], 2)});
  HttpClient client = relay.open();
  for (const unsigned direct : {0U, 1U}) {  // 0 and 2 by TLS, 1 and 3 without
    Wire hello = servers[direct * 2].accept();
    check_hello(hello);
    BOOST_TEST(!servers[direct * 2 + 1].has_connection());
    hello.reset();
    if (direct == 1) break;
    Wire header = servers[1].accept();
    BOOST_TEST(has(read_stream_start(header), "to='example.org'"));
    BOOST_TEST(!servers[2].has_connection());
    header.close();
  }
  const Served served(servers[3], client);
}

BOOST_AUTO_TEST_CASE(U_004_without_tls_records_of_direct_tls_are_not_asked_for) {
  const FakeServer server;
  const FakeServer direct;
  Relay relay;
  relay.names.services(tls_name, {service(relay, "a.example.net", direct, 1)});
  relay.names.services(plain_name, {service(relay, "b.example.net", server, 2)});
  HttpClient client = relay.open();
  const Served served(server, client);
  BOOST_TEST(relay.names.asked(tls_name, RecordType::srv) == 0U);
  BOOST_TEST(!direct.has_connection());
}

// By chance it comes first once in 65,536 times; if weights didn't count, every other time.
BOOST_AUTO_TEST_CASE(U_006_what_has_no_weight_comes_last) {
  const FakeServer heavy;
  const FakeServer light;
  Relay relay;
  std::vector<Srv> services{service(relay, "a.example.net", light), service(relay, "b.example.net", heavy)};
  services[1].weight = 65535;
  relay.names.services(plain_name, services);
  for (int i = 0; i < 5; ++i) {
    HttpClient client = relay.open();
    const Served served(heavy, client);
  }
  BOOST_TEST(!light.has_connection());
}

const char* const absences[] = {"no name", "no data"};

BOOST_DATA_TEST_CASE(U_012_without_records_the_domain_itself_is_the_server,
                     data::make(absences) * data::make({"never", "auto"}), absence, tls) {
  Relay relay("upstream.connect_timeout = \"2s\"\nupstream.tls = \"" + std::string(tls) + "\"");
  if (std::string_view(absence) == "no data")
    for (const std::string& name : {plain_name, tls_name}) relay.names.services(name, {});
  relay.names.hosts("example.org", {"127.52.22.1"});
  BOOST_TEST(answer(relay.open()) == failed);
  BOOST_TEST(relay.names.asked("example.org", RecordType::a) == 1U);
  BOOST_TEST(relay.names.asked("example.org", RecordType::aaaa) == 1U);
  BOOST_TEST(relay.names.asked(tls_name, RecordType::srv) == (std::string_view(tls) == "auto" ? 1U : 0U));
  check_log(relay, "upstream-failed", {"domain=example.org ", "server=127.52.22.1:5222 "});
}

BOOST_AUTO_TEST_CASE(U_007_a_dot_is_no_service) {
  Relay relay;
  relay.names.services(plain_name, {{".", 0}});
  relay.names.hosts("example.org", {"127.52.22.1"});
  BOOST_TEST(answer(relay.open()) == failed);
  BOOST_TEST(relay.names.asked("example.org", RecordType::a) == 0U);
  check_log(relay, "upstream-failed", {"no XMPP service"});
}

BOOST_AUTO_TEST_CASE(U_008_a_dot_for_direct_tls_leaves_the_plain_servers) {
  const FakeServer server;
  Relay relay("upstream.tls = \"auto\"");
  relay.names.services(tls_name, {{".", 0}});
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  HttpClient client = relay.open();
  const Served served(server, client);
}

BOOST_AUTO_TEST_CASE(U_008_a_dot_for_direct_tls_and_nothing_else_is_no_fallback) {
  Relay relay("upstream.tls = \"auto\"");
  relay.names.services(tls_name, {{".", 0}});
  relay.names.hosts("example.org", {"127.52.22.1"});
  BOOST_TEST(answer(relay.open()) == failed);
  BOOST_TEST(relay.names.asked("example.org", RecordType::a) == 0U);
}

BOOST_AUTO_TEST_CASE(U_009_a_dot_for_plain_servers_leaves_those_of_direct_tls) {
  const FakeServer server;
  Relay relay("upstream.tls = \"auto\"");
  relay.names.services(plain_name, {{".", 0}});
  relay.names.services(tls_name, {service(relay, "xmpp.example.net", server)});
  HttpClient client = relay.open();
  Wire hello = server.accept();
  check_hello(hello);
  hello.close();
  BOOST_TEST(said(client.answer()) == failed);
}

BOOST_AUTO_TEST_CASE(U_011_servers_that_can_t_be_reached_are_no_reason_to_take_another) {
  FakeServer gone;
  Relay relay;
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", gone)});
  relay.names.hosts("example.org", {"127.52.22.1"});
  gone.stop();
  BOOST_TEST(answer(relay.open()) == failed);
  BOOST_TEST(relay.names.asked("example.org", RecordType::a) == 0U);
  check_log(relay, "session-end", {"reason=server-unreachable "});
}

BOOST_DATA_TEST_CASE(U_013_a_name_server_that_fails_is_no_reason_to_take_another,
                     data::make({plain_name, tls_name}), fails) {
  Relay relay("upstream.tls = \"auto\"");
  relay.names.mood(Mood::fails, fails);
  relay.names.hosts("example.org", {"127.52.22.1"});
  BOOST_TEST(answer(relay.open()) == failed);
  BOOST_TEST(relay.names.asked("example.org", RecordType::a) == 0U);
  check_log(relay, "upstream-failed", {"DNS: "});
}

BOOST_AUTO_TEST_CASE(U_013_half_an_answer_is_enough) {
  const FakeServer server;
  Relay relay("upstream.tls = \"auto\"");
  relay.names.mood(Mood::fails, tls_name);
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  HttpClient client = relay.open();
  const Served served(server, client);
}

BOOST_AUTO_TEST_CASE(U_014_records_that_are_of_no_use_are_skipped) {
  const FakeServer server;
  const FakeServer elsewhere;
  Relay relay;
  relay.names.hosts("no-data.example.net", {});
  relay.names.mood(Mood::fails, "fails.example.net");
  relay.names.services(plain_name, {{"no-name.example.net", elsewhere.port(), 2},
                                    {"no-data.example.net", elsewhere.port(), 3},
                                    {"fails.example.net", elsewhere.port(), 4},
                                    {"xmpp.example.net", 0, 1},
                                    {".", 5, 5},
                                    service(relay, "xmpp.example.net", server, 6)});
  HttpClient client = relay.open();
  const Served served(server, client);
}

BOOST_AUTO_TEST_CASE(U_014_aliases_are_followed) {
  const FakeServer server;
  Relay relay;
  relay.names.alias(plain_name, "_xmpp-client._tcp.hoster.example");
  relay.names.services("_xmpp-client._tcp.hoster.example", {{"xmpp.example.net", server.port()}});
  relay.names.alias("xmpp.example.net", "a.example.net");
  relay.names.alias("a.example.net", "b.example.net");
  relay.names.hosts("b.example.net", {"127.0.0.1"});
  HttpClient client = relay.open();
  const Served served(server, client);
}

BOOST_AUTO_TEST_CASE(many_records_come_by_tcp) {
  const FakeServer server;
  Relay relay;
  std::vector<Srv> services{service(relay, "xmpp.example.net", server)};
  for (std::uint16_t i = 1; i < 20; ++i)
    services.push_back({"a-rather-long-name-" + std::to_string(i) + ".example.net", 1, i});
  relay.names.services(plain_name, services);
  HttpClient client = relay.open();
  const Served served(server, client);
  BOOST_TEST(relay.names.asked_by_tcp() == 1U);
}

// A pointer to itself, no room for a name, a name beyond the end.
BOOST_DATA_TEST_CASE(a_record_that_can_t_be_read_ends_one_session_only,
                     data::make({std::string("\0\0\0\0\0\1\xc0\x5e", 8), std::string("\0\0\0\0", 4),
                                 std::string("\0\0\0\0\0\1\x3f"
                                             "abc",
                                             10)})) {
  const FakeServer server;
  Relay relay;
  relay.names.raw("_xmpp-client._tcp.odd.example", RecordType::srv, sample);
  relay.names.hosts("odd.example", {"127.52.22.1"});
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  BOOST_TEST(answer(relay.open("odd.example")) == failed);
  HttpClient client = relay.open();
  const Served served(server, client);
}

BOOST_AUTO_TEST_CASE(a_name_too_long_for_dns_ends_at_once) {
  Relay relay;
  std::string domain = "example";
  while (domain.size() < 245) domain = "a." + domain;
  BOOST_TEST(answer(relay.open(domain)) == failed);
  for (const char* no_name : {"a..example", ".example", "a b.example", "exa\u2024mple..org"})
    BOOST_TEST(answer(relay.open(no_name)).starts_with("terminate "), no_name);
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(order)

BOOST_AUTO_TEST_CASE(U_005_a_lower_priority_is_for_when_the_first_refuses) {
  FakeServer first;
  const FakeServer second;
  Relay relay;
  relay.names.services(
      plain_name, {service(relay, "b.example.net", second, 20), service(relay, "a.example.net", first, 10)});
  {
    HttpClient client = relay.open();
    const Served served(first, client);
    relay.settle();
    BOOST_TEST(!second.has_connection());
  }
  first.stop();
  HttpClient client = relay.open();
  const Served served(second, client);
}

BOOST_AUTO_TEST_CASE(U_010_all_addresses_of_a_target_come_before_the_next) {
  const auto [v6, v4] = pair_of_servers("::1", "127.0.0.1");
  const FakeServer other("127.0.0.2", v6.port());
  const FakeServer next;
  Relay relay;
  relay.names.hosts("a.example.net", {"127.0.0.1", "127.0.0.2", "::1"});
  relay.names.services(plain_name,
                       {{"a.example.net", v4.port(), 1}, service(relay, "b.example.net", next, 2)});
  HttpClient client = relay.open();
  for (const FakeServer* server : {&v6, &v4, &other}) {
    Wire wire = server->accept();
    read_stream_start(wire);
    for (const FakeServer* later : {&v6, &v4, &other, &next}) BOOST_TEST(!later->has_connection());
    wire.close();
  }
  const Served served(next, client);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
