// What a service manager is told, and how it may start boshd.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/integration/client.hpp"

namespace integration {
namespace {

/// A variable of the environment, for the processes that are started meanwhile.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;

 private:
  const char* name_;
};

/// The manager's end of NOTIFY_SOCKET.
class Manager {
 public:
  Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw Failure("bind " + path_);
  }

  const std::string& path() const { return path_; }

  /// The next message, or nothing within that time.
  std::string next(std::chrono::milliseconds time = patience) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(time.count())) <= 0) return {};
    std::array<char, 4096> bytes;
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

  /// The first message with this part; others are passed over.
  std::string wait_for(std::string_view part) {
    for (std::string message = next(); !message.empty(); message = next())
      if (has(message, part)) return message;
    throw Failure("nobody told " + std::string(part));
  }

  /// How many messages with this part come within that time.
  unsigned count(std::string_view part, std::chrono::milliseconds time) {
    unsigned found = 0;
    const auto end = std::chrono::steady_clock::now() + time;
    for (auto now = end - time; now < end; now = std::chrono::steady_clock::now())
      found += has(next(std::chrono::ceil<std::chrono::milliseconds>(end - now)), part);
    return found;
  }

 private:
  TemporaryDirectory directory_;
  std::string path_ = directory_.path("notify");
  Descriptor socket_;
};

/// A thread of another process, stopped where it is for as long as this lives.
class Stopped {
 public:
  explicit Stopped(pid_t thread) : thread_(thread) {
    if (::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) != 0) throw Failure("ptrace");
    ::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr);
    ::waitpid(thread_, nullptr, __WALL);
  }
  ~Stopped() { ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr); }
  Stopped(const Stopped&) = delete;

 private:
  pid_t thread_;
};

/// The thread of a process with that name.
pid_t thread_named(pid_t process, std::string_view name) {
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    std::string found(64, '\0');
    const Descriptor file(::open((entry.path() / "comm").c_str(), O_RDONLY | O_CLOEXEC));
    found.resize(
        static_cast<std::size_t>(std::max<ssize_t>(::read(file.get(), found.data(), found.size()), 1)) - 1);
    if (found == name) return std::stoi(entry.path().filename());
  }
  throw Failure("no thread " + std::string(name));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(notifying)

BOOST_AUTO_TEST_CASE(readiness_reloads_and_the_end_are_told) {
  Manager manager;
  const Variable variable("NOTIFY_SOCKET", manager.path());
  Bridge bridge("stop.drain = \"7s\"");
  BOOST_TEST(manager.next() == "READY=1\nSTATUS=Serving 0 sessions.");
  HttpClient client = bridge.connect();
  Session session(bridge, client);

  bridge.reload("stop.drain = \"7s\"");
  BOOST_TEST(manager.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  BOOST_TEST(manager.next() == "READY=1\nSTATUS=Serving 1 session.");

  bridge.daemon.fail_to_reload("nonsense = 1");
  BOOST_TEST(manager.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  const std::string failed = manager.next();
  BOOST_TEST(failed.starts_with("READY=1\nSTATUS=Serving 1 session. The last reload failed"), failed);
  BOOST_TEST(has(failed, "unknown key 'nonsense'"), failed);

  bridge.reload("stop.drain = \"7s\"");
  manager.next();
  BOOST_TEST(manager.next() == "READY=1\nSTATUS=Serving 1 session.");

  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(manager.next() == "STOPPING=1\nSTATUS=Stopping; 1 session left.");
  BOOST_TEST(manager.next() == "EXTEND_TIMEOUT_USEC=17000000");
  client.ask(session.next({}, "type='terminate'"));
  session.server.close();
  BOOST_TEST(bridge.daemon.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(the_watchdog_is_fed_while_every_thread_turns_and_not_while_one_is_stuck) {
  Manager manager;
  const Variable variable("NOTIFY_SOCKET", manager.path());
  const Variable interval("WATCHDOG_USEC", "200000");
  Bridge bridge("threads = 2");
  for (int i = 0; i < 5; ++i) manager.wait_for("WATCHDOG=1");  // without anything to do
  for (const char* name : {"shard 1", "shard 0"}) {
    const Stopped stopped(thread_named(bridge.daemon.id(), name));
    // One answer may have been on its way.
    BOOST_TEST(manager.count("WATCHDOG=1", std::chrono::seconds(1)) <= 1U);
  }
  for (int i = 0; i < 5; ++i) manager.wait_for("WATCHDOG=1");
}

BOOST_AUTO_TEST_CASE(who_is_not_watched_tells_nothing) {
  Manager manager;
  const Variable variable("NOTIFY_SOCKET", manager.path());
  const Bridge bridge;
  manager.wait_for("READY=1");
  BOOST_TEST(manager.count("WATCHDOG", std::chrono::milliseconds(300)) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(inheriting)

/// Processes that share a listening socket, one after the other, as with a socket unit.
class Unit {
 public:
  Unit() : copy_(::dup(listening_.descriptor())) {
    file_ = directory_.write("boshd.toml",
                             "threads = 2\nstop.drain = \"0s\"\nmetrics.address = \"\"\n"
                             "[[listen]]\naddress = \"inherited:http\"\n");
  }

  void start() {
    process_ = std::make_unique<Process>(
        "/bin/sh", std::vector<std::string>{"-c", "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http exec " +
                                                      boshd_program() + " --config " + file_ + " 3<&" +
                                                      std::to_string(copy_.get())});
    process_->err.wait_for_line("listening address=inherited:http");
  }
  void stop() {
    process_->signal(SIGTERM);
    BOOST_TEST(process_->exit_status() == 0);
  }
  /// The same process, with or without its listener.
  void reload(bool listens) {
    directory_.write("boshd.toml",
                     std::string("threads = 2\nmetrics.address = \"\"\n[[listen]]\naddress = ") +
                         (listens ? "\"inherited:http\"\n" : "\"127.0.0.1:0\"\n"));
    process_->signal(SIGHUP);
    process_->err.wait_for_line(" reloaded", reloads_++);
  }
  std::uint16_t port() const { return listening_.port(); }

 private:
  TemporaryDirectory directory_;
  FakeServer listening_;
  Descriptor copy_;  // not closed at exec
  std::string file_;
  std::unique_ptr<Process> process_;
  std::size_t reloads_ = 0;
};

unsigned status_at(std::uint16_t port) {
  Wire wire = Wire::connect(port);
  wire.send("GET /http-bind HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n");
  const std::string head = wire.read_to_end();
  return head.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(head.substr(9, 3)));
}

BOOST_AUTO_TEST_CASE(a_restart_turns_nobody_away) {
  Unit unit;
  unit.start();
  std::atomic<bool> ending = false;
  std::atomic<unsigned> served = 0;
  std::atomic<unsigned> failed = 0;
  std::vector<std::thread> visitors;
  visitors.reserve(3);
  for (int i = 0; i < 3; ++i)
    visitors.emplace_back([&] {
      while (!ending) {
        try {
          ++(status_at(unit.port()) == 200U ? served : failed);
        } catch (const Failure&) {
          ++failed;
        }
      }
    });
  for (int i = 0; i < 5; ++i) {
    const unsigned until = served + 20;
    while (served < until && failed == 0U) std::this_thread::yield();
    unit.stop();
    unit.start();
  }
  ending = true;
  for (std::thread& visitor : visitors) visitor.join();
  unit.stop();
  BOOST_TEST(failed == 0U);
  BOOST_TEST(served >= 100U);
}

BOOST_AUTO_TEST_CASE(a_reload_lets_go_of_an_inherited_socket_and_takes_it_back) {
  Unit unit;
  unit.start();
  BOOST_TEST(status_at(unit.port()) == 200U);
  unit.reload(false);
  std::thread early([&] { BOOST_TEST(status_at(unit.port()) == 200U); });  // it waits in the socket's queue
  unit.reload(true);
  early.join();
  BOOST_TEST(status_at(unit.port()) == 200U);
  unit.stop();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
