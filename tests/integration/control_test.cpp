// The control socket and boshctl: what an operator is shown, what he can do, and that nobody waits for him.
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view plain_login =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHNlY3JldA==</auth>";
constexpr std::string_view logged_in = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";

/// A bridge with a control socket.
struct Controlled {
  explicit Controlled(std::string_view settings = {})
      : bridge("control.socket = \"" + socket() + "\"\n" + std::string(settings)) {}

  std::string socket() const { return directory.path("control"); }
  Wire connect() const { return Wire::connect(socket()); }
  /// The whole answer.
  std::string ask(std::string_view command) const {
    Wire wire = connect();
    wire.send(std::string(command) + "\n");
    return wire.read_to_end();
  }
  Outcome boshctl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-s", socket()});
    return run(arguments);
  }
  static Outcome run(const std::vector<std::string>& arguments) {
    Process process(BOSHCTL_PROGRAM, arguments);
    const int status = process.exit_status();
    return {status, process.out.text(), process.err.text()};
  }

  TemporaryDirectory directory;
  Bridge bridge;
};

/// What boshctl writes while it runs.
class Follower {
 public:
  Follower(const Controlled& controlled, std::vector<std::string> arguments)
      : Follower(controlled.socket(), std::move(arguments)) {}
  Follower(const std::string& socket, std::vector<std::string> arguments)
      : process_(BOSHCTL_PROGRAM, with(socket, std::move(arguments))) {
    process_.out.wait_for_line("\"following\"");
  }
  std::string hears(std::string_view part) const { return process_.out.wait_for_line(part); }
  std::string all() const { return process_.out.text(); }

 private:
  static std::vector<std::string> with(const std::string& socket, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-j", "-s", socket, "trace"});
    return arguments;
  }
  Process process_;
};

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string shown(const std::string& sid) {
  return sid.substr(0, 6);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(control_socket)

BOOST_AUTO_TEST_CASE(only_the_owner_and_his_group_may_use_it) {
  std::string path;
  {
    const Controlled controlled;
    path = controlled.socket();
    struct stat status {};
    BOOST_TEST(::stat(path.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 07777) == 0660U);
    BOOST_TEST(S_ISSOCK(status.st_mode));
  }
  BOOST_TEST(!std::filesystem::exists(path));
}

BOOST_AUTO_TEST_CASE(a_file_that_a_dead_boshd_left_is_replaced) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("control");
  { const FakeServer dead(path); }
  BOOST_TEST_REQUIRE(std::filesystem::exists(path));
  const Bridge bridge("control.socket = \"" + path + "\"\n");
  Wire wire = Wire::connect(path);
  wire.send("show info\n");
  BOOST_TEST(has(wire.read_to_end(), "{\"ok\":true}"));
}

BOOST_AUTO_TEST_CASE(a_socket_that_can_not_be_had_is_told_at_the_start) {
  const TemporaryDirectory directory;
  const FakeServer other(directory.path("taken"));
  const std::pair<std::string, const char*> cases[] = {
      {directory.path("taken"), "another boshd listens there"},
      {directory.path("missing/control"), "the directory must exist"},
  };
  for (const auto& [path, why] : cases) {
    const Outcome outcome = run_boshd(
        {"--config", directory.write("boshd.toml", "metrics.address = \"\"\ncontrol.socket = \"" + path +
                                                       "\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n")});
    BOOST_TEST(outcome.status == 1);
    BOOST_TEST(has(outcome.err, why), outcome.err);
    BOOST_TEST(has(outcome.err, "[control] socket"), outcome.err);
  }
}

BOOST_AUTO_TEST_CASE(systemd_says_where_it_is) {
  const TemporaryDirectory directory;
  ::setenv("RUNTIME_DIRECTORY", directory.path("").c_str(), 1);
  const Bridge bridge("control.socket = \"auto\"\n");
  ::unsetenv("RUNTIME_DIRECTORY");
  Wire wire = Wire::connect(directory.path("control.sock"));
  wire.send("show info\n");
  BOOST_TEST(has(wire.read_to_end(), "{\"ok\":true}"));
}

BOOST_AUTO_TEST_CASE(what_is_no_command_gets_the_nearest) {
  const Controlled controlled;
  BOOST_TEST(has(controlled.ask("show sesions"), "did you mean `show sessions`?"));
  BOOST_TEST(has(controlled.ask("klil 1"), "did you mean `kill`?"));
  BOOST_TEST(has(controlled.ask("xyzzy123"), "there are show info, "));
  BOOST_TEST(has(controlled.ask(""), "unknown command"));
  BOOST_TEST(has(controlled.ask("kill"), "`kill ID`"));
  BOOST_TEST(has(controlled.ask("show info now"), "`show info`"));
  BOOST_TEST(has(controlled.ask("log level loud"), "no level"));
  BOOST_TEST(has(controlled.ask("trace 00471b all"), "`bodies`"));
  BOOST_TEST(has(controlled.ask("debug stall 0 1"), "BOSHD_DEBUG_COMMANDS=1"));
  BOOST_TEST(has(controlled.ask(std::string(5000, 'x')), "longer than 4096 bytes"));
}

BOOST_AUTO_TEST_CASE(a_command_may_come_in_pieces_and_its_sender_close_early) {
  const Controlled controlled;
  Wire wire = controlled.connect();
  for (const char c : std::string("show info\n")) wire.send(std::string(1, c));
  wire.finish();
  BOOST_TEST(has(wire.read_to_end(), "{\"ok\":true}"));
}

BOOST_AUTO_TEST_CASE(no_more_than_sixteen_at_a_time) {
  const Controlled controlled;
  std::vector<Wire> wires;
  wires.reserve(16);
  for (int i = 0; i < 16; ++i) wires.push_back(controlled.connect());
  Wire one_more = controlled.connect();
  BOOST_TEST(has(one_more.read_to_end(), "16 others are connected"));
  wires.pop_back();
  // The place is free as soon as boshd has seen that.
  for (std::string answer; !has(answer, "\"ok\":true");) {
    Wire again = controlled.connect();
    again.send_some("show tls\n");
    answer = again.read_to_end();
  }
  wires.front().send("show tls\n");
  BOOST_TEST(has(wires.front().read_to_end(), "{\"ok\":true}"));
}

BOOST_AUTO_TEST_CASE(draining_and_its_end) {
  const Controlled controlled;
  const std::string creation = body_element("rid='1' " + std::string(Session::usual));
  BOOST_TEST(controlled.boshctl({"drain"}).status == 0);
  BOOST_TEST(has(controlled.ask("show info"), "\"state\":\"draining\""));
  HttpClient client = controlled.bridge.connect();
  BOOST_TEST(client.ask(creation).status == 503U);
  BOOST_TEST(controlled.boshctl({"resume"}).status == 0);
  BOOST_TEST(has(controlled.ask("show info"), "\"state\":\"ready\""));
  HttpClient again = controlled.bridge.connect();
  again.post(creation);
  controlled.bridge.server.accept();
}

BOOST_AUTO_TEST_CASE(reloading_and_what_is_wrong_with_the_file) {
  Controlled controlled;
  const Outcome good = controlled.boshctl({"reload"});
  BOOST_TEST(good.status == 0, good.err);
  BOOST_TEST(has(good.out, "read anew"), good.out);
  controlled.bridge.daemon.fail_to_reload("limits.sesions = 1\n");
  const Outcome bad = controlled.boshctl({"reload"});
  BOOST_TEST(bad.status == 1);
  BOOST_TEST(has(bad.err, "limits.sesions"), bad.err);
  BOOST_TEST(has(bad.err, "nothing has changed"), bad.err);
}

BOOST_AUTO_TEST_CASE(the_level_of_the_log_changes) {
  const Controlled controlled;
  BOOST_TEST(controlled.ask("log level debug") == "{\"ok\":true}\n");
  HttpClient client = controlled.bridge.connect();
  client.ask("nonsense");
  controlled.bridge.daemon.wait_for_log("debug request-refused");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sessions_shown)

BOOST_AUTO_TEST_CASE(sessions_of_both_transports_are_listed) {
  Controlled controlled("threads = 2\n");
  HttpClient client = controlled.bridge.connect();
  Session bosh(controlled.bridge, client);
  bosh.hold(client);
  const WebSession web(controlled.bridge);
  const std::string list = controlled.ask("show sessions");
  BOOST_TEST(count(list, "\n") == 3U, list);
  BOOST_TEST(has(list, "\"id\":\"" + shown(bosh.sid) + "…\""), list);
  BOOST_TEST(has(list, "\"transport\":\"bosh\",\"domain\":\"example.org\""), list);
  BOOST_TEST(has(list, "\"transport\":\"websocket\",\"domain\":\"example.org\""), list);
  BOOST_TEST(has(list, "\"address\":\"127.0.0.1\""), list);
  BOOST_TEST(has(list, "\"held\":1"), list);
  BOOST_TEST(has(list, "\"requests\":2,\"replays\":0,\"stanzas_in\":1,"), list);
  BOOST_TEST(!has(list, bosh.sid), "nobody needs a whole sid");

  const Outcome table = controlled.boshctl({"show", "sessions"});
  BOOST_TEST(table.status == 0);
  BOOST_TEST(table.out.starts_with("ID "), table.out);
  BOOST_TEST(has(table.out, shown(bosh.sid)), table.out);
  const Outcome json = controlled.boshctl({"-j", "show", "sessions"});
  BOOST_TEST(count(json.out, "\"transport\"") == 2U, json.out);
  BOOST_TEST(json.out.ends_with("{\"ok\":true}\n"), json.out);
}

BOOST_AUTO_TEST_CASE(all_there_is_of_one_session) {
  Controlled controlled;
  HttpClient client = controlled.bridge.connect();
  const Session session(controlled.bridge, client);
  const std::string text = controlled.ask("show session " + shown(session.sid));
  BOOST_TEST(has(text, "\"server\":\"" + controlled.bridge.server.address() + "\""), text);
  BOOST_TEST(has(text, "\"step\":\"login\""), text);
  BOOST_TEST(has(text, "\"log_in_within\":"), text);
  BOOST_TEST(has(text, "\"tls\":null"), text);
  const Outcome shown_text = controlled.boshctl({"show", "session", shown(session.sid) + "…"});
  BOOST_TEST(shown_text.status == 0, shown_text.err);
  BOOST_TEST(has(shown_text.out, "example.org"), shown_text.out);
}

BOOST_AUTO_TEST_CASE(who_means_several_or_none_is_told) {
  Controlled controlled;
  HttpClient one = controlled.bridge.connect();
  HttpClient two = controlled.bridge.connect();
  const Session first(controlled.bridge, one);
  const Session second(controlled.bridge, two);
  const std::string several = controlled.ask("show session 127.0.0.1");
  BOOST_TEST(has(several, "several sessions are meant"), several);
  const auto key = several.find('#');
  BOOST_TEST_REQUIRE(key != several.npos);
  const std::string by_key =
      controlled.ask("show session " + several.substr(key, several.find(' ', key) - key));
  BOOST_TEST(has(by_key, "{\"ok\":true}"), by_key);
  const Outcome none = controlled.boshctl({"show", "session", "ffffff"});
  BOOST_TEST(none.status == 1);
  BOOST_TEST(has(none.err, "there is no session ffffff"), none.err);
  BOOST_TEST(has(controlled.ask("show session xyz"), "names no session"));
}

BOOST_AUTO_TEST_CASE(servers_and_limits_with_their_use) {
  Controlled controlled("limits.sessions_per_address = 7\n");
  HttpClient client = controlled.bridge.connect();
  const Session session(controlled.bridge, client);
  const std::string servers = controlled.ask("show upstreams");
  BOOST_TEST(has(servers, "{\"server\":\"" + controlled.bridge.server.address() +
                              "\",\"open\":1,\"connecting\":0,\"encrypted\":0,\"tls\":null,\"failures\":0}"),
             servers);
  const std::string limits = controlled.ask("show limits");
  BOOST_TEST(has(limits, "\"limits.sessions_per_address\",\"unit\":\"sessions\",\"value\":7,\"used\":1"),
             limits);
  BOOST_TEST(has(limits, "\"limits.sessions\",\"unit\":\"sessions\",\"value\":100000,\"used\":1"), limits);
  controlled.bridge.server.stop();
  HttpClient unlucky = controlled.bridge.connect();
  BOOST_TEST(said(unlucky.ask(body_element("rid='1' " + std::string(Session::usual)))) ==
             "terminate remote-connection-failed");
  const std::string failed = controlled.ask("show upstreams");
  BOOST_TEST(has(failed, "\"failures\":1"), failed);
  BOOST_TEST(has(failed, "Connection refused"), failed);
  BOOST_TEST(has(controlled.ask("show errors"), "\"event\":\"upstream-failed\""));
  for (const char* what : {"upstreams", "limits", "info", "tls", "errors"}) {
    const Outcome outcome = controlled.boshctl({"show", what});
    BOOST_TEST(outcome.status == 0, outcome.err);
    BOOST_TEST(!outcome.out.empty());
  }
  const Outcome status = controlled.boshctl({"-j", "status"});
  BOOST_TEST(has(status.out, "\"sessions\":{\"bosh\":1,"), status.out);
  BOOST_TEST(has(controlled.boshctl({"status"}).out, "server-unreachable"));
  BOOST_TEST(has(controlled.boshctl({"show", "limits"}).out, "limits.client_queue"));
}

BOOST_AUTO_TEST_CASE(a_server_whose_place_another_takes_is_counted_all_the_same) {
  FakeServer dead;
  const FakeServer deaf;
  const FakeServer server;
  const TemporaryDirectory directory;
  const std::string socket = directory.path("control");
  const Daemon daemon("threads = 1\ncontrol.socket = \"" + socket + "\"\nupstream.server = [\"" +
                      dead.address() + "\", \"" + deaf.address() + "\", \"" + server.address() + "\"]\n");
  dead.stop();
  const Follower follower(socket, {"127.0.0.1"});
  HttpClient client(daemon);
  client.post(body_element("rid='1' " + std::string(Session::usual)));
  Wire closing = deaf.accept();
  read_stream_start(closing);
  closing.close();
  Wire wire = server.accept();
  read_stream_start(wire);
  wire.send(stream_start() + std::string(features));
  client.answer();
  Wire asks = Wire::connect(socket);
  asks.send("show upstreams\n");
  const std::string servers = asks.read_to_end();
  for (const FakeServer* failed : std::initializer_list<const FakeServer*>{&dead, &deaf})
    BOOST_TEST(has(servers, "{\"server\":\"" + failed->address() +
                                "\",\"open\":0,\"connecting\":0,\"encrypted\":0,\"tls\":null,\"failures\":1"),
               servers);
  BOOST_TEST(has(servers, "{\"server\":\"" + server.address() + "\",\"open\":1,"), servers);
  BOOST_TEST(has(follower.hears("closed by the server"), deaf.address()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(killing)

BOOST_AUTO_TEST_CASE(a_bosh_session_ends_and_its_client_is_told) {
  Controlled controlled;
  HttpClient client = controlled.bridge.connect();
  Session session(controlled.bridge, client);
  session.hold(client);
  const Outcome outcome = controlled.boshctl({"kill", shown(session.sid)});
  BOOST_TEST(outcome.status == 0, outcome.err);
  BOOST_TEST(has(outcome.out, "is ended"), outcome.out);
  BOOST_TEST(said(client.answer()) == "terminate policy-violation");
  controlled.bridge.daemon.wait_for_log("session-end reason=killed sid=" + shown(session.sid));
  BOOST_TEST(has(session.server.read_to_end(), stream_end));
  BOOST_TEST(said(client.ask(session.next())) == "terminate policy-violation",
             "who comes too late is told, too");
  BOOST_TEST(controlled.boshctl({"kill", shown(session.sid)}).status == 1);
}

BOOST_AUTO_TEST_CASE(a_websocket_ends_and_is_not_sent_elsewhere) {
  Controlled controlled("websocket.see_other_uri = \"wss://other.example.org/\"\n");
  WebSession session(controlled.bridge);
  BOOST_TEST(controlled.boshctl({"kill", "127.0.0.1"}).status == 0);
  const std::string heard = session.client.hears_to_end();
  BOOST_TEST(has(heard, "<policy-violation"), heard);
  BOOST_TEST(!has(heard, "see-other-uri"), heard);
  controlled.bridge.daemon.wait_for_log("session-end reason=killed");
  BOOST_TEST(has(session.server.read_to_end(), stream_end));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tracing)

BOOST_AUTO_TEST_CASE(what_a_session_says_is_told_without_what_is_private) {
  Controlled controlled;
  HttpClient client = controlled.bridge.connect();
  Session session(controlled.bridge, client);
  const Follower follower(controlled, {shown(session.sid)});
  client.post(session.next(plain_login));
  session.server.read_until("</auth>");
  session.server.send(logged_in);
  client.answer();
  client.post(session.next("<message to='juliet@example.org'><body>secret words</body></message>"));
  read_message(session.server);
  session.server.send("<message from='juliet@example.org'><body>private answer</body></message>");
  client.answer();
  client.post(session.next({}, "type='terminate'"));
  BOOST_TEST(has(follower.hears("\"event\":\"end\""), "client-terminated"));
  const std::string all = follower.all();
  BOOST_TEST(has(all, "\"event\":\"request\",\"rid\":"), all);
  BOOST_TEST(has(all, "\"event\":\"to-server\""), all);
  BOOST_TEST(has(all, "\"event\":\"from-server\""), all);
  BOOST_TEST(has(all, "\"event\":\"answer\""), all);
  BOOST_TEST(has(all, "mechanism='PLAIN'>…(20)</auth>"), all);
  BOOST_TEST(has(all, "<message xmlns='jabber:client' to='juliet@example.org'>"), all);
  BOOST_TEST(has(all, "<body>…(12)</body>"), all);
  BOOST_TEST(has(all, "\"jid\":\"romeo@example.org\""), all);
  for (const char* secret : {"secret words", "private answer", "AHJvbWVv"})
    BOOST_TEST(!has(all, secret), all);
  BOOST_TEST(!has(all, session.sid), all);
}

BOOST_AUTO_TEST_CASE(bodies_and_passwords_are_shown_to_who_asks) {
  Controlled controlled;
  HttpClient client = controlled.bridge.connect();
  Session session(controlled.bridge, client);
  const Follower bodies(controlled, {shown(session.sid), "bodies"});
  const Follower passwords(controlled, {shown(session.sid), "sasl"});
  client.post(session.next(std::string(plain_login) + "<message><body>words</body></message>"));
  session.server.read_until("</message>");
  BOOST_TEST(has(bodies.hears("to-server"), "words"));
  BOOST_TEST(!has(bodies.all(), "AHJvbWVv"));
  BOOST_TEST(has(passwords.hears("to-server"), "AHJvbWVv"));
  BOOST_TEST(!has(passwords.all(), "words"));
}

BOOST_AUTO_TEST_CASE(new_sessions_of_an_address_and_of_an_account_are_followed) {
  Controlled controlled("threads = 2\nproxy.trusted = [\"127.0.0.1\"]\n");
  const Follower by_address(controlled, {"192.0.2.7"});
  const Follower by_account(controlled, {"romeo@example.org"});
  HttpClient client = controlled.bridge.connect();
  client.post(body_element("rid='1' " + std::string(Session::usual), plain_login),
              "X-Forwarded-For: 192.0.2.7\r\n");
  Wire server = controlled.bridge.server.accept();
  BOOST_TEST(has(by_address.hears("\"event\":\"begin\""), "bosh from 192.0.2.7 to example.org"));
  BOOST_TEST(has(by_address.hears("\"event\":\"request\""), "creation"));
  BOOST_TEST(has(by_address.hears("\"text\":\"connected\""), controlled.bridge.server.address()));
  read_stream_start(server);
  server.send(stream_start() + std::string(features));
  server.read_until("</auth>");
  BOOST_TEST(has(by_account.hears("to-server"), "…(20)"));
  HttpClient other = controlled.bridge.connect();
  other.post(body_element("rid='1' " + std::string(Session::usual)), "X-Forwarded-For: 192.0.2.8\r\n");
  controlled.bridge.server.accept();
  BOOST_TEST(count(by_address.all(), "\"event\":\"begin\"") == 1U);
}

BOOST_AUTO_TEST_CASE(a_websocket_and_its_failing_server) {
  Controlled controlled;
  const Follower follower(controlled, {"127.0.0.1"});
  controlled.bridge.server.stop();
  WebClient client(controlled.bridge.daemon);
  client.say(web_open);
  BOOST_TEST(has(follower.hears("Connection refused"), "\"event\":\"upstream\""));
  BOOST_TEST(has(follower.hears("remote-connection-failed"), "\"event\":\"answer\""));
}

BOOST_AUTO_TEST_CASE(a_follower_that_does_not_read_loses_lines_and_delays_nobody) {
  Controlled controlled;
  HttpClient client = controlled.bridge.connect();
  Session session(controlled.bridge, client);
  Wire follower = controlled.connect();
  follower.send("trace 127.0.0.1 bodies\n");
  follower.read_until("\n");
  const std::string text(8000, 'x');
  for (int i = 0; i < 1000; ++i) {
    client.post(session.next("<message><body>" + text + "</body></message>"));
    session.server.read_until("</message>");
    session.server.send("<message><body>" + text + "</body></message>");
    client.answer();
  }
  client.post(session.next({}, "type='terminate'"));
  client.answer();
  controlled.bridge.settle();
  // What was kept comes, and then how much was not.
  follower.read_until("\"event\":\"dropped\"");
  BOOST_TEST(has(controlled.ask("show info"), "{\"ok\":true}"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(slow_operators)

BOOST_AUTO_TEST_CASE(who_never_reads_a_long_list_blocks_nobody_and_is_cut_off) {
  constexpr std::size_t sessions = 2000;
  const TemporaryDirectory directory;
  const EchoServer server;
  const Daemon daemon(std::string(unlimited) + "threads = 2\nupstream.server = \"" + server.address() +
                      "\"\ncontrol.socket = \"" + directory.path("control") + "\"\n");
  std::vector<HttpClient> clients;
  for (std::size_t i = 0; i < sessions; ++i)
    clients.emplace_back(daemon).post(body_element("rid='1' " + std::string(Session::usual)));
  for (HttpClient& client : clients) BOOST_TEST_REQUIRE(client.answer().status == 200U);
  Wire silent = Wire::connect(directory.path("control"));
  silent.send("show sessions\n");
  const auto begun = std::chrono::steady_clock::now();
  Wire reader = Wire::connect(directory.path("control"));
  reader.send("show sessions\n");
  const std::string list = reader.read_to_end();
  BOOST_TEST(count(list, "\"transport\":\"bosh\"") == sessions);
  BOOST_TEST(list.ends_with("{\"ok\":true}\n"));
  HttpClient one(daemon);
  BOOST_TEST(one.ask(body_element("rid='1' " + std::string(Session::usual))).status == 200U);
  BOOST_TEST((std::chrono::steady_clock::now() - begun < 5s));
  // It got what the kernel keeps, a start of the list, and then the end.
  BOOST_TEST(silent.readable_within(1s));
  pollfd end{silent.descriptor(), POLLRDHUP, 0};
  BOOST_TEST(::poll(&end, 1, 30'000) == 1);
  const std::string got = silent.read_to_end();
  BOOST_TEST(!got.ends_with("{\"ok\":true}\n"));
  BOOST_TEST(got.size() < list.size());
}

BOOST_AUTO_TEST_CASE(who_sends_no_command_is_cut_off) {
  const Controlled controlled;
  Wire wire = controlled.connect();
  wire.send("show");
  BOOST_TEST(wire.read_to_end() == "");
}

BOOST_AUTO_TEST_CASE(a_thread_that_is_stuck_delays_only_its_own_answers) {
  ::setenv("BOSHD_DEBUG_COMMANDS", "1", 1);
  const Controlled controlled("threads = 2\n");
  ::unsetenv("BOSHD_DEBUG_COMMANDS");
  BOOST_TEST(controlled.ask("debug stall 0 2") == "{\"ok\":true}\n");
  Wire waits = controlled.connect();
  waits.send("show info\n");
  BOOST_TEST(controlled.ask("show tls") == "{\"ok\":true}\n");
  BOOST_TEST(!waits.readable());
  BOOST_TEST(has(waits.read_to_end(), "{\"ok\":true}"));
  BOOST_TEST(has(controlled.ask("debug stall 2 1"), "from 0 to 1"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(boshctl_itself)

BOOST_AUTO_TEST_CASE(without_a_daemon_there_is_one_sentence) {
  const TemporaryDirectory directory;
  for (const char* command : {"status", "top"}) {
    const Outcome outcome = Controlled::run({"-s", directory.path("none"), command});
    BOOST_TEST(outcome.status == 1);
    BOOST_TEST(has(outcome.err, "boshd does not run, or its control socket is not " + directory.path("none")),
               outcome.err);
    BOOST_TEST(count(outcome.err, "\n") == 1U);
    BOOST_TEST(outcome.out == "");
  }
}

BOOST_AUTO_TEST_CASE(the_environment_names_the_socket) {
  const Controlled controlled;
  ::setenv("BOSHD_CONTROL", controlled.socket().c_str(), 1);
  const Outcome outcome = Controlled::run({"show", "info"});
  ::unsetenv("BOSHD_CONTROL");
  BOOST_TEST(outcome.status == 0, outcome.err);
  BOOST_TEST(has(outcome.out, "threads"), outcome.out);
}

BOOST_AUTO_TEST_CASE(who_may_not_use_the_socket_is_told_who_may) {
  if (::geteuid() != 0) return;  // who isn't root can't become somebody else
  const Controlled controlled;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(99);
    ::execl("/bin/sh", "sh", "-c", "\"$0\" -s \"$1\" show info 2>&1 | grep -q 'you may not use'",
            BOSHCTL_PROGRAM, controlled.socket().c_str(), nullptr);
    ::_exit(98);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0), "status " << status);
}

BOOST_AUTO_TEST_CASE(top_prints_once_into_a_pipe) {
  Controlled controlled;
  HttpClient client = controlled.bridge.connect();
  const Session session(controlled.bridge, client);
  const Outcome outcome = controlled.boshctl({"top"});
  BOOST_TEST(outcome.status == 0, outcome.err);
  BOOST_TEST(has(outcome.out, "sessions 1 of 100 000 (bosh 1, websocket 0)"), outcome.out);
  BOOST_TEST(has(outcome.out, "Oldest sessions"), outcome.out);
  BOOST_TEST(has(outcome.out, shown(session.sid)), outcome.out);
  BOOST_TEST(!has(outcome.out, "\x1b"));
}

BOOST_AUTO_TEST_CASE(top_on_a_terminal_leaves_it_as_it_was) {
  for (const std::string key : {"q", "\x03"}) {
    const Controlled controlled;
    int terminal = -1;
    winsize size{24, 80, 0, 0};
    const std::string path = controlled.socket();
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) {
      ::execl(BOSHCTL_PROGRAM, "boshctl", "-s", path.c_str(), "top", nullptr);
      ::_exit(98);
    }
    const Descriptor guard(terminal);
    termios before{};
    ::tcgetattr(terminal, &before);
    std::string out;
    std::array<char, 4096> chunk;
    const auto read_until = [&](std::string_view mark) {
      while (!has(out, mark)) {
        if (!wait_readable(terminal)) throw Failure("no " + std::string(mark) + " in " + excerpt(out));
        const ssize_t got = ::read(terminal, chunk.data(), chunk.size());
        if (got <= 0) return;
        out.append(chunk.data(), static_cast<std::size_t>(got));
      }
    };
    read_until("\x1b[J");
    BOOST_TEST(has(out, "sessions 0 of 100 000"), out);
    BOOST_TEST(::write(terminal, key.data(), 1) == 1);
    read_until("\x1b[?25h\x1b[?1049l");
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST((WIFEXITED(status) && WEXITSTATUS(status) == 0), "status " << status);
    termios after{};
    ::tcgetattr(terminal, &after);
    BOOST_TEST(after.c_lflag == before.c_lflag);
  }
}

BOOST_AUTO_TEST_CASE(bash_completes_commands_sessions_and_files) {
  Controlled controlled;
  HttpClient client = controlled.bridge.connect();
  const Session session(controlled.bridge, client);
  const std::string file = controlled.directory.write("boshd.toml", "");
  const auto completes = [&](const std::vector<std::string>& words) {
    std::string script = "source " BOSHCTL_COMPLETION "; COMP_WORDS=(" BOSHCTL_PROGRAM;
    for (const std::string& word : words) script += " '" + word + "'";
    script += "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _boshctl; echo \"${COMPREPLY[*]}\"";
    Process bash("/bin/bash", {"-c", script});
    BOOST_TEST(bash.exit_status() == 0, bash.err.text());
    BOOST_TEST(bash.err.text() == "");
    return bash.out.text();
  };
  BOOST_TEST(completes({"sh"}) == "show\n");
  BOOST_TEST(completes({"re"}) == "resume reload\n");
  BOOST_TEST(completes({"-j", "show", "se"}) == "sessions session\n");
  BOOST_TEST(completes({"log", "level", ""}) == "debug info warning error\n");
  BOOST_TEST(completes({"-s", controlled.socket(), "kill", ""}) == shown(session.sid) + "\n");
  BOOST_TEST(completes({"-s", controlled.socket(), "trace", shown(session.sid).substr(0, 3)}) ==
             shown(session.sid) + "\n");
  BOOST_TEST(completes({"-s", controlled.directory.path("none"), "kill", ""}) == "\n");
  BOOST_TEST(completes({"trace", "00471b", "b"}) == "bodies\n");
  BOOST_TEST(completes({"check", "--config", file.substr(0, file.size() - 3)}) == file + "\n");
  BOOST_TEST(completes({"check", "--u"}) == "--url\n");
}

BOOST_AUTO_TEST_CASE(options_and_wrong_usage) {
  struct Case {
    std::vector<std::string> arguments;
    int status;
    const char* out;
    const char* err;
  };
  const Case cases[] = {
      {{"--version"}, 0, "boshctl 0.", ""},
      {{"--help"}, 0, "show upstreams", ""},
      {{"help"}, 0, "trace ID|JID|ADDRESS", ""},
      {{}, 2, "", "no command"},
      {{"show"}, 2, "", "show what?"},
      {{"show", "sesions"}, 2, "", "did you mean `show sessions`?"},
      {{"klil", "00471b"}, 2, "", "did you mean `kill`?"},
      {{"xyzzy123"}, 2, "", "`boshctl --help` lists the commands"},
      {{"kill"}, 2, "", "boshctl kill ID"},
      {{"-s"}, 2, "", "needs the path"},
      {{"-x", "status"}, 2, "", "unknown option '-x'"},
      {{"check"}, 2, "", "boshctl check"},
      {{"check", "--nonsense", "example.org"}, 2, "", "--nonsense"},
      {{"check", "--url", "ftp://example.org/", "example.org"}, 2, "", "must begin with https://"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = Controlled::run(c.arguments);
    BOOST_TEST_CONTEXT((c.arguments.empty() ? "" : c.arguments.front())
                       << ": " << outcome.out << outcome.err) {
      BOOST_TEST(outcome.status == c.status);
      BOOST_TEST(has(outcome.out, c.out));
      BOOST_TEST(has(outcome.err, c.err));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
