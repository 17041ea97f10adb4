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

/// A server on each of these addresses, all with one port.
std::vector<FakeServer> on_one_port(const std::vector<std::string>& addresses) {
  for (;;) {
    std::vector<FakeServer> servers;
    servers.emplace_back(addresses[0], 0);
    try {
      while (servers.size() < addresses.size())
        servers.emplace_back(addresses[servers.size()], servers[0].port());
      return servers;
    } catch (const Failure&) {  // the port is taken there
    }
  }
}

/// Listens and lets nobody in: connections to it are left hanging.
class DeafServer {
 public:
  explicit DeafServer(FakeServer&& listener = FakeServer()) : listener_(std::move(listener)) {
    socklen_t size = sizeof address_;
    ::getsockname(listener_.descriptor(), reinterpret_cast<sockaddr*>(&address_), &size);
    ::listen(listener_.descriptor(), 0);
    guest_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(guest_.get(), reinterpret_cast<sockaddr*>(&address_), size) != 0)
      throw Failure("the queue can't be filled");
  }
  std::uint16_t port() const { return listener_.port(); }
  /// Connections that are being made to it, as the kernel lists them.
  std::size_t attempts() const {
    std::ostringstream mark;
    mark << std::hex << std::uppercase << std::setfill('0') << ' ' << std::setw(8) << address_.sin_addr.s_addr
         << ':' << std::setw(4) << port() << " 02 ";
    std::ifstream lines("/proc/net/tcp");
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) count += has(line, mark.str()) ? 1 : 0;
    return count;
  }

 private:
  FakeServer listener_;
  sockaddr_in address_{};
  Descriptor guest_;
};

/// A WebSocket that asks for a stream.
WebClient web_open_for(const Relay& relay, std::string_view domain) {
  WebClient client(relay.daemon);
  client.say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" + std::string(domain) +
             "' version='1.0'/>");
  return client;
}

/// The first of these that has something to read.
std::size_t first_ready(const std::vector<int>& descriptors) {
  std::vector<pollfd> watched;
  watched.reserve(descriptors.size());
  for (const int descriptor : descriptors) watched.push_back({descriptor, POLLIN, 0});
  constexpr int limit = std::chrono::milliseconds(patience).count();
  if (::poll(watched.data(), watched.size(), limit) <= 0) throw Failure("nothing happens");
  return static_cast<std::size_t>(
      std::ranges::find_if(watched, [](const pollfd& one) { return one.revents != 0; }) - watched.begin());
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
  const auto servers = on_one_port({"::1", "127.0.0.1", "127.0.0.2"});
  const FakeServer next;
  Relay relay;
  relay.names.hosts("a.example.net", {"127.0.0.1", "127.0.0.2", "::1"});
  relay.names.services(plain_name,
                       {{"a.example.net", servers[0].port(), 1}, service(relay, "b.example.net", next, 2)});
  HttpClient client = relay.open();
  for (const FakeServer& server : servers) {
    Wire wire = server.accept();
    read_stream_start(wire);
    for (const FakeServer& later : servers) BOOST_TEST(!later.has_connection());
    BOOST_TEST(!next.has_connection());
    wire.close();
  }
  const Served served(next, client);
}

BOOST_AUTO_TEST_CASE(configured_servers_are_tried_as_they_are_listed) {
  const TemporaryDirectory directory;
  FakeServer first;
  const FakeServer second(directory.path("second"));
  const FakeServer third;
  Relay relay("upstream.server = [\"" + first.address() + "\", \"" + second.address() + "\", \"" +
              third.address() + "\"]");
  HttpClient client = relay.open();
  for (const FakeServer* server : {&std::as_const(first), &second}) {
    Wire wire = server->accept();
    read_stream_start(wire);
    for (const FakeServer* later : {&std::as_const(first), &second, &third})
      BOOST_TEST(!later->has_connection());
    wire.close();
  }
  const Served served(third, client);
}

// Both sessions begin with a server that leaves them hanging: one has another address to try, the other has
// to wait for another server.
BOOST_AUTO_TEST_CASE(U_015_the_next_address_waits_for_a_moment_the_next_server_for_longer) {
  auto servers = on_one_port({"127.0.0.2", "127.0.0.1"});
  const DeafServer deaf(std::move(servers[0]));
  const FakeServer& address = servers[1];
  const FakeServer next;
  Relay relay;
  relay.names.hosts("deaf.example.net", {"127.0.0.2"});
  relay.names.hosts("both.example.net", {"127.0.0.2", "127.0.0.1"});
  relay.names.services("_xmpp-client._tcp.slow.example",
                       {{"deaf.example.net", deaf.port(), 1}, service(relay, "next.example.net", next, 2)});
  relay.names.services(plain_name,
                       {{"both.example.net", deaf.port(), 1}, {"next.example.net", next.port(), 2}});
  HttpClient slow = relay.open("slow.example");
  relay.names.wait_for("deaf.example.net", RecordType::a);
  HttpClient quick = relay.open();
  const Served one(address, quick);
  BOOST_TEST(!next.has_connection());
  const Served other(next, slow);
}

BOOST_AUTO_TEST_CASE(U_015_an_attempt_ends_when_another_one_or_the_time_has_won) {
  auto servers = on_one_port({"127.0.0.2", "127.0.0.1"});
  const DeafServer deaf(std::move(servers[0]));
  const FakeServer& address = servers[1];
  Relay relay("upstream.connect_timeout = \"2s\"");
  relay.names.hosts("both.example.net", {"127.0.0.2", "127.0.0.1"});
  relay.names.hosts("deaf.example.net", {"127.0.0.2"});
  relay.names.services(plain_name, {{"both.example.net", deaf.port()}});
  relay.names.services("_xmpp-client._tcp.deaf.example", {{"deaf.example.net", deaf.port()}});
  HttpClient client = relay.open();
  const Served served(address, client);
  relay.settle();
  BOOST_TEST(deaf.attempts() == 0U);

  HttpClient other = relay.open("deaf.example");
  relay.names.wait_for("deaf.example.net", RecordType::aaaa);
  while (deaf.attempts() == 0 && !other.wire.readable()) relay.settle();
  BOOST_TEST(said(other.answer()) == failed);
  relay.settle();
  BOOST_TEST(deaf.attempts() == 0U);
  check_log(relay, "session-end", {"reason=server-silent "});
}

BOOST_AUTO_TEST_CASE(U_015_silence_of_dns_ends_one_session_within_connect_timeout) {
  const FakeServer server;
  Relay relay("upstream.connect_timeout = \"2s\"");
  relay.names.mood(Mood::silent, "_xmpp-client._tcp.silent.example");
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  HttpClient silent = relay.open("silent.example");
  relay.names.wait_for("_xmpp-client._tcp.silent.example", RecordType::srv);
  HttpClient client = relay.open();
  const Served served(server, client);
  BOOST_TEST(!silent.wire.readable());
  BOOST_TEST(said(silent.answer()) == failed);
  check_log(relay, "session-end", {"reason=server-silent ", "domain=silent.example "});
}

BOOST_AUTO_TEST_CASE(a_server_that_closes_without_features_is_followed_by_the_next) {
  const FakeServer first;
  const FakeServer second;
  Relay relay;
  relay.names.services(
      plain_name, {service(relay, "a.example.net", first, 1), service(relay, "b.example.net", second, 2)});
  HttpClient client = relay.open();
  {
    Wire wire = first.accept();
    read_stream_start(wire);
    wire.send(stream_start("stream-of-the-first"));
    relay.settle();
  }
  Wire wire = second.accept();
  BOOST_TEST(has(read_stream_start(wire), "to='example.org'"));
  wire.send(stream_start("stream-of-the-second") + std::string(features));
  const Response created = client.answer();
  BOOST_TEST(root_attribute(created.body, "authid") == "stream-of-the-second");
  BOOST_TEST(has(created.body, "ANONYMOUS"));
}

enum class Place { two_names, two_addresses };

std::ostream& operator<<(std::ostream& out, Place place) {
  return out << (place == Place::two_names ? "two names" : "two addresses");
}

/// Two servers as records of their own or as addresses of one name.
void set_up(Relay& relay, Place place, std::uint16_t port) {
  relay.names.hosts("a.example.net", {"127.0.0.2"});
  relay.names.hosts("b.example.net", {"127.0.0.1"});
  relay.names.hosts("both.example.net", {"127.0.0.2", "127.0.0.1"});
  if (place == Place::two_names)
    relay.names.services(plain_name, {{"a.example.net", port, 1}, {"b.example.net", port, 2}});
  else
    relay.names.services(plain_name, {{"both.example.net", port}});
}

BOOST_DATA_TEST_CASE(U_016_a_server_that_refused_waits_behind_the_others,
                     data::make({Place::two_names, Place::two_addresses})) {
  auto servers = on_one_port({"127.0.0.2", "127.0.0.1"});
  FakeServer& first = servers[0];
  FakeServer& second = servers[1];
  const std::uint16_t port = first.port();
  Relay relay;
  set_up(relay, sample, port);
  first.stop();
  HttpClient client = relay.open();
  const Served served(second, client);
  const FakeServer back("127.0.0.2", port);
  HttpClient next = relay.open();
  const Served next_served(second, next);
  BOOST_TEST(!back.has_connection());

  second.stop();  // now the other one is all there is
  HttpClient last = relay.open();
  const Served last_served(back, last);
}

BOOST_DATA_TEST_CASE(U_016_a_server_that_has_no_stream_for_us_waits_behind_the_others,
                     data::make({Place::two_names, Place::two_addresses})) {
  const auto servers = on_one_port({"127.0.0.2", "127.0.0.1"});
  const FakeServer& first = servers[0];
  const FakeServer& second = servers[1];
  Relay relay;
  set_up(relay, sample, first.port());
  HttpClient client = relay.open();
  first.accept().close();
  const Served served(second, client);
  HttpClient next = relay.open();
  const Served next_served(second, next);
  BOOST_TEST(!first.has_connection());
}

BOOST_AUTO_TEST_CASE(U_016_a_server_that_is_the_only_one_is_tried_again) {
  FakeServer server("127.0.0.2", 0);
  const std::uint16_t port = server.port();
  Relay relay;
  relay.names.services(plain_name, {{"xmpp.example.net", port}});
  relay.names.hosts("xmpp.example.net", {"127.0.0.2"});
  server.stop();
  BOOST_TEST(answer(relay.open()) == failed);
  const FakeServer back("127.0.0.2", port);
  HttpClient client = relay.open();
  const Served served(back, client);
}

BOOST_AUTO_TEST_CASE(connects_are_one_after_the_other) {
  const FakeServer server;
  Relay relay("upstream.connects = 1");
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  HttpClient first = relay.open();
  Wire wire = server.accept();
  read_stream_start(wire);
  HttpClient second = relay.open();
  HttpClient third = relay.open();
  relay.settle();
  BOOST_TEST(!server.has_connection());
  wire.send(stream_start() + std::string(features));
  BOOST_TEST(has(first.answer().body, "ANONYMOUS"));
  const Served served(server, second);
  const Served last(server, third);
}

BOOST_AUTO_TEST_CASE(who_goes_away_makes_room_for_the_next) {
  const FakeServer server;
  Relay relay("upstream.connects = 1");
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  WebClient first = web_open_for(relay, "example.org");
  Wire mute = server.accept();
  WebClient waits = web_open_for(relay, "example.org");
  HttpClient second = relay.open();
  relay.settle();
  BOOST_TEST(!server.has_connection());
  waits.wire.reset();
  relay.settle();
  first.wire.reset();
  const Served served(server, second);
  relay.settle();
  BOOST_TEST(!server.has_connection());
}

BOOST_DATA_TEST_CASE(a_domain_whose_server_hangs_holds_up_no_other, data::make({"silent", "deaf", "mute"})) {
  const DeafServer deaf;
  const FakeServer mute;
  const FakeServer server;
  Relay relay("upstream.connects = 1");
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  relay.names.mood(Mood::silent, "_xmpp-client._tcp.silent.example");
  relay.names.services("_xmpp-client._tcp.deaf.example", {{"xmpp.example.net", deaf.port()}});
  relay.names.services("_xmpp-client._tcp.mute.example", {{"xmpp.example.net", mute.port()}});
  const std::string domain = std::string(sample) + ".example";
  const WebClient first = web_open_for(relay, domain);
  relay.names.wait_for("_xmpp-client._tcp." + domain, RecordType::srv);
  HttpClient second = relay.open();
  const Served served(server, second);
}

BOOST_AUTO_TEST_CASE(who_waits_for_his_turn_has_his_time_before_him) {
  const FakeServer server;
  Relay relay("upstream.connects = 1\nupstream.connect_timeout = \"1s\"");
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  HttpClient first = relay.open();
  const Wire mute = server.accept();
  HttpClient second = relay.open();
  BOOST_TEST(said(first.answer()) == failed);
  const Served served(server, second);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(U_017_nothing_is_asked_twice_within_its_time) {
  const FakeServer server;
  Relay relay("upstream.tls = \"auto\"");
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  for (int i = 0; i < 5; ++i) {
    HttpClient client = relay.open();
    const Served served(server, client);
  }
  BOOST_TEST(relay.names.asked() == 4U);  // two services, two kinds of address
}

BOOST_AUTO_TEST_CASE(U_017_those_who_ask_at_once_ask_once) {
  const FakeServer server;
  Relay relay;
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  for (const std::string& name : {plain_name, std::string("xmpp.example.net")})
    relay.names.mood(Mood::silent, name);
  HttpClient clients[] = {relay.open(), relay.open(), relay.open(), relay.open(), relay.open()};
  relay.names.wait_for(plain_name, RecordType::srv);
  relay.settle();
  relay.names.mood(Mood::answers, plain_name);
  relay.names.wait_for("xmpp.example.net", RecordType::aaaa);
  relay.settle();
  relay.names.mood(Mood::answers, "xmpp.example.net");
  Wire wires[std::size(clients)];
  for (Wire& wire : wires) {
    wire = server.accept();
    wire.send(stream_start() + std::string(features));
  }
  for (HttpClient& client : clients) BOOST_TEST(has(client.answer().body, "ANONYMOUS"));
  BOOST_TEST(relay.names.asked() == 3U);
}

// The shortest time is five seconds, whatever the name server says.
BOOST_AUTO_TEST_CASE(U_017_an_answer_that_has_had_its_time_is_asked_for_again) {
  const auto began = std::chrono::steady_clock::now();
  const FakeServer servers[2];
  Relay relay;
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", servers[0])}, 0);
  std::size_t served_by = 0;
  for (int sessions = 0; served_by == 0; ++sessions) {
    HttpClient client = relay.open();
    served_by = first_ready({servers[0].descriptor(), servers[1].descriptor()});
    const Served served(servers[served_by], client);
    if (sessions == 0) relay.names.services(plain_name, {service(relay, "xmpp.example.net", servers[1])}, 0);
    relay.names.wait_for(plain_name, RecordType::srv, 2, 100ms);
  }
  BOOST_TEST((std::chrono::steady_clock::now() - began >= 5s));
  BOOST_TEST(relay.names.asked(plain_name, RecordType::srv) == 2U);
  BOOST_TEST(relay.names.asked("xmpp.example.net", RecordType::a) == 1U);
}

void serve_one(const Relay& relay, const FakeServer& server) {
  HttpClient client = relay.open();
  const Served served(server, client);
}

BOOST_DATA_TEST_CASE(U_017_an_old_answer_serves_while_dns_does_not, data::make({Mood::silent, Mood::fails})) {
  const FakeServer server;
  Relay relay;
  relay.names.services(plain_name, {{"xmpp.example.net", server.port()}});
  relay.names.hosts("xmpp.example.net", {"127.0.0.1"}, 0);
  serve_one(relay, server);
  relay.names.mood(sample);
  while (!relay.names.wait_for("xmpp.example.net", RecordType::a, 2, 100ms)) serve_one(relay, server);
  serve_one(relay, server);
  BOOST_TEST(relay.names.asked(plain_name, RecordType::srv) == 1U);
}

BOOST_AUTO_TEST_CASE(U_017_an_old_answer_comes_in_time_whatever_the_name_servers_take) {
  const FakeServer server;
  NameServer first;
  NameServer second;
  const Relay relay("upstream.nameservers = [\"" + first.address() + "\", \"" + second.address() +
                    "\"]\nupstream.connect_timeout = \"6s\"");
  first.services(plain_name, {{"xmpp.example.net", server.port()}}, 0);
  first.hosts("xmpp.example.net", {"127.0.0.1"}, 0);
  serve_one(relay, server);
  first.mood(Mood::silent);
  second.mood(Mood::silent);
  while (!first.wait_for("xmpp.example.net", RecordType::a, 2, 100ms)) serve_one(relay, server);
  serve_one(relay, server);
}

BOOST_AUTO_TEST_CASE(a_failure_of_dns_is_soon_forgotten) {
  const FakeServer server;
  Relay relay;
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  relay.names.mood(Mood::fails);
  BOOST_TEST(answer(relay.open()) == failed);
  const std::size_t asked = relay.names.asked(plain_name, RecordType::srv);
  relay.names.mood(Mood::answers);
  for (;;) {
    HttpClient client = relay.open();
    if (first_ready({server.descriptor(), client.wire.descriptor()}) == 0) {
      const Served served(server, client);
      break;
    }
    BOOST_TEST(said(client.answer()) == failed);
    relay.names.wait_for(plain_name, RecordType::srv, asked + 1, 100ms);
  }
}

// The addresses of one kind are not told, and that there are none of the other kind comes later.
BOOST_AUTO_TEST_CASE(U_013_a_failure_for_one_kind_of_address_is_no_answer) {
  const auto began = std::chrono::steady_clock::now();
  const FakeServer server;
  Relay relay;
  relay.names.services(plain_name, {service(relay, "xmpp.example.net", server)});
  relay.names.mood(Mood::fails, "xmpp.example.net", RecordType::a);
  relay.names.mood(Mood::silent, "xmpp.example.net", RecordType::aaaa);
  HttpClient first = relay.open();
  relay.names.wait_for("xmpp.example.net", RecordType::a);
  relay.names.wait_for("xmpp.example.net", RecordType::aaaa);
  relay.settle();
  relay.names.mood(Mood::answers, "xmpp.example.net", RecordType::aaaa);
  BOOST_TEST(said(first.answer()) == failed);
  relay.names.mood(Mood::answers, "xmpp.example.net", RecordType::a);
  for (;;) {
    BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() - began < patience));
    HttpClient client = relay.open();
    if (first_ready({server.descriptor(), client.wire.descriptor()}) == 0) {
      const Served served(server, client);
      break;
    }
    BOOST_TEST(said(client.answer()) == failed);
    relay.names.wait_for("xmpp.example.net", RecordType::a, 2, 100ms);
  }
}

BOOST_AUTO_TEST_CASE(U_010_many_addresses_of_one_kind_leave_room_for_the_other) {
  const FakeServer server;
  Relay relay("upstream.allow_networks = [\"127.0.0.1\"]");
  std::vector<std::string> addresses{"127.0.0.1"};
  for (int i = 0; i < 16; ++i) addresses.push_back("fd00::" + std::to_string(i));
  relay.names.services(plain_name, {{"xmpp.example.net", server.port()}});
  relay.names.hosts("xmpp.example.net", addresses);
  relay.names.mood(Mood::silent, "xmpp.example.net", RecordType::a);
  HttpClient client = relay.open();
  relay.names.wait_for("xmpp.example.net", RecordType::a);
  relay.names.wait_for("xmpp.example.net", RecordType::aaaa);
  relay.settle();
  relay.names.mood(Mood::answers, "xmpp.example.net", RecordType::a);
  const Served served(server, client);
}

BOOST_DATA_TEST_CASE(the_second_name_server_answers_when_the_first_does_not,
                     data::make({Mood::silent, Mood::fails})) {
  const FakeServer server;
  NameServer first;
  NameServer second;
  Relay relay("upstream.nameservers = [\"" + first.address() + "\", \"" + second.address() + "\"]");
  first.mood(sample);
  second.services(plain_name, {{"xmpp.example.net", server.port()}});
  second.hosts("xmpp.example.net", {"127.0.0.1"});
  HttpClient client = relay.open();
  const Served served(server, client);
  BOOST_TEST(first.asked() > 0U);
}

BOOST_AUTO_TEST_CASE(U_013_where_no_name_server_is_there_is_no_fallback) {
  Relay relay("upstream.nameservers = [\"127.0.0.77:1\"]");  // a port that is free now may be another's soon
  BOOST_TEST(answer(relay.open()) == failed);
  check_log(relay, "upstream-failed", {"DNS: "});
}

BOOST_AUTO_TEST_CASE(the_daemon_ends_while_dns_and_servers_are_silent) {
  const DeafServer deaf;
  Relay relay;
  relay.names.services(plain_name, {{"xmpp.example.net", deaf.port()}});
  relay.names.hosts("xmpp.example.net", {"127.0.0.1"});
  for (const char* name : {"_xmpp-client._tcp.silent.example", "silent.example.net"})
    relay.names.mood(Mood::silent, name);
  relay.names.services("_xmpp-client._tcp.half.example", {{"silent.example.net", deaf.port()}});
  HttpClient clients[] = {relay.open(), relay.open("silent.example"), relay.open("half.example")};
  relay.names.wait_for("_xmpp-client._tcp.silent.example", RecordType::srv);
  relay.names.wait_for("silent.example.net", RecordType::aaaa);
  while (deaf.attempts() == 0) relay.settle();
  relay.daemon.signal(SIGTERM);
  for (HttpClient& client : clients) BOOST_TEST(said(client.answer()) == "terminate system-shutdown");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(where_nobody_is_led)

constexpr std::string_view nowhere = "upstream.allow_networks = []";

/// An end that a WebSocket hears.
std::string web_answer(const Relay& relay, std::string_view domain) {
  WebClient client = web_open_for(relay, domain);
  for (std::string all;;) {
    const std::string line = client.hears();
    all += line + "\n";
    if (line.starts_with("close ")) return all;
    if (line == web_close) client.say(web_close);
  }
}

const char* const inner_addresses[] = {
    "127.0.0.1",       "127.0.0.2",   "::1",           "::ffff:127.0.0.1", "0.0.0.0",   "::",
    "64:ff9b::7f00:1", "::127.0.0.1", "2002:7f00:1::", "169.254.169.254",  "10.0.0.1",  "172.16.0.1",
    "192.168.0.1",     "100.64.0.1",  "fe80::1",       "fd00::1",          "224.0.0.1", "255.255.255.255",
};

BOOST_DATA_TEST_CASE(dns_does_not_lead_into_the_inner_network, data::make(inner_addresses)) {
  const auto servers = on_one_port({"127.0.0.1", "::1"});
  Relay relay(nowhere);
  relay.names.services(plain_name, {{"xmpp.example.net", servers[0].port()}});
  relay.names.hosts("xmpp.example.net", {sample});
  relay.names.hosts("bare.example", {sample});
  for (const char* domain : {"example.org", "bare.example"}) {
    BOOST_TEST(answer(relay.open(domain)) == failed);
    BOOST_TEST(has(web_answer(relay, domain), "<remote-connection-failed"));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string line = relay.daemon.wait_for_log("session-end", i);
    BOOST_TEST(has(line, "reason=server-refused "), line);
  }
  for (const FakeServer& server : servers) BOOST_TEST(!server.has_connection());
}

BOOST_AUTO_TEST_CASE(only_those_addresses_of_a_name_that_are_permitted_are_tried) {
  const auto servers = on_one_port({"127.0.0.2", "127.0.0.1"});
  const FakeServer& permitted = servers[0];
  const FakeServer& inner = servers[1];
  Relay relay("upstream.allow_networks = [\"127.0.0.2\"]");
  relay.names.services(plain_name, {{"xmpp.example.net", inner.port()}});
  relay.names.hosts("xmpp.example.net", {"127.0.0.1", "127.0.0.2"});
  HttpClient client = relay.open();
  permitted.accept().close();
  BOOST_TEST(said(client.answer()) == failed);
  BOOST_TEST(!inner.has_connection());
}

// First an address where servers may be, then an inner one: each session is led by one answer, and what that
// says is looked at.
BOOST_AUTO_TEST_CASE(a_name_that_changes_its_mind_leads_nowhere) {
  const auto servers = on_one_port({"127.0.0.2", "127.0.0.1"});
  const FakeServer& permitted = servers[0];
  const FakeServer& inner = servers[1];
  Relay relay("upstream.allow_networks = [\"127.0.0.2\"]");
  relay.names.services(plain_name, {{"xmpp.example.net", inner.port()}}, 0);
  relay.names.hosts("xmpp.example.net", {"127.0.0.2"}, 0);
  for (;;) {
    HttpClient client = relay.open();
    if (first_ready({permitted.descriptor(), client.wire.descriptor()}) == 1) {
      BOOST_TEST(said(client.answer()) == failed);
      break;
    }
    const Served served(permitted, client);
    relay.names.hosts("xmpp.example.net", {"127.0.0.1"}, 0);
    relay.names.wait_for("xmpp.example.net", RecordType::a, 2, 100ms);
  }
  BOOST_TEST(!inner.has_connection());
  relay.daemon.wait_for_log("reason=server-refused ");
}

BOOST_AUTO_TEST_CASE(names_that_are_addresses_lead_nowhere) {
  const auto servers = on_one_port({"127.0.0.1", "::1"});
  const std::string port = std::to_string(servers[0].port());
  Relay relay(nowhere);
  const std::string domains[] = {"127.0.0.1",
                                 "127.0.0.1.",
                                 "[127.0.0.1]",
                                 "::1",
                                 "[::1]",
                                 "::ffff:127.0.0.1",
                                 "[::ffff:7f00:1]",
                                 "2130706433",
                                 "0x7f000001",
                                 "0177.0.0.1",
                                 "127.1",
                                 "127.0.0.01",
                                 "１２７.0.0.1",
                                 "127。0。0。1",
                                 "localhost",
                                 "LOCALHOST.",
                                 "ip6-localhost",
                                 "localhost.localdomain",
                                 "0.0.0.0",
                                 "0",
                                 "127.0.0.1:" + port,
                                 "[::1]:" + port,
                                 "localhost:" + port,
                                 "example.org:" + port,
                                 "tls://127.0.0.1:" + port,
                                 "unix:/run/xmpp.sock",
                                 "dns"};
  for (const std::string& domain : domains) {
    for (const std::string& name : {domain, "_xmpp-client._tcp." + domain}) {
      if (has(name, ":")) continue;
      relay.names.hosts(name, {"127.0.0.1", "::1"});
      relay.names.services(name, {{domain, servers[0].port()}, {"127.0.0.1", servers[0].port()}});
    }
    for (const std::string& more : {std::string(), "route='xmpp:127.0.0.1:" + port + "'"}) {
      const std::string got = answer(relay.open(domain, more));
      BOOST_TEST((got == failed || got == "terminate host-unknown"), domain << ": " << got);
    }
    const std::string got = web_answer(relay, domain);
    BOOST_TEST((has(got, "<remote-connection-failed") || has(got, "<host-unknown")), domain << ": " << got);
    for (const FakeServer& server : servers) BOOST_TEST(!server.has_connection(), domain);
  }
  for (const std::string& line : relay.daemon.log_lines("session-end"))
    BOOST_TEST((has(line, "reason=server-refused ") || has(line, "reason=host-unknown ")), line);
}

BOOST_AUTO_TEST_CASE(B_051_B_053_a_route_is_followed_only_where_it_is_listed) {
  const FakeServer listed;
  const FakeServer other;
  Relay relay(std::string(nowhere) + "\nupstream.any = false\nupstream.domains = [\"example.org\"]\n" +
              "upstream.routes = [\"" + listed.address() + "\"]");
  const auto route = [](const FakeServer& server) { return "route='xmpp:" + server.address() + "'"; };
  HttpClient client = relay.open("example.org", route(listed));
  const Served served(listed, client);
  BOOST_TEST(has(served.header, " to='example.org' "));
  BOOST_TEST(relay.names.asked() == 0U);

  BOOST_TEST(answer(relay.open("example.org", route(other))) == failed);
  BOOST_TEST(answer(relay.open("example.com", route(listed))) == "terminate host-unknown");
  BOOST_TEST(answer(relay.open("127.0.0.1", route(listed))) == "terminate host-unknown");
  for (const FakeServer* server : {&listed, &other}) BOOST_TEST(!server->has_connection());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
