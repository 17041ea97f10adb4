// boshctl: its options, and its commands, most of which are boshd's own.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boshctl/check.hpp"
#include "boshctl/client.hpp"
#include "boshctl/show.hpp"
#include "boshctl/top.hpp"
#include "src/operate/words.hpp"

namespace {

using namespace boshctl;

constexpr int exit_usage = 2;

struct Command {
  std::string_view name;
  std::string_view arguments;
  std::size_t least;  // arguments
  std::size_t most;
  std::string_view help;
};

constexpr std::array commands{
    Command{"show info", "", 0, 0, "version, threads, number of sessions, state"},
    Command{"show sessions", "", 0, 0, "all sessions, one a line"},
    Command{"show session", "ID", 1, 1, "all there is of one session; ID as the log has it, or its #key"},
    Command{"show upstreams", "", 0, 0, "the XMPP servers: connections, TLS, failures"},
    Command{"show limits", "", 0, 0, "each limit, and how much of it is used"},
    Command{"show tls", "", 0, 0, "certificates and how long they are valid"},
    Command{"show errors", "", 0, 0, "the latest warnings and errors"},
    Command{"status", "", 0, 0, "totals, rates, delays, ends"},
    Command{"top", "", 0, 0,
            "the same, refreshed each second, with the oldest and busiest sessions; q leaves"},
    Command{"trace", "ID|JID|ADDRESS [bodies] [sasl]", 1, 3,
            "follow sessions live; texts are covered unless `bodies`, passwords unless `sasl` is given"},
    Command{"kill", "ID", 1, 1, "end a session; its client is told policy-violation"},
    Command{"drain", "", 0, 0, "take no new sessions; /readyz says 404"},
    Command{"resume", "", 0, 0, "take new sessions again"},
    Command{"reload", "", 0, 0, "read configuration and certificates anew"},
    Command{"log level", "LEVEL", 1, 1, "debug, info, warning or error, until the next reload or start"},
    Command{"check", "[--config FILE] [--url URL] [--websocket URL] DOMAIN", 1, 7,
            "walk the way to a domain's server step by step, or through the proxy in front; needs no running "
            "boshd"},
};
// Works, and is for tests.
constexpr std::string_view hidden = "debug stall";

std::string help() {
  std::string text =
      "boshctl - asks a running boshd, and tells it what to do\n"
      "\n"
      "Usage: boshctl [-s SOCKET] [-j] COMMAND\n"
      "\n";
  for (const Command& command : commands) {
    std::string usage(command.name);
    if (!command.arguments.empty()) usage += " " + std::string(command.arguments);
    text += "  " + usage + "\n      " + std::string(command.help) + "\n";
  }
  return text +
         "\n"
         "  -s SOCKET    boshd's control socket; else $BOSHD_CONTROL, else /run/boshd/control.sock\n"
         "  -j           boshd's own lines of JSON instead of tables\n"
         "  --version    print the version, and stop\n"
         "  --help       print this, and stop\n";
}

struct Options {
  std::string socket = default_socket();
  bool json = false;
  std::vector<std::string> words{};
};

int wrong_usage(const std::string& what) {
  std::cerr << "boshctl: " << what << "\n";
  return exit_usage;
}

/// The options in front of the command; or the exit status when there is nothing more to do.
std::optional<int> read_options(const std::vector<std::string>& arguments, Options& options) {
  std::size_t i = 0;
  for (; i < arguments.size() && arguments[i].starts_with('-'); ++i) {
    const std::string& option = arguments[i];
    if (option == "--help" || option == "-h") {
      std::cout << help();
      return EXIT_SUCCESS;
    }
    if (option == "--version") {
      std::cout << "boshctl " BOSHD_VERSION "\n";
      return EXIT_SUCCESS;
    }
    if (option == "-j" || option == "--json")
      options.json = true;
    else if ((option == "-s" || option == "--socket") && i + 1 < arguments.size())
      options.socket = arguments[++i];
    else if (option == "-s" || option == "--socket")
      return wrong_usage(option + " needs the path of boshd's control socket");
    else
      return wrong_usage("unknown option '" + option + "'; `boshctl --help` lists the options");
  }
  options.words.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

int unknown(const std::vector<std::string>& words) {
  std::vector<std::string_view> names;
  names.reserve(commands.size());
  for (const Command& command : commands) names.push_back(command.name);
  const std::string two = joined(
      {words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(2, words.size()))});
  std::string_view meant = boshd::nearest(two, names);
  if (meant.empty()) meant = boshd::nearest(words.front(), names);
  if (words.front() == "show" && meant.empty())
    return wrong_usage("show what? info, sessions, session ID, upstreams, limits, tls or errors");
  return wrong_usage(
      "unknown command '" + two + "'; " +
      (meant.empty() ? "`boshctl --help` lists the commands" : "did you mean `" + std::string(meant) + "`?"));
}

const Command* find_command(const std::vector<std::string>& words, std::size_t& length) {
  for (const Command& command : commands) {
    const std::vector<std::string> name = boshd::split_words(command.name);
    length = name.size();
    if (words.size() >= length && std::equal(name.begin(), name.end(), words.begin())) return &command;
  }
  return nullptr;
}

/// Sends the command and prints the answer.
int converse(const Options& options) {
  const std::string command = joined(options.words);
  std::vector<Json> lines;
  std::string error;
  bool ended = false;
  ask(options.socket, command, [&](std::string_view line) {
    Json json = Json::parse(line, nullptr, false);
    error = text(json, "error");
    ended = !error.empty() || (json.is_object() && json.contains("ok"));
    if (!error.empty()) return false;
    if (options.json)
      std::cout << line << std::endl;
    else if (options.words.front() == "trace")
      std::cout << show_trace(json) << std::flush;
    else if (!ended)
      lines.push_back(std::move(json));
    return !ended && !std::cout.fail();
  });
  if (!error.empty()) throw Failure(error);
  if (!options.json) std::cout << show_answer(command, lines, terminal_width());
  if (!ended && !std::cout.fail())
    throw Failure("boshd has closed the connection before its answer was complete");
  return EXIT_SUCCESS;
}

int run(const Options& options) {
  if (options.words.empty()) return wrong_usage("no command; `boshctl --help` lists them");
  if (options.words.front() == "help") {
    std::cout << help();
    return EXIT_SUCCESS;
  }
  const bool is_hidden = joined(options.words).starts_with(hidden);
  std::size_t length = 0;
  const Command* command = find_command(options.words, length);
  if (!command && !is_hidden) return unknown(options.words);
  const std::size_t given = options.words.size() - std::min(length, options.words.size());
  if (command && (given < command->least || given > command->most))
    return wrong_usage("write it as `boshctl " + std::string(command->name) +
                       (command->arguments.empty() ? "" : " ") + std::string(command->arguments) + "`");
  if (command && command->name == "check")
    return check({options.words.begin() + 1, options.words.end()}, options.json);
  if (command && command->name == "top") return top(options.socket);
  return converse(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    if (const auto status = read_options({argv + 1, argv + argc}, options)) return *status;
    return run(options);
  } catch (const UsageError& error) {
    return wrong_usage(error.what());
  } catch (const std::exception& error) {
    std::cerr << "boshctl: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
}
