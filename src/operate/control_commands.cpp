// The commands of the control socket.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "src/config_text.hpp"
#include "src/daemon.hpp"
#include "src/log/log.hpp"
#include "src/operate/control.hpp"
#include "src/operate/control_json.hpp"
#include "src/operate/words.hpp"

namespace boshd {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_named = 5;  // of sessions that a query may mean

std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// --- Information ---

std::string reload_word(const ReloadState& state) {
  if (state.tried == std::chrono::system_clock::time_point{}) return "none yet";
  return state.ok ? "all went well" : "failed: " + state.error;
}

void show_info(const ControlCall& call) {
  call.control.ask_all(
      call.daemon.shards(), call.client, [](Shard& shard) { return shard.figures(); },
      [&daemon = call.daemon, &control = call.control](ControlClient& client,
                                                       std::vector<ShardFigures>&& all) {
        ShardFigures sum;
        for (const ShardFigures& figures : all) {
          sum.sessions += figures.sessions;
          sum.bosh += figures.bosh;
          sum.http_connections += figures.http_connections;
        }
        const auto up = std::chrono::steady_clock::now() - control.started();
        client.tell(line({{"version", BOSHD_VERSION},
                          {"pid", ::getpid()},
                          {"node", daemon.config().node},
                          {"state", to_string(daemon.monitor().ready_state())},
                          {"uptime_seconds", std::chrono::floor<std::chrono::seconds>(up).count()},
                          {"threads", all.size()},
                          {"sessions", {{"bosh", sum.bosh}, {"websocket", sum.sessions - sum.bosh}}},
                          {"http_connections", sum.http_connections},
                          {"config_file", daemon.config_file()},
                          {"last_reload", reload_word(daemon.reload_state())}}));
        client.finish();
      });
}

void show_sessions(const ControlCall& call) {
  call.control.go_through_sessions(
      call.client, [](ControlClient& client, const SessionFigures& s) { client.tell(session_line(s)); },
      [](ControlClient& client) { client.finish(); });
}

void show_tls(const ControlCall& call) {
  const auto now = std::chrono::system_clock::now();
  for (const ServerTls::Known& known : call.daemon.server_tls().certificates())
    call.client.tell(certificate_line(known, now));
  call.client.finish();
}

void show_errors(const ControlCall& call) {
  for (const Problem& problem : recent_problems()) call.client.tell(problem_line(problem));
  call.client.finish();
}

void show_status(const ControlCall& call) {
  call.client.tell(call.daemon.monitor().status());
  call.client.finish();
}

// --- One session ---

std::optional<SessionQuery> query_of(const ControlCall& call) {
  auto query = read_session_query(call.words.front(), call.daemon.config().node);
  if (!query)
    call.client.fail("'" + call.words.front() +
                     "' names no session; give the id that the log and `show sessions` show (4 digits of it "
                     "at least, behind the node's label), its #key, a JID, or a client's address");
  return query;
}

std::string several(const std::vector<SessionFigures>& found) {
  std::string sentence = "several sessions are meant; name one of them by its key:";
  for (std::size_t i = 0; i < std::min(found.size(), most_named); ++i)
    sentence += (i == 0 ? " " : ", ") + key_text(found[i].key) + " (" + found[i].domain + " from " +
                to_string(found[i].client.address) + ")";
  if (found.size() > most_named) sentence += ", …; `show sessions` lists them";
  return sentence;
}

/// The one session that is meant.
void find_session(const ControlCall& call, const Control::EachSession& found_one) {
  const auto query = query_of(call);
  if (!query) return;
  call.control.ask_all(
      call.daemon.shards(), call.client,
      [query = *query](Shard& shard) { return shard.find_sessions(query, most_named + 1); },
      [found_one, name = call.words.front()](ControlClient& client,
                                             std::vector<std::vector<SessionFigures>>&& all) {
        std::vector<SessionFigures> found;
        for (auto& part : all) std::ranges::move(part, std::back_inserter(found));
        if (found.empty())
          return client.fail("there is no session " + name + "; `show sessions` lists those there are");
        if (found.size() > 1) return client.fail(several(found));
        found_one(client, found.front());
      });
}

void show_session(const ControlCall& call) {
  find_session(call, [](ControlClient& client, const SessionFigures& session) {
    client.tell(session_details(session));
    client.finish();
  });
}

void kill_session(const ControlCall& call) {
  find_session(call, [&control = call.control, &daemon = call.daemon](ControlClient& client,
                                                                      const SessionFigures& session) {
    control.ask(
        *daemon.shards()[session.thread], client,
        [key = session.key](Shard& shard) { return shard.kill(key); },
        [id = session.id, key = session.key](ControlClient& asker, bool killed) {
          if (!killed) return asker.fail("the session has just ended by itself");
          asker.tell(line({{"id", id}, {"key", key_text(key)}, {"killed", true}}));
          asker.finish();
        });
  });
}

void trace_sessions(const ControlCall& call) {
  Unmasked unmasked;
  for (std::size_t i = 1; i < call.words.size(); ++i) {
    if (call.words[i] == "bodies")
      unmasked.bodies = true;
    else if (call.words[i] == "sasl")
      unmasked.secrets = true;
    else
      return call.client.fail("'" + call.words[i] +
                              "' is unknown; behind the session there may be `bodies` (texts are shown) and "
                              "`sasl` (passwords are shown)");
  }
  if (const auto query = query_of(call)) call.control.follow(call.client, *query, unmasked);
}

// --- Servers ---

struct Servers {
  std::map<std::string, ServerUse> all{};

  ServerUse& of(const std::string& name) {
    ServerUse& use = all[name];
    use.server = name;
    return use;
  }
  void count(const SessionFigures& session) {
    for (const LegFigures& leg : session.legs) {
      ServerUse& use = of(leg.server);
      ++(leg.open_within || leg.step == "queue" || leg.step == "dns" ? use.connecting : use.open);
      if (leg.tls.empty()) continue;
      ++use.encrypted;
      use.tls = leg.tls;
    }
  }
  void count(const ServerFailures& failures) {
    ServerFailures& sum = of(failures.server).failures;
    const std::uint64_t before = sum.count;
    if (failures.at >= sum.at) sum = failures;
    sum.count = before + failures.count;
  }
};

void show_upstreams(const ControlCall& call) {
  const auto servers = std::make_shared<Servers>();
  call.control.go_through_sessions(
      call.client, [servers](ControlClient&, const SessionFigures& session) { servers->count(session); },
      [servers, &control = call.control, &daemon = call.daemon](ControlClient& client) {
        control.ask_all(
            daemon.shards(), client, [](Shard& shard) { return shard.failures(); },
            [servers](ControlClient& asker, std::vector<std::vector<ServerFailures>>&& all) {
              for (const auto& part : all)
                for (const ServerFailures& failures : part) servers->count(failures);
              for (const auto& [name, use] : servers->all) asker.tell(server_line(use));
              asker.finish();
            });
      });
}

// --- Limits ---

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t whole = 0;
  std::size_t resident = 0;
  file >> whole >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t open_files() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  return error ? 0 : static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

/// What the sessions use of their limits: of each the most.
struct Use {
  std::size_t sessions = 0;
  std::size_t client_queue = 0;
  std::size_t response_cache = 0;
  std::size_t upstream_queue = 0;
  std::map<Address, std::size_t> addresses{};

  void count(const SessionFigures& session) {
    ++sessions;
    client_queue = std::max(client_queue, session.queued);
    response_cache = std::max(response_cache, session.cached);
    for (const LegFigures& leg : session.legs) upstream_queue = std::max(upstream_queue, leg.unsent);
    ++addresses[limited_part(session.client.address)];
  }
};

/// Each line with the name of its key, the value, how much of it is used if that can be said, and how often
/// somebody was refused because of it.
class LimitLines {
 public:
  explicit LimitLines(ControlClient& client) : client_(client) {}
  void tell(std::string_view name, std::string_view unit, std::uint64_t value, const Json& used = nullptr,
            const Json& refused = nullptr) {
    Json json{{"limit", name}, {"unit", unit}, {"value", value}, {"used", used}};
    if (!refused.is_null()) json["refused"] = refused;
    client_.tell(line(json));
  }

 private:
  ControlClient& client_;
};

void tell_limits(ControlClient& client, Daemon& daemon, const Use& use) {
  const LimitSettings& limits = daemon.config().limits;
  const auto refused = [&](Refusal refusal) { return daemon.admission().count(refusal); };
  const auto seconds = [](std::chrono::seconds s) { return static_cast<std::uint64_t>(s.count()); };
  std::size_t most = 0;
  for (const auto& [address, sessions] : use.addresses) most = std::max(most, sessions);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  LimitLines lines(client);
  lines.tell("limits.sessions", "sessions", limits.sessions, use.sessions, refused(Refusal::sessions));
  lines.tell("limits.memory", "bytes", limits.memory, resident_bytes(), refused(Refusal::memory));
  lines.tell("limits.sessions_per_address", "sessions", limits.sessions_per_address, most,
             refused(Refusal::address_sessions));
  lines.tell("limits.new_sessions_per_second", "sessions", limits.new_sessions_per_second, nullptr,
             refused(Refusal::address_rate));
  lines.tell("limits.requests_per_second", "requests", limits.requests_per_second);
  lines.tell("limits.login_failures", "failures", limits.login_failures, nullptr, refused(Refusal::logins));
  lines.tell("limits.client_queue", "bytes", limits.client_queue, use.client_queue);
  lines.tell("limits.response_cache", "bytes", limits.response_cache, use.response_cache);
  lines.tell("limits.upstream_queue", "bytes", limits.upstream_queue, use.upstream_queue);
  lines.tell("limits.max_request", "bytes", limits.max_request);
  lines.tell("limits.max_stanza", "bytes", limits.max_stanza);
  lines.tell("limits.max_header", "bytes", limits.max_header);
  lines.tell("limits.max_depth", "elements", limits.max_depth);
  lines.tell("limits.request_timeout", "seconds", seconds(limits.request_timeout));
  lines.tell("limits.idle_timeout", "seconds", seconds(limits.idle_timeout));
  lines.tell("limits.authentication_timeout", "seconds", seconds(limits.authentication_timeout));
  lines.tell("open files", "files", files.rlim_cur, open_files());
}

void show_limits(const ControlCall& call) {
  const auto use = std::make_shared<Use>();
  call.control.go_through_sessions(
      call.client, [use](ControlClient&, const SessionFigures& session) { use->count(session); },
      [use, &daemon = call.daemon](ControlClient& client) {
        tell_limits(client, daemon, *use);
        client.finish();
      });
}

// --- Orders ---

void set_level(const ControlCall& call) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (call.words.front() != to_string(level)) continue;
    set_log_level(level);
    log(LogLevel::info, "log-level", {{"level", to_string(level)}});
    return call.client.finish();
  }
  call.client.fail("'" + call.words.front() + "' is no level; debug, info, warning and error are");
}

void drain(const ControlCall& call) {
  if (call.daemon.state() == Daemon::State::stopping) return call.client.fail("boshd is stopping already");
  call.daemon.drain();
  call.client.finish();
}

void resume(const ControlCall& call) {
  if (call.daemon.state() == Daemon::State::stopping)
    return call.client.fail("boshd is stopping; start it anew");
  call.daemon.resume();
  call.client.finish();
}

/// Takes as long as the threads need, while the client may leave.
void reload(const ControlCall& call) {
  call.client.expect_answer();
  call.daemon.reload([&control = call.control, key = call.client.key()](const ReloadState& state) {
    ControlClient* client = control.find(key);
    if (!client) return;
    client->note_answer();
    if (!state.ok) return client->fail(state.error + "; nothing has changed");
    client->tell(line({{"reloaded", true}, {"need_restart", state.need_restart}}));
    client->finish();
  });
}

/// Holds a thread up, for the test of the watchdog.
void stall(const ControlCall& call) {
  unsigned thread = 0;
  unsigned seconds = 0;
  const auto number = [](const std::string& word, unsigned& value) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() && end == word.data() + word.size();
  };
  if (number(call.words[0], thread) && number(call.words[1], seconds) &&
      call.daemon.stall(thread, std::chrono::seconds(seconds)))
    return call.client.finish();
  call.client.fail("give a thread from 0 to " + std::to_string(call.daemon.shards().size() - 1) +
                   ", and seconds; and BOSHD_DEBUG_COMMANDS=1 in boshd's environment allows debug commands");
}

// --- All of them ---

struct Command {
  std::string_view name;
  std::string_view arguments;  // for people
  std::size_t least;           // of them
  std::size_t most;
  void (*run)(const ControlCall&);
};

constexpr std::array commands{
    Command{"show info", "", 0, 0, show_info},
    Command{"show sessions", "", 0, 0, show_sessions},
    Command{"show session", "ID", 1, 1, show_session},
    Command{"show upstreams", "", 0, 0, show_upstreams},
    Command{"show limits", "", 0, 0, show_limits},
    Command{"show tls", "", 0, 0, show_tls},
    Command{"show errors", "", 0, 0, show_errors},
    Command{"status", "", 0, 0, show_status},
    Command{"kill", "ID", 1, 1, kill_session},
    Command{"drain", "", 0, 0, drain},
    Command{"resume", "", 0, 0, resume},
    Command{"reload", "", 0, 0, reload},
    Command{"log level", "LEVEL", 1, 1, set_level},
    Command{"trace", "ID|JID|ADDRESS [bodies] [sasl]", 1, 3, trace_sessions},
    Command{"debug stall", "THREAD SECONDS", 2, 2, stall},
};

std::string usage(const Command& command) {
  return std::string(command.name) + (command.arguments.empty() ? "" : " ") + std::string(command.arguments);
}

/// What may have been meant.
std::string unknown(const std::vector<std::string>& words) {
  std::string first = words.empty() ? "" : words.front();
  const std::string two = words.size() < 2 ? first : first + " " + words[1];
  std::vector<std::string_view> names;
  names.reserve(commands.size());
  for (const Command& command : commands)
    if (!command.name.starts_with("debug")) names.push_back(command.name);
  std::string_view meant = nearest(two, names);
  if (meant.empty()) meant = nearest(first, names);
  std::string sentence = "unknown command '" + two + "'; ";
  if (!meant.empty()) return sentence + "did you mean `" + std::string(meant) + "`?";
  sentence += "there are";
  for (const std::string_view name : names)
    sentence += (name == names.front() ? " " : ", ") + std::string(name);
  return sentence;
}

}  // namespace

void run_command(Control& control, Daemon& daemon, ControlClient& client, std::string_view text) {
  std::vector<std::string> words = split_words(text);
  for (const Command& command : commands) {
    const std::vector<std::string> name = split_words(command.name);
    if (words.size() < name.size() || !std::equal(name.begin(), name.end(), words.begin())) continue;
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(name.size()));
    if (words.size() < command.least || words.size() > command.most)
      return client.fail("write it as `" + usage(command) + "`");
    return command.run({control, daemon, client, std::move(words)});
  }
  client.fail(unknown(words));
}

}  // namespace boshd
