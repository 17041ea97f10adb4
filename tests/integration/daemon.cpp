#include "tests/integration/daemon.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/results_collector.hpp>
#include <boost/test/unit_test.hpp>
#include <exception>
#include <fstream>
#include <sstream>

namespace integration {

namespace {

constexpr int after_signal = 128;  // as a shell tells it

/// Runs in the child after fork, where only system calls are safe.
[[noreturn]] void become(char* const* arguments, int out, int err) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

std::vector<std::string> lines_with(const std::string& text, std::string_view part) {
  std::vector<std::string> found;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    if (line.find(part) != line.npos) found.push_back(line);
  return found;
}

bool test_has_failed() {
  using namespace boost::unit_test;
  return !results_collector.results(framework::current_test_case_id()).passed();
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = std::filesystem::temp_directory_path() / "boshd-test-XXXXXX";
  if (!::mkdtemp(name.data())) throw Failure("mkdtemp " + name);
  directory_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string TemporaryDirectory::write(std::string_view file, std::string_view text) const {
  std::ofstream(path(file)) << text;
  return path(file);
}

Output::Output() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Failure("pipe2");
  read_end_ = Descriptor(ends[0]);
  write_end_ = Descriptor(ends[1]);
}

Output::~Output() {
  write_end_.close();
  if (thread_.joinable()) thread_.join();
}

void Output::start() {
  write_end_.close();
  thread_ = std::thread([this] { collect(); });
}

void Output::collect() {
  std::array<char, 4096> chunk;
  for (;;) {
    const auto got = ::read(read_end_.get(), chunk.data(), chunk.size());
    const std::lock_guard lock(mutex_);
    if (got > 0) text_.append(chunk.data(), static_cast<std::size_t>(got));
    ended_ = got <= 0;
    changed_.notify_all();
    if (ended_) return;
  }
}

std::string Output::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

std::string Output::wait_for_line(std::string_view part, std::size_t skip) const {
  std::unique_lock lock(mutex_);
  std::vector<std::string> lines;
  const auto there = [&] {
    lines = lines_with(text_.substr(0, text_.rfind('\n') + 1), part);
    return lines.size() > skip || ended_;
  };
  if (!changed_.wait_for(lock, patience, there) || lines.size() <= skip)
    throw Failure("no line with '" + std::string(part) + "' in:\n" + excerpt(text_));
  return lines[skip];
}

void Output::wait_for_end() const {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return ended_; })) throw Failure("boshd does not end");
}

std::string boshd_program() {
  const char* given = std::getenv("BOSHD_PROGRAM");
  return given ? given : BOSHD_PROGRAM;
}

Process::Process(const std::vector<std::string>& arguments) : Process(boshd_program(), arguments) {}

Process::Process(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers(words.size() + 1);
  std::ranges::transform(words, pointers.begin(), [](std::string& word) { return word.data(); });
  id_ = ::fork();
  if (id_ == 0) become(pointers.data(), out.for_child(), err.for_child());
  out.start();
  err.start();
}

Process::~Process() {
  if (ended()) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

void Process::signal(int number) const {
  if (!ended()) ::kill(id_, number);
}

int Process::exit_status() {
  if (ended()) return status_;
  out.wait_for_end();
  err.wait_for_end();
  int status = 0;
  ::waitpid(id_, &status, 0);
  id_ = -1;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : after_signal + WTERMSIG(status);
  return status_;
}

Outcome run_boshd(const std::vector<std::string>& arguments) {
  Process process(arguments);
  const int status = process.exit_status();
  return {status, process.out.text(), process.err.text()};
}

namespace {

/// Settings of the listener, which come last, are written like those of any section: `listen.key = value`.
/// From a line on that begins a table, everything stays behind it.
std::string with_listener(std::string_view settings) {
  constexpr std::string_view prefix = "listen.";
  std::string text;
  std::string listener = "[[listen]]\naddress = \"127.0.0.1:0\"\n";
  const auto table = settings.starts_with('[') ? 0 : settings.find("\n[");
  const std::string_view tables = table == settings.npos ? std::string_view() : settings.substr(table);
  settings = settings.substr(0, settings.size() - tables.size());
  while (!settings.empty()) {
    const auto end = std::min(settings.find('\n'), settings.size() - 1) + 1;
    const std::string_view line = settings.substr(0, end);
    if (line.starts_with(prefix))
      listener += line.substr(prefix.size());
    else
      text += line;
    settings.remove_prefix(end);
  }
  // Several daemons run side by side, and few tests want to wait for the end of sessions.
  for (const auto& [key, value] : {std::pair("metrics.address", "\"\""), std::pair("stop.drain", "\"0s\"")})
    if (text.find(key) == text.npos) text += '\n' + std::string(key) + " = " + value;
  return text + '\n' + listener + '\n' + std::string(tables);
}

}  // namespace

Daemon::Daemon(std::string_view settings)
    : process_({"--config", directory_.write("boshd.toml", with_listener(settings))}) {
  const std::string line = wait_for_log("info listening address=127.0.0.1:");
  const auto colon = line.find(':', line.find("address="));
  port_ = static_cast<std::uint16_t>(std::stoi(line.substr(colon + 1)));
}

void Daemon::reload(std::string_view settings) {
  directory_.write("boshd.toml", with_listener(settings));
  signal(SIGHUP);
  wait_for_log(" reloaded", reloads_++);
}

std::string Daemon::fail_to_reload(std::string_view settings) {
  directory_.write("boshd.toml", with_listener(settings));
  signal(SIGHUP);
  return wait_for_log(" reload-failed", failed_reloads_++);
}

Daemon::~Daemon() {
  try {
    process_.signal(SIGTERM);
    BOOST_TEST(process_.exit_status() == 0, "boshd ended with status " << process_.exit_status());
  } catch (const Failure& failure) {
    BOOST_ERROR(failure.what());
  }
  for (const char* report : {"Sanitizer", "runtime error:", "Assertion"})
    BOOST_TEST(log().find(report) == std::string::npos, "the log has a report: " << report);
  if (std::uncaught_exceptions() > 0 || test_has_failed()) BOOST_TEST_MESSAGE("boshd's log:\n" << log());
}

void Daemon::freeze() const {
  signal(SIGSTOP);
  ::waitpid(process_.id(), nullptr, WUNTRACED);
}

void Daemon::go_on() const {
  signal(SIGCONT);
}

std::vector<std::string> Daemon::log_lines(std::string_view part) const {
  return lines_with(log(), part);
}

void Daemon::limit_descriptors(unsigned long count) const {
  const rlimit limit{count, count};
  ::prlimit(process_.id(), RLIMIT_NOFILE, &limit, nullptr);
}

std::size_t Daemon::resident() const {
  std::ifstream file("/proc/" + std::to_string(process_.id()) + "/statm");
  std::size_t whole = 0;
  std::size_t resident = 0;
  file >> whole >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

bool Daemon::has_grown_less(std::size_t before, std::size_t bytes) const {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr bool instrumented = true;
#else
  constexpr bool instrumented = false;
#endif
  const bool judged = !instrumented && boshd_program() == BOSHD_PROGRAM;
  return !judged || resident() < before + bytes;
}

}  // namespace integration
