// The load of the benchmark: thousands of clients in one thread, over BOSH or WebSocket. Checks every echo,
// and prints what was seen as one line of JSON. Ends with another status than 0 when anything was lost, came
// twice or out of order, or when a session was refused or broke.
//
//   bench_load [--NAME VALUE]…      the names are those of `Options`
//
// Modes: `echo`, each session sends its next stanza when the last one has come back, or all together `rate`
// of them a second; `push`, the server sends `rate` a second to each; `idle`, they only wait, and the
// server's memory is looked at; `login`, all come at once.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/histogram.hpp"
#include "tests/bench/session.hpp"

namespace bench {
namespace {

using namespace std::chrono_literals;

struct Options {
  std::string mode = "echo";
  std::uint64_t port = 5280;
  std::string path = "/http-bind";
  std::string host = "localhost";
  std::string domain = "bench.local";
  std::string route;  // where a manager that asks DNS is to be led instead (XEP-0124 §7)
  std::uint64_t websocket = 0;
  std::uint64_t tls = 0;
  std::uint64_t requests = 2;    // BOSH: 1: no long poll beside the request that brings a stanza
  std::uint64_t sessions = 100;  // that do what the mode says
  std::uint64_t bystanders = 0;  // that only wait
  std::uint64_t rate = 0;        // 0: as fast as it goes
  std::uint64_t window = 1;      // stanzas of one session that may be out
  std::uint64_t bytes = 150;     // about so long is a stanza
  std::uint64_t warmup = 1;      // seconds that are not counted
  std::uint64_t seconds = 5;
  std::uint64_t server = 0;  // process whose time and memory are looked at; 0: none
  std::uint64_t rest = 0;    // idle: seconds from the last login to the look
  std::uint64_t after = 0;   // idle: seconds from the end of the sessions to another look
};

Options read_options(int argc, char** argv) {
  Options options;
  const std::map<std::string_view, std::string*> words{{"mode", &options.mode},
                                                       {"path", &options.path},
                                                       {"host", &options.host},
                                                       {"domain", &options.domain},
                                                       {"route", &options.route}};
  const std::map<std::string_view, std::uint64_t*> numbers{
      {"port", &options.port},         {"websocket", &options.websocket}, {"tls", &options.tls},
      {"requests", &options.requests}, {"sessions", &options.sessions},   {"bystanders", &options.bystanders},
      {"rate", &options.rate},         {"window", &options.window},       {"bytes", &options.bytes},
      {"warmup", &options.warmup},     {"seconds", &options.seconds},     {"server", &options.server},
      {"rest", &options.rest},         {"after", &options.after}};
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name =
        std::string_view(argv[i]).substr(std::min<std::size_t>(2, std::string_view(argv[i]).size()));
    if (i + 1 == argc) fail(std::string(argv[i]) + " needs a value");
    if (const auto word = words.find(name); word != words.end())
      *word->second = argv[i + 1];
    else if (const auto number = numbers.find(name); number != numbers.end())
      *number->second = number_in(argv[i + 1]);
    else
      fail("unknown option " + std::string(argv[i]));
  }
  return options;
}

constexpr std::uint64_t first_clients = 200;

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options),
        terms_{loop_,
               {static_cast<std::uint16_t>(options.port), options.path, options.host, options.tls == 1},
               options.domain,
               options.route,
               options.websocket == 1,
               options.requests == 2},
        events_{[this](Session&) { ++ready_; },
                [this](Session& session, std::string_view text) { heard(session, text); },
                [this](Session& session, std::string_view why) { lost(session, why); }},
        filler_(options.bytes > 90 ? options.bytes - 90 : 0, 'x') {}

  /// The exit status.
  int run();

 private:
  void open(std::uint64_t count, std::uint64_t at_once);
  void echo();
  void push();
  void idle();
  void leave();
  void log_in();
  void measure();
  void send(Session&, Clock::time_point due);
  void send_due(Clock::time_point now);
  void heard(Session&, std::string_view text);
  void count(Session&, std::uint64_t sequence, Clock::time_point sent);
  void lost(const Session&, std::string_view why);
  void wait(Clock::duration);
  std::size_t resident_at_rest();
  std::chrono::nanoseconds server_time() const { return options_.server ? cpu_time(server()) : 0ns; }
  pid_t server() const { return static_cast<pid_t>(options_.server); }
  void tell(std::string_view name, double value);

  Options options_;
  Loop loop_;
  Terms terms_;
  Session::Events events_;
  std::string filler_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::uint64_t ready_ = 0;
  std::uint64_t failed_ = 0;
  bool running_ = false;  // stanzas are sent
  bool counting_ = false;
  std::size_t next_ = 0;  // session that sends when the next stanza is due
  Clock::time_point due_ = Clock::time_point::max();
  std::uint64_t total_ = 0;   // stanzas that came back
  std::uint64_t echoed_ = 0;  // those of them that are counted
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
  Histogram delays_;
  std::string report_;
};

int Load::run() {
  if (options_.mode == "echo")
    echo();
  else if (options_.mode == "push")
    push();
  else if (options_.mode == "idle")
    idle();
  else if (options_.mode == "login")
    log_in();
  else
    fail("there is no mode " + options_.mode);
  tell("failed", static_cast<double>(failed_));
  std::cout << "{" << report_ << "}" << std::endl;
  return failed_ + duplicated_ + reordered_ > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

void Load::tell(std::string_view name, double value) {
  if (!report_.empty()) report_ += ", ";
  report_ += "\"" + std::string(name) + "\": " + std::to_string(value);
}

void Load::wait(Clock::duration time) {
  const auto end = Clock::now() + time;
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    send_due(now);
    loop_.turn(std::max<Clock::duration>(std::min(end, due_) - now, 0ns));
  }
}

/// Opens so many more sessions, some at a time.
void Load::open(std::uint64_t count, std::uint64_t at_once) {
  const auto patience = Clock::now() + 120s;
  const std::uint64_t wanted = sessions_.size() + count;
  while (ready_ + failed_ < wanted) {
    while (sessions_.size() < wanted && sessions_.size() - ready_ - failed_ < at_once) {
      sessions_.push_back(
          std::make_unique<Session>(terms_, events_, static_cast<std::uint32_t>(sessions_.size())));
      sessions_.back()->start();
    }
    loop_.turn(100ms);
    if (Clock::now() > patience)
      fail(std::to_string(wanted - ready_) + " sessions could not log in within two minutes");
  }
}

void Load::lost(const Session& session, std::string_view why) {
  if (failed_++ == 0) std::cerr << "session " << session.number() << " is lost: " << why << "\n";
}

// --- Stanzas ---

void Load::send(Session& session, Clock::time_point due) {
  session.under_way.push_back(due);
  session.send("<message xmlns='jabber:client' to='" + session.jid() + "' type='chat' id='bench-" +
               std::to_string(session.number()) + "-" + std::to_string(++session.sent) + "'><body>" +
               filler_ + "</body></message>");
}

/// At a given rate: the next session that has nothing under way sends, or none, and the stanza is late.
void Load::send_due(Clock::time_point now) {
  const auto step = std::chrono::nanoseconds(1s) / std::max<std::uint64_t>(options_.rate, 1);
  for (; due_ <= now; due_ += step) {
    std::size_t tried = 0;
    while (tried < options_.sessions && sessions_[next_]->under_way.size() >= options_.window) {
      next_ = (next_ + 1) % options_.sessions;
      ++tried;
    }
    if (tried == options_.sessions) return;
    send(*sessions_[next_], due_);
    next_ = (next_ + 1) % options_.sessions;
  }
}

void Load::heard(Session& session, std::string_view text) {
  for (auto at = text.find(" id=", 0); at != text.npos; at = text.find(" id=", at + 1)) {
    const std::string_view id = text.substr(at + 5);
    if (!id.starts_with("bench-")) continue;
    if (options_.mode == "push") {
      const auto sent = std::chrono::microseconds(number_in(between(id, " at='", "'")));
      count(session, number_in(id.substr(6)) + 1, Clock::time_point(sent));
    } else {
      const auto dash = id.find('-', 6);
      if (number_in(id.substr(6)) != session.number()) return lost(session, "it has heard what is another's");
      count(session, number_in(id.substr(dash + 1)), session.under_way.front());
      session.under_way.pop_front();
      if (running_ && options_.rate == 0) send(session, Clock::now());
    }
  }
}

void Load::count(Session& session, std::uint64_t sequence, Clock::time_point sent) {
  if (sequence <= session.got)
    ++duplicated_;
  else if (sequence > session.got + 1)
    ++reordered_;
  session.got = std::max(session.got, sequence);
  ++total_;
  if (!counting_) return;
  ++echoed_;
  delays_.add(Clock::now() - sent);
}

/// What is asked for is under way now.
void Load::measure() {
  wait(std::chrono::seconds(options_.warmup));
  counting_ = true;
  const auto before = server_time();
  const auto began = Clock::now();
  wait(std::chrono::seconds(options_.seconds));
  const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
  const auto used = server_time() - before;
  counting_ = running_ = false;
  due_ = Clock::time_point::max();
  tell("stanzas", static_cast<double>(echoed_));
  tell("per_second", static_cast<double>(echoed_) / seconds);
  tell("cpu_us",
       static_cast<double>(used.count()) / 1000 / static_cast<double>(std::max<std::uint64_t>(echoed_, 1)));
  tell("cpu_share", static_cast<double>(used.count()) / 1e9 / seconds);
  for (const auto& [name, part] :
       {std::pair{"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"p999_us", 0.999}})
    tell(name, static_cast<double>(delays_.percentile(part)));
}

void Load::echo() {
  open(options_.sessions, 64);
  open(options_.bystanders, 64);
  running_ = true;
  if (options_.rate > 0)
    due_ = Clock::now();
  else
    for (std::uint64_t i = 0; i < options_.sessions * options_.window; ++i)
      send(*sessions_[i % options_.sessions], Clock::now());
  measure();
  const auto out = [&] {
    return std::ranges::any_of(sessions_, [](const auto& session) { return !session->under_way.empty(); });
  };
  for (const auto patience = Clock::now() + 10s; out() && Clock::now() < patience;) loop_.turn(100ms);
  std::uint64_t missing = 0;
  for (const auto& session : sessions_) missing += session->under_way.size();
  tell("total", static_cast<double>(total_));
  tell("lost", static_cast<double>(missing));
  tell("duplicated", static_cast<double>(duplicated_));
  tell("reordered", static_cast<double>(reordered_));
  failed_ += missing;
}

void Load::push() {
  open(options_.sessions, 64);
  for (const auto& session : sessions_)
    session->send("<message xmlns='jabber:client'><push rate='" + std::to_string(options_.rate) +
                  "'/></message>");
  measure();
  tell("duplicated", static_cast<double>(duplicated_));
  tell("reordered", static_cast<double>(reordered_));
}

// --- Sessions ---

/// The memory in use once it has not changed for five seconds: buffers are given back with a delay. Some
/// servers' changes for ever.
std::size_t Load::resident_at_rest() {
  std::size_t last = 0;
  const auto patience = Clock::now() + 30s;
  for (int same = 0; same < 5 && Clock::now() < patience;) {
    wait(1s);
    const std::size_t now = resident_bytes(server());
    same = now == last ? same + 1 : 0;
    last = now;
  }
  return last;
}

/// What the first clients bring into memory, code above all, is no session's: some come and go before the
/// first look.
void Load::idle() {
  if (options_.rest > 0) {
    open(first_clients, 64);
    leave();
    sessions_.clear();
    ready_ = 0;
    wait(std::chrono::seconds(options_.rest));
  }
  const std::size_t before = resident_at_rest();
  open(options_.sessions, 64);
  wait(std::chrono::seconds(options_.rest));
  const std::size_t full = resident_at_rest();
  tell("before", static_cast<double>(before));
  tell("full", static_cast<double>(full));
  tell("resident",
       (static_cast<double>(full) - static_cast<double>(before)) / static_cast<double>(options_.sessions));
  if (options_.after == 0) return;
  leave();
  wait(std::chrono::seconds(options_.after));
  tell("after", static_cast<double>(resident_bytes(server())));
}

/// Some at a time: over BOSH each takes a second connection for it.
void Load::leave() {
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    sessions_[i]->leave();
    if (i % 64 == 63) wait(20ms);
  }
  wait(100ms);
}

void Load::log_in() {
  const auto before = server_time();
  const auto began = Clock::now();
  open(options_.sessions, options_.sessions);
  tell("seconds", std::chrono::duration<double>(Clock::now() - began).count());
  tell("setup_us",
       static_cast<double>((server_time() - before).count()) / 1000 / static_cast<double>(options_.sessions));
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::Load(bench::read_options(argc, argv)).run();
}
