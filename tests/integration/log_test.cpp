// What the daemon writes: the access log, JSON, systemd's journal, and how often.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::istringstream text(text_of(path));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::size_t count_in(const std::vector<std::string>& lines, std::string_view part) {
  return static_cast<std::size_t>(
      std::ranges::count_if(lines, [&](const auto& line) { return has(line, part); }));
}

/// Files have nothing to wait on, so it is looked for again and again.
void wait_for_file(const std::string& path) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!std::filesystem::exists(path)) {
    if (std::chrono::steady_clock::now() > end) throw Failure("there is no " + path);
    ::poll(nullptr, 0, 10);
  }
}

/// `"key":value` of each line's object, in order; only what stands there literally.
bool is_json_object(std::string_view line) {
  return line.starts_with("{\"time\":\"20") && line.ends_with('}') && std::ranges::count(line, '"') % 2 == 0;
}

std::string setting(std::string_view key, const std::string& value) {
  return std::string(key) + " = \"" + value + "\"\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(access_log)

BOOST_AUTO_TEST_CASE(each_request_leaves_a_line_when_it_is_answered) {
  const TemporaryDirectory directory;
  const std::string file = directory.path("access");
  Bridge bridge("proxy.trusted = [\"127.0.0.1\"]\n" + setting("log.access", file));
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  client.ask(session.next({}, "type='terminate'"),
             "X-Forwarded-For: 192.0.2.7\r\nUser-Agent: a \"browser\"\r\nReferer: "
             "https://a.example/r?jwt=secret\r\n");
  client.send("GET /nowhere?token=secret HTTP/1.1\r\nHost: a\r\n\r\n");
  client.answer();
  client.send("nonsense\r\n\r\n");
  client.answer();
  const WebClient web(bridge.daemon);
  HttpClient gone = bridge.connect();
  Session lost(bridge, gone);
  lost.hold(gone);
  gone.wire.reset();
  bridge.settle();
  bridge.daemon.signal(SIGTERM);
  session.server.close();
  lost.server.close();
  BOOST_TEST(bridge.daemon.exit_status() == 0);

  const auto lines = lines_of(file);
  const std::string all = text_of(file);
  const std::string sid = session.sid.substr(0, 6);
  BOOST_TEST(count_in(lines, "127.0.0.1 - - [") == count_in(lines, "") - 1, all);
  BOOST_TEST(count_in(lines, "192.0.2.7 - - [") == 1U, all);
  BOOST_TEST(count_in(lines, "\"POST /http-bind HTTP/1.1\" 200 " +
                                 std::to_string(session.created.body.size()) + " \"-\" \"-\" 0.") == 2U,
             all);
  BOOST_TEST(count_in(lines, R"("https://a.example/r" "a \"browser\"" 0.0)") == 1U, all);
  BOOST_TEST(count_in(lines, " " + sid) == 2U, all);
  BOOST_TEST(count_in(lines, "\"GET /nowhere HTTP/1.1\" 404 ") == 1U, all);
  BOOST_TEST(count_in(lines, "\"-\" 400 ") == 1U, all);
  BOOST_TEST(count_in(lines, "\"GET /xmpp-websocket HTTP/1.1\" 101 0 ") == 1U, all);
  BOOST_TEST(count_in(lines, "\"POST /http-bind HTTP/1.1\" 499 0 ") == 1U, all);
  BOOST_TEST(!has(all, "secret"), all);
  BOOST_TEST(!has(all, session.sid), all);
}

BOOST_AUTO_TEST_CASE(a_held_request_shows_how_long_it_was_held) {
  const TemporaryDirectory directory;
  const std::string file = directory.path("access");
  Bridge bridge(setting("log.access", file) + setting("log.access_format", "json"));
  HttpClient client = bridge.connect();
  Session session(bridge, client, "to='example.org' wait='1' hold='1' ver='1.6' xmpp:version='1.0'");
  client.ask(session.next());
  session.server.close();
  client.wire.close();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(bridge.daemon.exit_status() == 0);
  const auto lines = lines_of(file);
  for (const std::string& line : lines) BOOST_TEST(is_json_object(line), line);
  BOOST_TEST(count_in(lines, "\"seconds\":1.") == 1U, text_of(file));
  BOOST_TEST(count_in(lines, "\"sid\":\"" + session.sid.substr(0, 6) + "\"}") == 2U, text_of(file));
}

BOOST_AUTO_TEST_CASE(a_signal_opens_the_file_anew) {
  const TemporaryDirectory directory;
  const std::string file = directory.path("access");
  Bridge bridge(setting("log.access", file));
  HttpClient client = bridge.connect();
  const auto ask_for = [&](const std::string& path) {
    client.send("GET /" + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    client.answer();
  };
  ask_for("before");
  std::filesystem::rename(file, file + ".1");
  bridge.daemon.signal(SIGUSR1);
  wait_for_file(file);
  ask_for("after");
  client.wire.close();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(bridge.daemon.exit_status() == 0);
  BOOST_TEST(has(text_of(file), "/after "));
  BOOST_TEST(count_in(lines_of(file), "/before ") + count_in(lines_of(file + ".1"), "/before ") == 1U);
}

BOOST_AUTO_TEST_CASE(a_reload_switches_it_on_and_off_and_keeps_it_if_the_new_one_cant_be_opened) {
  const TemporaryDirectory directory;
  const std::string file = directory.path("access");
  const std::string other = directory.path("other");
  Bridge bridge;
  HttpClient client = bridge.connect();
  const auto ask_for = [&](const std::string& path) {
    client.send("GET /" + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    client.answer();
  };
  ask_for("one");
  bridge.reload(setting("log.access", file));
  ask_for("two");
  BOOST_TEST(has(bridge.daemon.fail_to_reload(setting("log.access", directory.path("missing/access"))),
                 directory.path("missing/access")));
  ask_for("three");
  bridge.reload(setting("log.access", other));
  ask_for("four");
  bridge.reload("");
  ask_for("five");
  client.wire.close();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(bridge.daemon.exit_status() == 0);
  const std::string all = text_of(file) + text_of(other);
  BOOST_TEST(!has(all, "/one "), all);
  BOOST_TEST(!has(all, "/five "), all);
  BOOST_TEST(std::filesystem::exists(other));
}

BOOST_AUTO_TEST_CASE(a_file_that_cant_be_opened_ends_the_start) {
  const TemporaryDirectory directory;
  const std::string file = directory.path("missing/access");
  const std::string config = directory.write("boshd.toml", "[log]\n" + setting("access", file) +
                                                               "[metrics]\naddress = \"\"\n[[listen]]\n"
                                                               "address = \"127.0.0.1:0\"\n");
  const Outcome outcome = run_boshd({"--config", config});
  BOOST_TEST(outcome.status == 1);
  BOOST_TEST(has(outcome.err, file), outcome.err);
  BOOST_TEST(has(outcome.err, "[log] access"), outcome.err);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_once_and_stops_nothing) {
  Bridge bridge(setting("log.access", "/dev/full"));
  HttpClient client = bridge.connect();
  const auto ask = [&] {
    client.send("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: " + std::string(15'000, 'a') + "\r\n\r\n");
    return client.answer().status;
  };
  for (int i = 0; i < 20; ++i) BOOST_TEST(ask() == 404U);
  BOOST_TEST(has(bridge.daemon.wait_for_log("error access-log-failed"), "No space left"));
  client.wire.close();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(bridge.daemon.exit_status() == 0);
  BOOST_TEST(bridge.daemon.log_lines("access-log-failed").size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(json_is_an_object_a_line) {
  const TemporaryDirectory directory;
  Process process(
      {"--config", directory.write("boshd.toml",
                                   "[log]\nformat = \"json\"\n[metrics]\naddress = \"\"\n[[listen]]\n"
                                   "address = \"127.0.0.1:0\"\n")});
  const std::string line = process.err.wait_for_line("\"event\":\"listening\"");
  BOOST_TEST(has(line, R"("level":"info","event":"listening","address":"127.0.0.1:)"), line);
  process.signal(SIGTERM);
  BOOST_TEST(process.exit_status() == 0);
  std::istringstream text(process.err.text());
  for (std::string each; std::getline(text, each);) BOOST_TEST(is_json_object(each), each);
}

BOOST_AUTO_TEST_CASE(warnings_that_clients_set_off_are_limited_and_counted) {
  constexpr std::size_t refused = 30;
  Bridge bridge("limits.sessions_per_address = 1\nproxy.trusted = []");
  HttpClient client = bridge.connect();
  Session session(bridge, client);
  for (std::size_t i = 0; i < refused; ++i)
    BOOST_TEST(has(said(client.ask(body_element("rid='1' to='example.org' ver='1.6'"))), "policy-violation"));
  session.server.close();
  client.wire.close();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(bridge.daemon.exit_status() == 0);
  BOOST_TEST(bridge.daemon.log_lines("warning session-refused reason=address-sessions").size() == 10U);
  BOOST_TEST(bridge.daemon.log_lines("warning suppressed of=session-refused count=20").size() == 1U);
  BOOST_TEST(bridge.daemon.log_lines("info session-end").size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(journal)

namespace {

/// A journal that keeps what it is sent: a datagram a line.
class FakeJournal {
 public:
  FakeJournal() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory_.path("socket");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw Failure("bind " + path);
  }
  std::string folder() const { return directory_.path(""); }
  /// The next line that holds `part`.
  std::string wait_for(std::string_view part) const {
    std::array<char, 8192> bytes;
    for (;;) {
      if (!wait_readable(socket_.get())) throw Failure("the journal gets no " + std::string(part));
      const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      const std::string_view got(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
      if (has(got, part)) return std::string(got);
    }
  }

 private:
  TemporaryDirectory directory_;
  Descriptor socket_;
};

/// boshd where /run/systemd/journal is another folder; nothing else of this machine is touched.
struct UnderJournal {
  explicit UnderJournal(const std::string& journal, const std::string& set_up,
                        const std::string& settings = {})
      : config(directory.write(
            "boshd.toml",
            "[log]\n" + settings + "[metrics]\naddress = \"\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n")),
        process("/usr/bin/unshare",
                {"--user", "--map-root-user", "--mount", "sh", "-c",
                 "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal || exit 77\n" +
                     (journal.empty() ? "" : "mount --bind " + journal + " /run/systemd/journal\n") + set_up +
                     "\nexec " + boshd_program() + " --config " + config}) {}
  TemporaryDirectory directory;
  std::string config;
  Process process;
};

const std::string like_systemd = "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)";

}  // namespace

BOOST_AUTO_TEST_CASE(started_by_systemd_lines_go_to_the_journal_with_their_fields) {
  const FakeJournal journal;
  UnderJournal daemon(journal.folder(), like_systemd);
  const std::string line = journal.wait_for("BOSHD_EVENT=listening\n");
  for (const char* field : {"MESSAGE=listening address=127.0.0.1:", "\nPRIORITY=6\n",
                            "\nSYSLOG_IDENTIFIER=boshd\n", "\nMESSAGE_ID=8f7cb263d7464f9bb8c8d353792a73a1\n",
                            "\nBOSHD_ADDRESS=127.0.0.1:", "\nBOSHD_PATH=/http-bind\n"})
    BOOST_TEST(has(line, field), line);
  daemon.process.signal(SIGTERM);
  journal.wait_for("BOSHD_EVENT=stopping\n");
  BOOST_TEST(daemon.process.exit_status() == 0);
  BOOST_TEST(daemon.process.err.text() == "");
}

BOOST_AUTO_TEST_CASE(a_stderr_that_is_not_the_journals_is_written_to_as_a_terminal_is) {
  const FakeJournal journal;
  UnderJournal daemon(journal.folder(), "export JOURNAL_STREAM=1:2");
  const std::string line = daemon.process.err.wait_for_line("info listening");
  BOOST_TEST(has(line, "Z info listening"), line);
  daemon.process.signal(SIGTERM);
  BOOST_TEST(daemon.process.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(the_journal_can_be_asked_for_by_name) {
  const FakeJournal journal;
  UnderJournal daemon(journal.folder(), "", "target = \"journal\"\n");
  journal.wait_for("BOSHD_EVENT=listening\n");
  daemon.process.signal(SIGTERM);
  BOOST_TEST(daemon.process.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(without_the_journals_socket_lines_go_to_stderr_with_their_priority) {
  UnderJournal daemon("", like_systemd);
  const std::string line = daemon.process.err.wait_for_line("info listening");
  BOOST_TEST(line.starts_with("<6>info listening"), line);
  daemon.process.signal(SIGTERM);
  BOOST_TEST(daemon.process.exit_status() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
