// What boshd tells of its work: the line at a session's end, metrics, health, status.
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "tests/integration/name_server.hpp"
#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

using nlohmann::json;

constexpr std::string_view bound =
    "<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<jid>romeo@example.org/balcony</jid></bind></iq>";

/// The value of a field in a line of the log.
std::string field(const std::string& line, const std::string& name) {
  const auto at = line.find(" " + name + "=");
  BOOST_REQUIRE_MESSAGE(at != line.npos, "no " << name << " in " << line);
  const auto begin = at + name.size() + 2;
  return line.substr(begin, line.find(' ', begin) - begin);
}

constexpr std::string_view anywhere = "metrics.address = \"127.0.0.1:0\"\n";

HttpClient visitor_of(const Daemon& daemon) {
  const std::string line = daemon.wait_for_log("metrics-listening address=127.0.0.1:");
  return HttpClient(Wire::connect(static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)))));
}

Response get(HttpClient& visitor, std::string_view path, std::string_view headers = {},
             std::string_view method = "GET") {
  visitor.send(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" +
               std::string(headers) + "\r\n");
  return visitor.answer(method == "HEAD");
}

/// Whoever looks at a daemon's metrics.
class Observer {
 public:
  explicit Observer(const Daemon& daemon) : visitor_(visitor_of(daemon)) {}

  std::string scrape() { return get(visitor_, "/metrics").body; }
  static double value(const std::string& text, const std::string& name) {
    const auto at = text.find("\n" + name + " ");
    if (at == text.npos) throw Failure("no " + name);
    return std::stod(text.substr(at + name.size() + 2, 32));
  }
  double metric(const std::string& name) { return value(scrape(), name); }
  /// Looks again until it is so; what a daemon has done is counted a moment later.
  void expect(const std::string& name, double wanted) {
    const auto until = std::chrono::steady_clock::now() + patience;
    double seen = metric(name);
    while (seen != wanted && std::chrono::steady_clock::now() < until) seen = metric(name);
    BOOST_TEST(seen == wanted, name << " is " << seen << ", not " << wanted);
  }
  json status() { return json::parse(get(visitor_, "/status.json").body); }
  unsigned ready() { return get(visitor_, "/readyz").status; }
  void expect_ready(unsigned wanted) {
    const auto until = std::chrono::steady_clock::now() + patience;
    unsigned seen = ready();
    while (seen != wanted && std::chrono::steady_clock::now() < until) seen = ready();
    BOOST_TEST(seen == wanted);
  }

 private:
  HttpClient visitor_;
};

/// A bridge with its observer.
struct Seen {
  explicit Seen(std::string_view settings = {})
      : bridge(std::string(anywhere) + std::string(settings)), observer(bridge.daemon) {}
  Bridge bridge;
  Observer observer;
};

/// Stops a thread of another process, as long as it lives.
class Stopped {
 public:
  explicit Stopped(pid_t process) : thread_(find(process)) {
    if (::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) != 0) throw Failure("ptrace");
    ::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr);
    ::waitpid(thread_, nullptr, __WALL);
  }
  ~Stopped() { ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }
  Stopped(const Stopped&) = delete;

 private:
  static pid_t find(pid_t process) {
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
      std::string name;
      std::getline(std::ifstream(task.path() / "comm"), name);
      if (name == "shard 0") return std::stoi(task.path().filename());
    }
    throw Failure("no thread shard 0");
  }
  pid_t thread_;
};

std::string creation(std::string_view to = "example.org") {
  return body_element("rid='1' to='" + std::string(to) + "' wait='60' hold='1' ver='1.6' xmpp:version='1.0'");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(figures)

BOOST_AUTO_TEST_CASE(a_session_s_last_line_tells_what_it_has_done) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  session.server.send(bound);
  BOOST_TEST(!client.ask(session.next()).body.empty());
  const std::string again = session.next(message(1) + message(2));
  client.post(again);
  read_message(session.server);
  read_message(session.server);
  session.server.send(message(3));
  BOOST_TEST(said(client.answer()) == message(3));
  BOOST_TEST(said(client.ask(again)) == message(3));
  const std::string last = session.next({}, "type='terminate'");
  BOOST_TEST(said(client.ask(last)) == "terminate");
  const std::string line = bridge.daemon.wait_for_log("session-end");
  BOOST_TEST(has(line, "session-end reason=client-terminated sid=" + session.sid.substr(0, 6) + "… domain="));
  BOOST_TEST(field(line, "transport") == "bosh");
  BOOST_TEST(field(line, "jid") == "romeo@example.org/balcony");
  BOOST_TEST(field(line, "requests") == "5");
  BOOST_TEST(field(line, "replays") == "1");
  BOOST_TEST(field(line, "stanzas_in") == "2");
  BOOST_TEST(field(line, "stanzas_out") == "3");  // features, the bound resource, a message
  BOOST_TEST(std::stoul(field(line, "bytes_in")) > 2 * again.size() + last.size());
  BOOST_TEST(std::stoul(field(line, "bytes_out")) > session.created.body.size());
  BOOST_TEST(std::stoul(field(line, "max_delay_ms")) < 1000U);
}

BOOST_AUTO_TEST_CASE(a_websocket_s_last_line_counts_messages) {
  Bridge bridge;
  {
    WebSession session(bridge);
    session.server.send(bound);
    session.client.hears();
    session.client.say(without_namespace(message(1)));
    session.server.read_until("</message>");
    session.server.send(message(2));
    session.client.hears();
  }
  const std::string line = bridge.daemon.wait_for_log("session-end");
  BOOST_TEST(field(line, "transport") == "websocket");
  BOOST_TEST(field(line, "jid") == "romeo@example.org/balcony");
  BOOST_TEST(field(line, "requests") == "2");  // <open/> and the message
  BOOST_TEST(field(line, "stanzas_in") == "1");
  BOOST_TEST(field(line, "stanzas_out") == "3");
}

BOOST_AUTO_TEST_CASE(without_a_login_there_is_no_name) {
  Bridge bridge;
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.ask(session.next({}, "type='terminate'"));
  BOOST_TEST(field(bridge.daemon.wait_for_log("session-end"), "jid") == "\"\"");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(counting)

BOOST_AUTO_TEST_CASE(sessions_by_transport_from_their_beginning_to_their_end) {
  Seen seen;
  HttpClient client = seen.bridge.connect();
  Session session(seen.bridge, client);
  seen.observer.expect("boshd_sessions{transport=\"bosh\"}", 1);
  {
    WebSession web(seen.bridge);
    seen.observer.expect("boshd_sessions{transport=\"websocket\"}", 1);
    seen.observer.expect("boshd_sessions_created_total{transport=\"websocket\"}", 1);
    web.client.wire.close();
    seen.observer.expect("boshd_sessions{transport=\"websocket\"}", 0);
  }
  seen.observer.expect("boshd_sessions_ended_total{transport=\"websocket\",reason=\"client-lost\"}", 1);
  client.ask(session.next({}, "type='terminate'"));
  seen.observer.expect("boshd_sessions{transport=\"bosh\"}", 0);
  seen.observer.expect("boshd_sessions_created_total{transport=\"bosh\"}", 1);
  seen.observer.expect("boshd_sessions_ended_total{transport=\"bosh\",reason=\"client-terminated\"}", 1);
}

BOOST_AUTO_TEST_CASE(held_requests_and_those_that_are_cut) {
  Seen seen;
  HttpClient client = seen.bridge.connect();
  client.post(creation());
  Wire server = seen.bridge.server.accept();
  seen.observer.expect("boshd_held_requests", 1);  // for the features
  server.send(stream_start() + std::string(features));
  const std::string sid = root_attribute(client.answer().body, "sid");
  seen.observer.expect("boshd_held_requests", 0);
  client.post(body_element("rid='2' sid='" + sid + "'"));
  seen.observer.expect("boshd_held_requests", 1);
  BOOST_TEST(seen.observer.metric("boshd_polls_cut_total") == 0);
  client.wire.close();
  seen.observer.expect("boshd_polls_cut_total", 1);
  seen.observer.expect("boshd_held_requests", 0);
}

BOOST_AUTO_TEST_CASE(connections_of_both_sides) {
  Seen seen;
  seen.bridge.settle();
  const double before = seen.observer.metric("boshd_http_connections");
  HttpClient client = seen.bridge.connect();
  seen.observer.expect("boshd_http_connections", before + 1);
  client.post(creation());
  seen.observer.expect("boshd_upstream_connections{state=\"connecting\"}", 1);
  Wire server = seen.bridge.server.accept();
  server.send(stream_start() + std::string(features));
  client.answer();
  seen.observer.expect("boshd_upstream_connections{state=\"open\"}", 1);
  seen.observer.expect("boshd_upstream_connections{state=\"connecting\"}", 0);
  seen.observer.expect("boshd_upstream_connect_seconds_count{result=\"ok\"}", 1);
  server.send(stream_end);
  server.close();
  seen.observer.expect("boshd_upstream_connections{state=\"open\"}", 0);
  client.wire.close();
  seen.observer.expect("boshd_http_connections", before);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_not_there) {
  Seen seen;
  seen.bridge.server.stop();
  HttpClient client = seen.bridge.connect();
  client.ask(creation());
  seen.observer.expect("boshd_upstream_connect_seconds_count{result=\"failed\"}", 1);
  seen.observer.expect("boshd_upstream_connect_seconds_count{result=\"ok\"}", 0);
  seen.observer.expect("boshd_upstream_connections{state=\"connecting\"}", 0);
  seen.observer.expect("boshd_sessions_ended_total{transport=\"bosh\",reason=\"server-unreachable\"}", 1);
}

BOOST_AUTO_TEST_CASE(what_is_made_of_requests) {
  Seen seen("limits.sessions = 1");
  HttpClient client = seen.bridge.connect();
  Session session(seen.bridge, client);
  const std::string request = session.next(message(1));
  client.post(request);
  read_message(session.server);
  session.server.send(message(2));
  client.answer();
  client.ask(request);
  client.ask(body_element("rid='7' sid='unknown'"));
  client.ask("<body>");
  client.ask(creation());
  seen.observer.expect("boshd_requests_total{outcome=\"ok\"}", 2);
  seen.observer.expect("boshd_requests_total{outcome=\"replayed\"}", 1);
  seen.observer.expect("boshd_requests_total{outcome=\"item-not-found\"}", 1);
  seen.observer.expect("boshd_requests_total{outcome=\"bad-request\"}", 1);
  seen.observer.expect("boshd_requests_total{outcome=\"refused\"}", 1);
  seen.observer.expect("boshd_sessions_refused_total{reason=\"sessions\"}", 1);
}

BOOST_AUTO_TEST_CASE(sessions_that_did_not_begin_by_reason) {
  Seen seen(
      "upstream.domains = [\"example.org\"]\ncors.origins = [\"https://good.example\"]\n"
      "limits.sessions_per_address = 1");
  HttpClient client = seen.bridge.connect();
  client.ask(creation("elsewhere.example"));
  seen.observer.expect("boshd_sessions_refused_total{reason=\"host-unknown\"}", 1);
  client.ask(creation(), "Origin: https://evil.example\r\n");
  seen.observer.expect("boshd_sessions_refused_total{reason=\"origin-refused\"}", 1);
  Session session(seen.bridge, client);
  client.ask(creation());
  seen.observer.expect("boshd_sessions_refused_total{reason=\"address-sessions\"}", 1);
}

BOOST_AUTO_TEST_CASE(stanzas_and_bytes_by_direction) {
  Seen seen;
  HttpClient client = seen.bridge.connect();
  Session session(seen.bridge, client);
  seen.bridge.settle();  // an answer may be read before it is counted
  const std::string before = seen.observer.scrape();
  const std::string two = messages(1, 2);
  const std::string request = session.next(two);
  client.post(request);
  read_message(session.server);
  read_message(session.server);
  const std::string answer = messages(3, 5);
  session.server.send(answer);
  client.answer();
  seen.bridge.settle();
  const auto grown = [&, after = seen.observer.scrape()](const std::string& name) {
    return Observer::value(after, name) - Observer::value(before, name);
  };
  BOOST_TEST(grown("boshd_stanzas_total{direction=\"in\"}") == 2);
  BOOST_TEST(grown("boshd_stanzas_total{direction=\"out\"}") == 3);
  BOOST_TEST(grown("boshd_bytes_total{direction=\"out\",side=\"server\"}") == answer.size());
  BOOST_TEST(grown("boshd_bytes_total{direction=\"in\",side=\"server\"}") >= two.size());
  BOOST_TEST(grown("boshd_bytes_total{direction=\"in\",side=\"client\"}") > request.size());
  BOOST_TEST(grown("boshd_bytes_total{direction=\"out\",side=\"client\"}") > answer.size());
}

BOOST_AUTO_TEST_CASE(delays_of_what_could_leave) {
  Seen seen;
  HttpClient client = seen.bridge.connect();
  Session session(seen.bridge, client);
  seen.bridge.settle();
  const double before = seen.observer.metric("boshd_stanza_delay_seconds_count");
  session.hold(client);
  session.server.send(message(1));
  client.answer();
  seen.observer.expect("boshd_stanza_delay_seconds_count", before + 1);
  WebSession web(seen.bridge);
  seen.bridge.settle();
  const double with_features = seen.observer.metric("boshd_stanza_delay_seconds_count");
  web.server.send(message(2));
  web.client.hears();
  seen.observer.expect("boshd_stanza_delay_seconds_count", with_features + 1);
  BOOST_TEST(seen.observer.metric("boshd_stanza_delay_seconds_sum") < 5);
  BOOST_TEST(seen.observer.metric("boshd_stanza_delay_seconds_sum") > 0);
}

BOOST_AUTO_TEST_CASE(buffers_of_each_kind_grow_and_are_given_up) {
  Seen seen;
  HttpClient client = seen.bridge.connect();
  Session session(seen.bridge, client);
  seen.bridge.settle();
  BOOST_TEST(seen.observer.metric("boshd_buffer_bytes{kind=\"cache\"}") > 100);
  session.server.send(message(1));  // nobody asks for it
  seen.observer.expect("boshd_buffer_bytes{kind=\"client\"}", static_cast<double>(message(1).size() + 22));
  WebClient web(seen.bridge.daemon);
  web.say(web_open);
  Wire server = seen.bridge.server.accept();
  const std::string early = without_namespace(message(2));
  web.say(early);  // before the server has opened the stream
  seen.observer.expect("boshd_buffer_bytes{kind=\"server\"}", static_cast<double>(early.size()));
  web.wire.close();
  seen.observer.expect("boshd_buffer_bytes{kind=\"server\"}", 0);
  client.ask(session.next({}, "type='terminate'"));
  seen.observer.expect("boshd_buffer_bytes{kind=\"client\"}", 0);
  seen.observer.expect("boshd_buffer_bytes{kind=\"cache\"}", 0);
}

BOOST_AUTO_TEST_CASE(passwords_that_a_server_refuses) {
  Seen seen;
  HttpClient client = seen.bridge.connect();
  Session session(seen.bridge, client);
  session.server.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
  client.ask(session.next());
  seen.observer.expect("boshd_login_failures_total", 1);
}

BOOST_AUTO_TEST_CASE(questions_to_name_servers) {
  NameServer names;
  FakeServer server;
  const Daemon daemon(std::string(anywhere) +
                      "threads = 1\nupstream.server = \"dns\"\nupstream.any = true\n" +
                      "upstream.nameservers = [\"" + names.address() + "\"]\nupstream.tls = \"never\"\n" +
                      "upstream.allow_networks = [\"127.0.0.0/8\"]");
  names.services("_xmpp-client._tcp.example.org", {{"xmpp.example.org", server.port()}});
  names.hosts("xmpp.example.org", {"127.0.0.1"});
  names.mood(NameServer::Mood::fails, "_xmpp-client._tcp.example.com");
  Observer observer(daemon);
  HttpClient client(daemon);
  client.post(creation());
  const Wire connection = server.accept();
  observer.expect("boshd_dns_seconds_count{result=\"ok\"}", 2);
  HttpClient other(daemon);
  other.post(creation("example.com"));
  other.answer();
  observer.expect("boshd_dns_seconds_count{result=\"failed\"}", 1);
}

BOOST_AUTO_TEST_CASE(reloads) {
  Seen seen;
  BOOST_TEST(seen.observer.metric("boshd_config_reloads_total{result=\"ok\"}") == 0);
  BOOST_TEST(seen.observer.metric("boshd_config_last_reload_success") == 1);
  BOOST_TEST(seen.observer.metric("boshd_config_last_reload_timestamp_seconds") > 1e9);
  seen.bridge.reload(anywhere);
  seen.observer.expect("boshd_config_reloads_total{result=\"ok\"}", 1);
  seen.bridge.daemon.fail_to_reload("nonsense = 1");
  seen.observer.expect("boshd_config_reloads_total{result=\"failed\"}", 1);
  seen.observer.expect("boshd_config_last_reload_success", 0);
  BOOST_TEST(has(seen.observer.status()["config"]["reload_error"].get<std::string>(), "nonsense"));
}

BOOST_AUTO_TEST_CASE(counters_never_go_back_while_others_work) {
  EchoServer server;
  const Daemon daemon(std::string(anywhere) + "upstream.server = \"" + server.address() + "\"\n" +
                      std::string(unlimited));
  Observer observer(daemon);
  std::atomic<bool> over = false;
  double most = 0;
  std::thread watcher([&] {
    while (!over) {
      const double now = observer.metric("boshd_stanzas_total{direction=\"in\"}");
      if (now < most) over = true;
      most = std::max(most, now);
    }
  });
  constexpr unsigned turns = 300;
  for (unsigned i = 0; i < turns && !over; ++i) {
    WebClient client(daemon);
    client.say(web_open);
    client.hears();
    client.hears();
    client.say(without_namespace(message(i)));
    client.hears();
  }
  BOOST_TEST(!over, "a counter went back");
  over = true;
  watcher.join();
  observer.expect("boshd_stanzas_total{direction=\"in\"}", turns);
  observer.expect("boshd_sessions_created_total{transport=\"websocket\"}", turns);
  observer.expect("boshd_sessions{transport=\"websocket\"}", 0);
}

BOOST_AUTO_TEST_CASE(Prometheus_own_check_has_no_complaint) {
  Seen seen;
  HttpClient client = seen.bridge.connect();
  const Session session(seen.bridge, client);
  const TemporaryDirectory directory;
  const std::string file = directory.write("metrics", seen.observer.scrape());
  const bool there = std::system("command -v promtool >/dev/null 2>&1") == 0;
  BOOST_REQUIRE_MESSAGE(there || !std::getenv("CI"),
                        "promtool is missing; it is in Debian's package prometheus");
  if (!there) return;
  const std::string said = directory.path("said");
  const int status = std::system(("promtool check metrics <" + file + " >" + said + " 2>&1").c_str());
  std::string complaint;
  std::getline(std::ifstream(said), complaint, '\0');
  BOOST_TEST(status == 0, complaint);
  BOOST_TEST(complaint == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(watching)

BOOST_AUTO_TEST_CASE(each_path_has_its_type) {
  Seen seen;
  HttpClient visitor = visitor_of(seen.bridge.daemon);  // one connection for all
  const Response metrics = get(visitor, "/metrics");
  BOOST_TEST(metrics.status == 200U);
  BOOST_TEST(metrics.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  BOOST_TEST(metrics.header("Cache-Control") == "no-store");
  BOOST_TEST(metrics.header("Access-Control-Allow-Origin") == "");
  const Response open = get(visitor, "/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
  BOOST_TEST(open.header("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8");
  BOOST_TEST(open.body.ends_with("# EOF\n"));
  BOOST_TEST(get(visitor, "/healthz").body == "ok\n");
  BOOST_TEST(get(visitor, "/readyz").body == "ready\n");
  const Response page = get(visitor, "/status");
  BOOST_TEST(page.header("Content-Type") == "text/html; charset=utf-8");
  BOOST_TEST(has(page.header("Content-Security-Policy"), "default-src 'none'"));
  BOOST_TEST(has(page.body, "<html"));
  BOOST_TEST(get(visitor, "/status.json?x=1").header("Content-Type") == "application/json");
  BOOST_TEST(get(visitor, "/").header("Location") == "/status");
  const Response none = get(visitor, "/nothing");
  BOOST_TEST(none.status == 404U);
  for (const char* path : {"/metrics", "/healthz", "/readyz", "/status", "/status.json"})
    BOOST_TEST(has(none.body, path));
}

BOOST_AUTO_TEST_CASE(only_reading_is_served) {
  Seen seen;
  HttpClient visitor = visitor_of(seen.bridge.daemon);
  const Response head = get(visitor, "/metrics", {}, "HEAD");
  BOOST_TEST(head.status == 200U);
  BOOST_TEST(std::stoul(head.header("Content-Length")) > 1000U);
  const Response post = get(visitor, "/metrics", "Content-Length: 0\r\n", "POST");
  BOOST_TEST(post.status == 405U);
  BOOST_TEST(post.header("Allow") == "GET, HEAD");
  visitor.send(std::string("POST /metrics HTTP/1.1\r\nHost: a\r\n") + "Content-Length: 100000\r\n\r\n" +
               std::string(20000, 'x'));
  BOOST_TEST(visitor.answer().status == 413U);
  BOOST_TEST(visitor.wire.read_to_end() == "");
  HttpClient other = visitor_of(seen.bridge.daemon);
  other.send("nonsense\r\n\r\n");
  BOOST_TEST(other.answer().status == 400U);
  BOOST_TEST(other.wire.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(requests_may_come_in_pieces_and_several_at_once) {
  Seen seen;
  HttpClient visitor = visitor_of(seen.bridge.daemon);
  for (const char c : std::string("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")) visitor.send({&c, 1});
  BOOST_TEST(visitor.answer().body == "ok\n");
  visitor.send(
      "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  BOOST_TEST(visitor.answer().body == "ok\n");
  BOOST_TEST(visitor.answer().body == "ready\n");
  BOOST_TEST(visitor.wire.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(who_sends_no_request_is_cut_off) {
  Seen seen;
  HttpClient visitor = visitor_of(seen.bridge.daemon);
  visitor.send("GET /healthz HTTP/1.1\r\n");
  BOOST_TEST(visitor.wire.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(whoever_comes_when_there_are_many_is_served_all_the_same) {
  Seen seen;
  std::vector<HttpClient> visitors;
  for (int i = 0; i < 100; ++i) {
    visitors.push_back(visitor_of(seen.bridge.daemon));
    BOOST_TEST(get(visitors.back(), "/healthz").status == 200U);
  }
  BOOST_TEST(visitors.front().wire.read_to_end() == "");  // it was silent for the longest
  const auto open = std::ranges::count_if(visitors, [](const HttpClient& v) { return !v.wire.readable(); });
  BOOST_TEST(open == 64);
}

BOOST_AUTO_TEST_CASE(not_ready_while_full) {
  Seen seen("limits.sessions = 1");
  seen.observer.expect_ready(200);
  HttpClient client = seen.bridge.connect();
  Session session(seen.bridge, client);
  seen.observer.expect_ready(404);
  BOOST_TEST(seen.observer.status()["state"] == "full");
  client.ask(session.next({}, "type='terminate'"));
  seen.observer.expect_ready(200);
}

BOOST_AUTO_TEST_CASE(not_ready_while_draining) {
  Seen seen("stop.drain = \"60s\"");
  HttpClient client = seen.bridge.connect();
  Session session(seen.bridge, client);
  seen.bridge.daemon.signal(SIGTERM);
  seen.observer.expect("boshd_draining", 1);
  seen.observer.expect_ready(404);
  BOOST_TEST(seen.observer.status()["state"] == "draining");
  HttpClient late = seen.bridge.connect();
  BOOST_TEST(late.ask(creation()).status == 503U);
  seen.observer.expect("boshd_sessions_refused_total{reason=\"draining\"}", 1);
  client.ask(session.next({}, "type='terminate'"));
}

BOOST_AUTO_TEST_CASE(a_thread_that_does_not_answer_is_told_and_holds_nobody_up) {
  Seen seen;
  seen.observer.expect_ready(200);  // by now its threads have their names
  {
    const Stopped stopped(seen.bridge.daemon.id());
    seen.observer.expect_ready(503);
    BOOST_TEST(seen.observer.status()["state"] == "stuck");
    BOOST_TEST(seen.observer.metric("boshd_eventloop_lag_seconds{thread=\"0\"}") > 4);
  }
  seen.bridge.settle();
  seen.observer.expect_ready(200);
}

BOOST_AUTO_TEST_CASE(the_status_names_domains_and_addresses) {
  Seen seen("upstream.any = true");
  HttpClient client = seen.bridge.connect();
  const Session session(seen.bridge, client);
  HttpClient other = seen.bridge.connect();
  const Session second(seen.bridge, other,
                       "to='EXAMPLE.ORG' wait='60' hold='1' ver='1.6' xmpp:version='1.0'");
  const WebSession web(seen.bridge);
  const json status = seen.observer.status();
  BOOST_TEST(status["domains"] == json({{{"name", "example.org"}, {"sessions", 3}}}));
  BOOST_TEST(status["addresses"] == json({{{"address", "127.0.0.1"}, {"sessions", 3}}}));
  BOOST_TEST(status["sessions"]["bosh"] == 2);
  BOOST_TEST(status["sessions"]["websocket"] == 1);
  BOOST_TEST(status["upstream_connections"]["open"] == 3);
  BOOST_TEST(!status["delay_seconds"].is_null());
  BOOST_TEST(status["threads"].size() == 1U);
  BOOST_TEST(status["process"]["open_files"].get<int>() > 5);
  BOOST_TEST(status["config"]["reload_ok"] == true);
  BOOST_TEST(has(status["config"]["file"].get<std::string>(), "boshd.toml"));
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_ends_boshd_with_a_sentence) {
  const FakeServer taken;
  const TemporaryDirectory directory;
  const std::string file = directory.write(
      "boshd.toml", "metrics.address = \"" + taken.address() + "\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n");
  const Outcome outcome = run_boshd({"--config", file});
  BOOST_TEST(outcome.status == 1);
  BOOST_TEST(has(outcome.err, "boshd.toml:1: metrics.address: can't listen on " + taken.address()),
             outcome.err);
  BOOST_TEST(has(outcome.err, "write another address"), outcome.err);
}

BOOST_AUTO_TEST_CASE(a_Unix_socket_serves_too_and_is_cleaned_up) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("metrics");
  {
    const Bridge bridge("metrics.address = \"unix:" + path + "\"");
    bridge.daemon.wait_for_log("metrics-listening address=unix:");
    HttpClient visitor(Wire::connect(path));
    BOOST_TEST(get(visitor, "/healthz").body == "ok\n");
  }
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
