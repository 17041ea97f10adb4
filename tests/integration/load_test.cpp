// Many sessions on two threads, and garbage of both sides. Each message's id tells its session, so that one
// that went astray would show.
#include <signal.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "tests/integration/client.hpp"

namespace integration {
namespace {

constexpr std::uint64_t session_count = 300;
constexpr std::uint64_t ids_each = 1000;

std::string creation(std::string_view payload = {}) {
  return body_element("to='example.org' rid='1' wait='60' hold='1' ver='1.6' ack='1' xmpp:version='1.0'",
                      payload);
}

/// A session without a connection.
struct Client {
  std::uint64_t number = 0;
  std::string sid = {};
  std::uint64_t rid = 1;
  std::uint64_t sent = 0;

  std::string next(std::string_view payload = {}, std::string_view attributes = {}) {
    return body_element("sid='" + sid + "'" + attribute("rid", ++rid) + " " + std::string(attributes),
                        payload);
  }
  /// A request with this session's next message, and its echo.
  std::string next_message() {
    ++sent;
    return next(echo());
  }
  std::string echo() const { return message(number * ids_each + sent); }
  std::string goodbye() { return next({}, "type='terminate'"); }
};

std::string forwarded_for(const Client& client) {
  return "X-Forwarded-For: 192.0.2." + std::to_string(client.number % 200) + "\r\n";
}

/// Two threads in front of an echo server.
struct Load {
  EchoServer server;
  Daemon daemon;
  std::vector<Client> clients;

  explicit Load(std::string_view settings)
      : daemon("threads = 2\n" + std::string(unlimited) + "upstream.server = \"" + server.address() + "\"\n" +
               std::string(settings)) {
    for (std::uint64_t i = 0; i < session_count; ++i) clients.push_back({i});
  }

  /// Opens every session over a connection of its own, so that both threads have some.
  std::vector<HttpClient> open_all() {
    std::vector<HttpClient> wires;
    for (const Client& client : clients) wires.emplace_back(daemon).post(creation(), forwarded_for(client));
    for (Client& client : clients) client.sid = root_attribute(wires[client.number].answer().body, "sid");
    return wires;
  }

  /// The daemon's end, and what it must have left: one line for each session, whole streams.
  void finish() {
    daemon.wait_for_log("session-end", session_count - 1);
    daemon.signal(SIGTERM);
    BOOST_TEST(daemon.exit_status() == 0);
    BOOST_TEST(server.malformed() == 0U);
    BOOST_TEST(server.connections() == session_count);
    std::multiset<std::string> expected;
    std::multiset<std::string> got;
    std::map<std::string, int> threads;
    for (const Client& client : clients) {
      expected.insert(client.sid.substr(0, 6));
      ++threads[client.sid.substr(0, 2)];
    }
    for (const std::string& line : daemon.log_lines("session-end reason=client-terminate")) {
      const auto at = line.find("sid=") + 4;
      got.insert(line.substr(at, line.find("…", at) - at));
    }
    BOOST_TEST((got == expected), got.size() << " lines for " << expected.size() << " sessions");
    BOOST_TEST(threads.size() == 2U);
    for (const auto& [shard, sessions] : threads) BOOST_TEST(sessions > 50, shard << " has " << sessions);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(many_sessions)

// A new connection is accepted by either thread and moves to its session's with the first request.
BOOST_AUTO_TEST_CASE(X_095_over_direct_connections) {
  Load load("proxy.trusted = []");
  std::vector<HttpClient> wires = load.open_all();
  for (int round = 0; round < 6; ++round) {
    if (round % 2 == 1)
      for (HttpClient& wire : wires) wire = HttpClient(load.daemon);
    for (std::size_t i = 0; i < session_count; ++i) wires[i].post(load.clients[i].next_message());
    for (std::size_t i = 0; i < session_count; ++i)
      BOOST_TEST(said(wires[i].answer()) == load.clients[i].echo());
  }
  for (std::size_t i = 0; i < session_count; ++i) wires[i].post(load.clients[i].goodbye());
  for (HttpClient& wire : wires) BOOST_TEST(said(wire.answer()) == "terminate");
  load.finish();
}

/// A few connections carry all sessions, each request on whichever is free.
void mix_sessions(Load& load) {
  load.open_all();
  constexpr std::size_t connections = 6;
  std::vector<HttpClient> wires;
  wires.reserve(connections);
  while (wires.size() < connections) wires.emplace_back(load.daemon);
  std::vector<Client*> order;
  for (Client& client : load.clients) order.push_back(&client);
  std::mt19937 random(1);
  for (int round = 0; round < 6; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (std::size_t i = 0; i < session_count; i += wires.size()) {
      for (std::size_t k = 0; k < wires.size(); ++k)
        wires[k].post(order[i + k]->next_message(), forwarded_for(*order[i + k]));
      for (std::size_t k = 0; k < wires.size(); ++k)
        BOOST_TEST(said(wires[k].answer()) == order[i + k]->echo());
    }
  }
  for (Client& client : load.clients)
    BOOST_TEST(said(wires[0].ask(client.goodbye(), forwarded_for(client))) == "terminate");
  load.finish();
}

BOOST_AUTO_TEST_CASE(over_a_proxy_s_connections) {
  Load load("proxy.trusted = [\"127.0.0.1\"]");
  mix_sessions(load);
  BOOST_TEST(load.daemon.log_lines("client=192.0.2.").size() == session_count);
}

// No proxy should look like this, but a connection that has moved to one thread may well name a session of
// another.
BOOST_AUTO_TEST_CASE(over_the_connections_of_an_unknown_proxy) {
  Load load("proxy.trusted = []");
  mix_sessions(load);
  BOOST_TEST(load.daemon.log_lines("client=127.0.0.1").size() == session_count);
}

BOOST_AUTO_TEST_CASE(a_connection_that_moves_takes_along_what_is_behind_its_first_request) {
  Load load("proxy.trusted = []");
  load.open_all();
  for (Client& client : load.clients) {
    HttpClient wire(load.daemon);
    constexpr std::uint64_t count = 3;
    std::string pipeline;
    for (std::uint64_t i = 0; i < count; ++i) pipeline += HttpClient::post_bytes(client.next_message());
    wire.send(pipeline);
    std::vector<std::uint64_t> got;
    for (std::uint64_t i = 0; got.size() < count; ++i) {
      if (i >= count) wire.post(client.next());
      for (const auto id : ids(wire.answer().body)) got.push_back(id);
    }
    const std::uint64_t first = client.number * ids_each + 1;
    BOOST_TEST((got == std::vector<std::uint64_t>{first, first + 1, first + 2}));
    wire.post(client.goodbye());
    while (said(wire.answer()) != "terminate") {
    }
  }
  load.finish();
}

// One connection, many requests of many sessions behind each other: answers come in the order of the
// requests.
BOOST_AUTO_TEST_CASE(pipelined_on_one_connection_of_a_proxy) {
  Load load("proxy.trusted = [\"127.0.0.1\"]");
  load.open_all();
  HttpClient wire(load.daemon);
  const auto all = [&](auto body, auto check) {
    constexpr std::size_t depth = 50;
    for (std::size_t i = 0; i < session_count; i += depth) {
      std::string pipeline;
      for (std::size_t k = i; k < i + depth; ++k)
        pipeline += HttpClient::post_bytes(body(load.clients[k]), forwarded_for(load.clients[k]));
      wire.send(pipeline);
      for (std::size_t k = i; k < i + depth; ++k) check(load.clients[k], wire.answer());
    }
  };
  for (int round = 0; round < 3; ++round)
    all([](Client& client) { return client.next_message(); },
        [](Client& client, const Response& answer) { BOOST_TEST(said(answer) == client.echo()); });
  all([](Client& client) { return client.goodbye(); },
      [](Client&, const Response& answer) { BOOST_TEST(said(answer) == "terminate"); });
  load.finish();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(garbage)

/// Changes bytes at random, the same way with every run; another way with another BOSHD_SEED in the
/// environment.
class Mutator {
 public:
  std::string operator()(std::string text) {
    for (auto changes = number(1, 4); changes > 0; --changes) change(text);
    return text;
  }
  std::size_t number(std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(random_);
  }

 private:
  void change(std::string& text) {
    static const std::string tokens[] = {"<",
                                         ">",
                                         "&",
                                         "'",
                                         "\"",
                                         "\r\n",
                                         std::string(1, '\0'),
                                         "\xff",
                                         "\xc3",
                                         "<!--",
                                         "]]>",
                                         "<?x?>",
                                         "<![CDATA[",
                                         "&#0;",
                                         "<!DOCTYPE a>",
                                         "</body>",
                                         "xmlns=''",
                                         "xmlns:p='p'",
                                         "p:",
                                         "Content-Length: 1\r\n",
                                         "chunked",
                                         "</stream:stream>",
                                         "<stream:error/>",
                                         "-1",
                                         "99999999999999999999",
                                         "\xef\xbb\xbf"};
    const std::size_t at = number(0, text.size());
    const std::size_t length = std::min(number(1, 12), text.size() - at);
    switch (number(0, 5)) {
      case 0:
        text.insert(at, tokens[number(0, std::size(tokens) - 1)]);
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      case 3:
        text.insert(number(0, text.size()), text.substr(at, length));
        break;
      case 4:
        text.resize(at);
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << number(0, 7)));
    }
  }

  static unsigned seed() {
    const char* given = std::getenv("BOSHD_SEED");
    return given ? static_cast<unsigned>(std::atoi(given)) : 7;
  }

  std::mt19937 random_{seed()};
};

/// A session beside the garbage, which must not feel any of it.
class Bystander {
 public:
  explicit Bystander(const Daemon& daemon) : wire_(daemon) {
    client_.sid = root_attribute(wire_.ask(creation()).body, "sid");
  }
  void check() {
    wire_.post(client_.next_message());
    BOOST_TEST_REQUIRE(said(wire_.answer()) == client_.echo());
  }

 private:
  HttpClient wire_;
  Client client_;
};

BOOST_AUTO_TEST_CASE(requests) {
  constexpr int count = 4000;
  const EchoServer server;
  const Daemon daemon("threads = 2\n" + std::string(unlimited) + "upstream.server = \"" + server.address() +
                      "\"");
  Bystander bystander(daemon);
  const std::string body = creation("<message xmlns='jabber:client'><body>&lt;é</body></message>");
  HttpClient opener(daemon);
  Mutator mutate;
  for (int i = 0; i < count; ++i) {
    // With another rid the request waits for its turn as long as `wait`.
    Client client{1,
                  root_attribute(opener.ask(body_element("to='example.org' rid='1' wait='1'")).body, "sid")};
    const std::string request = client.next_message();
    const std::string valid[] = {
        HttpClient::post_bytes(body),
        HttpClient::post_bytes(request),
        HttpClient::post_bytes(request, "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n"),
        "POST /http-bind HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10;x=y\r\n" +
            body.substr(0, 16) + "\r\n0\r\nTrailer: x\r\n\r\n",
        "OPTIONS /http-bind HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\n\r\n",
    };
    HttpClient wire(daemon);
    try {
      wire.send(mutate(valid[mutate.number(0, std::size(valid) - 1)]));
    } catch (const Failure&) {  // refused before all was sent
    }
    wire.wire.finish();
    wire.wire.read_to_end();
    client.rid += 100;  // ends the session, whatever has become of the request
    opener.ask(client.next());
    if (i % 20 == 0) bystander.check();
  }
  BOOST_TEST(server.malformed() == 0U);
}

BOOST_AUTO_TEST_CASE(servers) {
  constexpr int count = 2000;
  const EchoServer server;
  const FakeServer bad;
  const Daemon daemon("threads = 2\n" + std::string(unlimited) +
                      "upstream.domains = [\"example.org\"]\nupstream.server = \"" + server.address() +
                      "\"\nupstream.domain.\"bad.example\".server = \"" + bad.address() + "\"");
  Bystander bystander(daemon);
  const std::string valid = stream_start() + std::string(features) + messages(1, 3) +
                            "<iq id='1' xmlns:p='urn:p'><p:query/>&amp;é</iq>" + std::string(stream_end);
  Mutator mutate;
  for (int i = 0; i < count; ++i) {
    HttpClient wire(daemon);
    wire.post(body_element("to='bad.example' rid='1'"));
    Wire upstream = bad.accept();
    const std::string garbage = mutate(valid);
    BOOST_TEST_INFO(garbage);
    upstream.send(garbage);
    upstream.finish();
    Client client;
    for (Response answer = wire.answer();; answer = wire.ask(client.next())) {
      BOOST_TEST_REQUIRE(answer.status == 200U);
      BOOST_TEST(XmlCheck().feed(answer.body, true), answer.body);
      if (said(answer).starts_with("terminate")) break;
      if (client.sid.empty()) client.sid = root_attribute(answer.body, "sid");
      BOOST_TEST_REQUIRE(client.rid < 20U);
    }
    if (i % 20 == 0) bystander.check();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
