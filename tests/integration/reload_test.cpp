// Reloading: what changes, for whom, and what never does. And draining.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <thread>

#include "tests/integration/client.hpp"
#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

std::string creation(std::string_view attributes = {}, std::string_view to = "example.org") {
  return body_element("rid='1' to='" + std::string(to) +
                      "' wait='60' hold='1' ver='1.6' xmpp:version='1.0' " + std::string(attributes));
}

/// A port that was free a moment ago.
std::uint16_t free_port() {
  return FakeServer().port();
}

std::string listener(std::uint16_t port, std::string_view more = {}) {
  return "\n[[listen]]\naddress = \"127.0.0.1:" + std::to_string(port) + "\"\n" + std::string(more);
}

/// The status of a GET, whoever serves there.
unsigned status_of(Wire& wire, std::string_view path = "/http-bind") {
  wire.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: example.org\r\n\r\n");
  const std::string head = wire.read_until("\r\n\r\n");
  const auto length = head.find("Content-Length: ");
  wire.read(std::stoul(head.substr(length + 16)));
  return static_cast<unsigned>(std::stoul(head.substr(9, 3)));
}

unsigned status_at(std::uint16_t port, std::string_view path = "/http-bind") {
  Wire wire = Wire::connect(port);
  return status_of(wire, path);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reloading)

// --- Each kind of setting ---

BOOST_AUTO_TEST_CASE(new_limits_count_and_sessions_go_on) {
  Bridge bridge("limits.sessions = 1");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  HttpClient other = bridge.connect();
  BOOST_TEST(other.ask(creation()).status == 503U);
  session.hold(client);
  bridge.reload("limits.sessions = 2\nlimits.max_request = \"20 KiB\"");
  Session second(bridge, other);
  session.server.send(message(1));
  BOOST_TEST(said(client.answer()) == message(1));
  BOOST_TEST(bridge.connect().ask(body_element("rid='1'", std::string(30'000, ' '))).status == 413U);
  bridge.reload("limits.sessions = 1");
  BOOST_TEST(bridge.connect().ask(creation()).status == 503U);
  session.hold(client);
  second.server.send(message(2));
  BOOST_TEST(said(other.ask(second.next())) == message(2));
}

BOOST_AUTO_TEST_CASE(what_was_agreed_with_a_client_stays_and_new_ones_get_the_new) {
  Bridge bridge("session.inactivity = \"90s\"\nsession.wait = \"60s\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  bridge.reload("session.inactivity = \"30s\"\nsession.wait = \"40s\"");
  HttpClient other = bridge.connect();
  const Session second(bridge, other);
  BOOST_TEST(root_attribute(session.created.body, "inactivity") == "90");
  BOOST_TEST(root_attribute(second.created.body, "inactivity") == "30");
  BOOST_TEST(root_attribute(second.created.body, "wait") == "40");
  session.hold(client);
}

BOOST_AUTO_TEST_CASE(domains_and_servers_change_for_new_sessions) {
  const FakeServer newer;
  Bridge bridge("upstream.domains = [\"example.org\"]");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  const auto ask = [&](std::string_view domain) { return said(bridge.connect().ask(creation({}, domain))); };
  BOOST_TEST(ask("example.net") == "terminate host-unknown");
  bridge.reload("[upstream.domain.\"example.net\"]\nserver = \"" + newer.address() + "\"");
  BOOST_TEST(ask("example.org") == "terminate host-unknown");
  HttpClient other = bridge.connect();
  other.post(creation({}, "example.net"));
  Wire server = newer.accept();
  BOOST_TEST(has(read_stream_start(server), "to='example.net'"));
  session.hold(client);  // its domain is served no more, but it is
}

// While one connects its servers are those it began with; what they were read from is long gone.
BOOST_AUTO_TEST_CASE(who_is_connecting_goes_on_with_the_old_servers) {
  const FakeServer slow;
  const TemporaryDirectory directory;
  const std::string ca = directory.write("ca.pem", Authority().pem());
  const std::string settings = "[upstream.domain.\"slow.example\"]\nserver = [\"" + slow.address() +
                               "\", \"" + slow.address() + "\"]\ntls = \"required\"\nca = \"" + ca + "\"";
  Bridge bridge(settings);
  HttpClient client = bridge.connect();
  client.post(creation({}, "slow.example"));
  Wire first = slow.accept();
  read_stream_start(first);
  for (int i = 0; i < 3; ++i) bridge.reload("");
  first.close();  // so the next of them is tried
  Wire second = slow.accept();
  read_stream_start(second);
  second.send(stream_start() +
              "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
              "</stream:features>");
  second.read_until("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  second.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  BOOST_TEST(second.read(1) == "\x16");  // a handshake begins
}

BOOST_AUTO_TEST_CASE(CORS_the_log_and_WebSockets_change) {
  Bridge bridge("listen.websocket_path = \"/xmpp-websocket\"");
  WebSession session(bridge);
  bridge.reload(
      "log.level = \"debug\"\nlimits.max_request = \"16 KiB\"\n[cors]\norigins = "
      "[\"https://chat.example.org\"]");
  HttpClient client = bridge.connect();
  client.send("OPTIONS /http-bind HTTP/1.1\r\nHost: a\r\nOrigin: https://chat.example.org\r\n\r\n");
  BOOST_TEST(client.answer().header("Access-Control-Allow-Origin") == "https://chat.example.org");
  client.send("OPTIONS /http-bind HTTP/1.1\r\nHost: a\r\nOrigin: https://other.example\r\n\r\n");
  BOOST_TEST(client.answer().header("Access-Control-Allow-Origin") != "https://other.example");
  client.ask("<garbage");
  bridge.daemon.wait_for_log(" debug request-refused");
  session.client.say(message(1));
  BOOST_TEST(read_message(session.server) == message(1));
}

// --- Listeners ---

BOOST_AUTO_TEST_CASE(a_listener_that_stays_gives_its_new_settings_to_new_connections) {
  Bridge bridge;
  HttpClient old = bridge.connect();
  BOOST_TEST(status_of(old.wire) == 200U);
  bridge.reload("listen.bosh_path = \"/b\"");
  HttpClient fresh = bridge.connect();
  BOOST_TEST(status_of(fresh.wire, "/b") == 200U);
  BOOST_TEST(status_of(fresh.wire, "/http-bind") == 404U);
  BOOST_TEST(status_of(old.wire) == 200U);
  BOOST_TEST(bridge.daemon.log_lines("listening").size() == 1U);
}

BOOST_AUTO_TEST_CASE(listeners_come_and_go_and_their_connections_stay) {
  Bridge bridge;
  const TemporaryDirectory directory;
  const std::string path = directory.path("s");
  const std::uint16_t port = free_port();
  const std::string unix_listener = "\n[[listen]]\naddress = \"unix:" + path + "\"\n";
  BOOST_CHECK_THROW(status_at(port), Failure);
  bridge.reload(listener(port) + unix_listener);
  Wire tcp = Wire::connect(port);
  Wire local = Wire::connect(path);
  BOOST_TEST(status_of(tcp) == 200U);
  BOOST_TEST(status_of(local) == 200U);
  bridge.reload("");
  BOOST_TEST(status_of(tcp) == 200U);
  BOOST_TEST(status_of(local) == 200U);
  BOOST_CHECK_THROW(Wire::connect(path), Failure);
  bridge.reload(listener(port) + unix_listener);  // before the old one is quite closed
  BOOST_TEST(status_at(port) == 200U);
  Wire again = Wire::connect(path);
  BOOST_TEST(status_of(again) == 200U);
  bridge.reload("");
  BOOST_CHECK_THROW(status_at(port), Failure);  // refused when its last moment is over
}

std::size_t open_files(const Daemon& daemon) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(daemon.id()) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Reloads may follow each other faster than a listener is closed.
BOOST_AUTO_TEST_CASE(listeners_that_are_gone_are_closed) {
  Bridge bridge("threads = 2");
  bridge.settle();
  const std::size_t before = open_files(bridge.daemon);
  const FakeServer taken;  // so its port is nobody's at the addresses that only this test uses
  const std::string port = ':' + std::to_string(taken.port());
  std::size_t opened = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2500);
  for (; std::chrono::steady_clock::now() < end; ++opened) {
    const std::string address =
        "127.1." + std::to_string(opened / 256) + '.' + std::to_string(opened % 256) + port;
    bridge.reload("threads = 2\n[[listen]]\naddress = \"" + address + "\"\n");
  }
  BOOST_TEST(open_files(bridge.daemon) < before + 2 * opened);
  bridge.reload("threads = 2");
  const auto late = std::chrono::steady_clock::now() + patience;
  while (open_files(bridge.daemon) > before && std::chrono::steady_clock::now() < late)
    std::this_thread::yield();
  BOOST_TEST(open_files(bridge.daemon) == before);
}

// The other address is part of the first one, or the other way round.
BOOST_AUTO_TEST_CASE(an_address_gives_way_to_another_of_the_same_port) {
  const std::uint16_t port = free_port();
  Bridge bridge(listener(port));
  BOOST_TEST(status_at(port) == 200U);
  bridge.reload("\n[[listen]]\naddress = \"0.0.0.0:" + std::to_string(port) + "\"\n");
  BOOST_TEST(status_at(port) == 200U);
  bridge.reload(listener(port));
  BOOST_TEST(status_at(port) == 200U);
}

/// Connects and asks again and again, on threads of its own.
class Visitors {
 public:
  explicit Visitors(std::uint16_t port) {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this, port] { visit(port); });
  }
  ~Visitors() { stop(); }
  void stop() {
    ending_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  /// Returns when so many more have been there.
  void wait(unsigned count) const {
    const unsigned until = served + count;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (served < until && failed == 0U && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
  }

  std::atomic<unsigned> served = 0;
  std::atomic<unsigned> failed = 0;

 private:
  void visit(std::uint16_t port) {
    while (!ending_) {
      try {
        ++(status_at(port) == 200U ? served : failed);
      } catch (const Failure&) {
        ++failed;
      }
    }
  }

  std::atomic<bool> ending_ = false;
  std::vector<std::thread> threads_;
};

BOOST_AUTO_TEST_CASE(while_listeners_come_and_go_none_of_the_others_clients_is_turned_away) {
  const std::uint16_t port = free_port();
  Bridge bridge("threads = 2");
  Visitors visitors(bridge.daemon.port());
  for (int i = 0; i < 20; ++i) {
    bridge.reload("threads = 2" + (i % 2 == 0 ? listener(port) : std::string()));
    visitors.wait(20);
  }
  visitors.stop();
  BOOST_TEST(visitors.failed == 0U);
  BOOST_TEST(visitors.served >= 400U);
}

/// An end without a sound is a closed door or a lost connection.
enum class Visit { served, refused, reset };
Visit visit(std::uint16_t port) {
  Wire wire;
  try {
    wire = Wire::connect(port);
  } catch (const Failure&) {
    return Visit::refused;
  }
  try {
    return status_of(wire) == 200U ? Visit::served : Visit::reset;
  } catch (const Failure&) {
    return Visit::reset;
  }
}

// Whoever got through is served; only at the very end are new ones refused.
BOOST_AUTO_TEST_CASE(a_listener_that_goes_resets_no_connection) {
  for (int round = 0; round < 3; ++round) {
    const std::uint16_t port = free_port();
    Bridge bridge("threads = 2" + listener(port));
    std::atomic<unsigned> served = 0;
    std::atomic<unsigned> reset = 0;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (;;) {
          const Visit seen = visit(port);
          if (seen == Visit::refused) return;
          ++(seen == Visit::served ? served : reset);
        }
      });
    while (served < 100) std::this_thread::yield();
    bridge.reload("threads = 2");
    for (std::thread& thread : threads) thread.join();
    BOOST_TEST(reset == 0U);
    BOOST_TEST((visit(bridge.daemon.port()) == Visit::served));
  }
}

// --- What can't be taken ---

BOOST_AUTO_TEST_CASE(a_file_with_a_mistake_changes_nothing_and_says_why) {
  const std::uint16_t port = free_port();
  const FakeServer occupied;
  Bridge bridge("limits.sessions = 1");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  struct Case {
    std::string settings;
    std::vector<std::string> parts;
  };
  const Case cases[] = {
      {"limits.sessions = 5\nlimits.sesions = 6" + listener(port),
       {"boshd.toml:", "unknown key", "sessions"}},
      {"limits.sessions = 5\nlimits.max_depth = 1" + listener(port), {"limits.max_depth must be"}},
      {"limits.sessions = 5" + listener(port) + listener(occupied.port()),
       {"boshd.toml:", ": listen.address: can't listen on " + occupied.address() + ": Address already in use",
        "write another"}},
      {"limits.sessions = 5\nupstream.ca = \"/none.pem\"" + listener(port),
       {"boshd.toml:", ": upstream.ca: /none.pem: can't be read"}},
      {"limits.sessions = 5" + listener(port, "["), {"boshd.toml:"}},
  };
  for (const Case& c : cases) {
    const std::string line = bridge.daemon.fail_to_reload(bridge.whole(c.settings));
    for (const std::string& part : c.parts) BOOST_TEST(has(line, part), line);
    BOOST_CHECK_THROW(Wire::connect(port), Failure);
    BOOST_TEST(bridge.connect().ask(creation()).status == 503U);
  }
  session.server.send(message(1));
  BOOST_TEST(said(client.answer()) == message(1));
  bridge.reload("limits.sessions = 5" + listener(port));
  BOOST_TEST(status_at(port) == 200U);
}

BOOST_AUTO_TEST_CASE(keys_that_need_a_restart_are_named_and_keep_their_values) {
  Bridge bridge("node = \"n1\"");
  bridge.reload(
      "node = \"n2\"\nthreads = 2\nmetrics.address = \"127.0.0.1:1\"\ncontrol.socket = \"/nowhere/s\"\n"
      "upstream.nameservers = [\"127.0.0.1:53\"]");
  BOOST_TEST(has(bridge.daemon.wait_for_log(" reloaded"),
                 "keys-need-restart=node,threads,upstream.nameservers,metrics.address,control.socket"));
  HttpClient client = bridge.connect();
  const Session session(bridge, client);
  BOOST_TEST(session.sid.starts_with("n1-"));
  bridge.reload("node = \"n1\"");
  BOOST_TEST(!has(bridge.daemon.wait_for_log(" reloaded", 1), "keys-need-restart"));
}

// --- Under load ---

/// One that says a message and waits for its echo, over and over.
struct Chatter {
  std::uint64_t number = 0;
  std::uint64_t said = 0;
  std::string sid{};
  std::uint64_t rid = 1;
  std::unique_ptr<HttpClient> http{};
  std::unique_ptr<WebClient> web{};

  /// What it says next.
  std::string next_message() { return message(number * 1'000'000 + ++said); }
  /// What it said.
  std::string latest() const { return message(number * 1'000'000 + said); }
};

std::unique_ptr<WebClient> open_web(std::uint16_t port) {
  auto client = std::make_unique<WebClient>(port);
  client->say(web_open);
  client->hears();
  client->hears();
  return client;
}

struct Chat {
  explicit Chat(std::size_t count) {
    chatters.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      Chatter& one = chatters[i];
      one.number = i + 1;
      if (i % 2 == 0) {
        one.web = open_web(daemon.port());
        continue;
      }
      one.http = std::make_unique<HttpClient>(daemon);
      one.sid = root_attribute(one.http->ask(creation()).body, "sid");
    }
  }

  std::string settings(unsigned variant) const {
    return "threads = 2\nupstream.server = \"" + server.address() + "\"\n" + std::string(unlimited) +
           "limits.gzip_above = \"" + std::to_string(variant % 7) + " KiB\"\nsession.wait = \"" +
           std::to_string(40 + variant % 20) + "s\"\nproxy.trusted = []\n[cors]\norigins = [\"*\"]\n" +
           (variant % 3 == 0 ? "[[listen]]\naddress = \"127.0.0.1:0\"\n" : "");
  }

  /// Each says a message, and hears it again; over a new connection every few rounds.
  void round(unsigned number) {
    for (Chatter& one : chatters) {
      const std::string text = one.next_message();
      if (one.web) {
        one.web->say(text);
        continue;
      }
      if ((number + one.number) % 5 == 0) one.http = std::make_unique<HttpClient>(daemon);
      one.http->post(body_element("sid='" + one.sid + "'" + attribute("rid", ++one.rid), text));
    }
    for (Chatter& one : chatters) {
      const std::string text = one.latest();
      const std::string heard = one.web ? without_namespace(one.web->hears()) : hear(one);
      if (heard != text) throw Failure("heard " + excerpt(heard) + " instead of " + text);
      ++echoes;
    }
  }

  /// On a new connection it may be answered empty, and has to ask once more: so boshd learns what it has.
  static std::string hear(Chatter& one) {
    std::string heard = integration::said(one.http->answer());
    if (!heard.empty()) return heard;
    const std::string poll = body_element("sid='" + one.sid + "'" + attribute("rid", ++one.rid));
    return integration::said(one.http->ask(poll));
  }

  /// Returns when so many more have come back.
  void wait(std::uint64_t count) const {
    const std::uint64_t until = echoes + count;
    const auto end = std::chrono::steady_clock::now() + patience;
    while (echoes < until) {
      if (std::chrono::steady_clock::now() > end) throw Failure("the chat stands still");
      std::this_thread::yield();
    }
  }

  EchoServer server;
  Daemon daemon{settings(0)};
  std::vector<Chatter> chatters;
  std::atomic<std::uint64_t> echoes = 0;
};

BOOST_AUTO_TEST_CASE(two_hundred_reloads_lose_no_message_and_leave_nothing_behind) {
  Chat chat(50);
  std::atomic<bool> ending = false;
  std::string failure;
  std::thread chatting([&] {
    try {
      for (unsigned round = 0; !ending; ++round) chat.round(round);
    } catch (const Failure& what) {
      failure = what.what();
    }
  });
  const auto reload = [&](unsigned from, unsigned to) {
    for (unsigned i = from; i < to; ++i) {
      chat.daemon.reload(chat.settings(i));
      chat.wait(10);
    }
  };
  std::size_t before = 0;
  try {
    reload(0, 60);
    before = chat.daemon.resident();
    reload(60, 260);
  } catch (const Failure& what) {
    BOOST_ERROR(what.what());
  }
  BOOST_TEST(chat.daemon.has_grown_less(before, std::size_t{2} * 1024 * 1024),
             before << " bytes became " << chat.daemon.resident());
  ending = true;
  chatting.join();
  BOOST_TEST(failure == "");
  BOOST_TEST(chat.daemon.log_lines("session-end").empty());
  BOOST_TEST(chat.server.malformed() == 0U);
  BOOST_TEST_MESSAGE(chat.echoes << " echoes; " << before << " bytes, then " << chat.daemon.resident());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(draining)

BOOST_AUTO_TEST_CASE(a_stop_lets_sessions_go_on_and_takes_no_new_ones) {
  Bridge bridge("stop.drain = \"1h\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  WebSession web(bridge);
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(has(bridge.daemon.wait_for_log("stopping"), "signal=SIGTERM sessions=2 within_seconds=3600"));
  HttpClient newcomer = bridge.connect();
  const Response refused = newcomer.ask(creation());
  BOOST_TEST(refused.status == 503U);
  BOOST_TEST(refused.header("Retry-After") != "");
  check_headers(refused);
  HttpClient handshake = bridge.connect();
  handshake.send(WebClient::request());
  const Response no_socket = handshake.answer();
  BOOST_TEST(no_socket.status == 503U);
  BOOST_TEST(no_socket.header("Retry-After") != "");
  // What is there goes on, also over a new connection.
  HttpClient other = bridge.connect();
  session.hold(other);
  session.server.send(message(1));
  BOOST_TEST(said(other.answer()) == message(1));
  web.client.say(message(2));
  BOOST_TEST(read_message(web.server) == message(2));
  // The end comes with the last session.
  other.ask(session.next({}, "type='terminate'"));
  web.client.say(web_close);
  BOOST_TEST(web.server.read_until(">") == stream_end);
  web.server.send(stream_end);
  BOOST_TEST(web.client.hears() == std::string(web_close));
  web.client.send(client_frame(0x88, close_payload(1000)));
  session.server.close();
  web.server.close();
  for (HttpClient* one : {&client, &newcomer, &handshake, &other}) one->wire.close();
  BOOST_TEST(bridge.daemon.exit_status() == 0);
  BOOST_TEST(bridge.daemon.log_lines("reason=shutdown").empty());
}

BOOST_AUTO_TEST_CASE(a_stop_without_sessions_takes_no_time) {
  Bridge bridge("stop.drain = \"1h\"");
  HttpClient idle = bridge.connect();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(idle.wire.read_to_end() == "");
  BOOST_TEST(bridge.daemon.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(at_the_deadline_held_requests_are_answered_and_sessions_end) {
  Bridge bridge("stop.drain = \"1s\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.hold(client);
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(said(client.answer()) == "terminate system-shutdown");
  BOOST_TEST(session.server.read_until(">") == stream_end);
  session.server.close();
  BOOST_TEST(bridge.daemon.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_it_at_once) {
  for (const int second : {SIGTERM, SIGINT, SIGQUIT}) {
    Bridge bridge("stop.drain = \"1h\"");
    HttpClient client = bridge.connect();
    Session session(bridge, client);
    session.hold(client);
    bridge.daemon.signal(SIGTERM);
    bridge.daemon.wait_for_log("stopping");
    bridge.daemon.signal(second);
    BOOST_TEST(said(client.answer()) == "terminate system-shutdown");
    session.server.close();
    client.wire.close();
    BOOST_TEST(bridge.daemon.exit_status() == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_reload_while_it_stops_is_still_one) {
  Bridge bridge("stop.drain = \"1h\"");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  bridge.daemon.signal(SIGTERM);
  bridge.daemon.wait_for_log("stopping");
  bridge.reload("stop.drain = \"1h\"\nlimits.sessions = 7");
  BOOST_TEST(bridge.connect().ask(creation()).status == 503U);
  client.ask(session.next({}, "type='terminate'"));
  session.server.close();
  client.wire.close();
  BOOST_TEST(bridge.daemon.exit_status() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
