// The program: its options, and what it needs of the system before it serves.

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/config.hpp"
#include "src/daemon.hpp"
#include "src/log/log.hpp"
#include "src/tls.hpp"

namespace {

using namespace boshd;

constexpr int exit_usage = 2;

constexpr std::string_view usage =
    "boshd - lets web chat clients reach an XMPP server (BOSH, XEP-0124 and XEP-0206)\n"
    "\n"
    "Usage: boshd [--config FILE] [--check | --dump-config]\n"
    "\n"
    "  --config FILE   the configuration; without it every setting has its default\n"
    "  --check         read the configuration and the certificates it names, say whether all is right, and "
    "stop\n"
    "  --dump-config   print the configuration with every effective value, and stop\n"
    "  --version       print the version, and stop\n"
    "  --help          print this, and stop\n";

struct Options {
  std::string config_file;
  bool check = false;
  bool dump = false;
};

/// The options; or the exit status when there is nothing more to do.
struct Command {
  Options options;
  std::optional<int> exit_status;
};

Command wrong_usage(std::string_view what) {
  std::cerr << "boshd: " << what << "; `boshd --help` lists the options\n";
  return {{}, exit_usage};
}

Command read_options(const std::vector<std::string_view>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      std::cout << usage;
      return {{}, EXIT_SUCCESS};
    }
    if (argument == "--version") {
      std::cout << "boshd " BOSHD_VERSION "\n";
      return {{}, EXIT_SUCCESS};
    }
    if (argument == "--check")
      options.check = true;
    else if (argument == "--dump-config")
      options.dump = true;
    else if (argument.starts_with("--config="))
      options.config_file = argument.substr(std::strlen("--config="));
    else if (argument == "--config" && i + 1 < arguments.size())
      options.config_file = arguments[++i];
    else if (argument == "--config")
      return wrong_usage("--config needs a file name");
    else
      return wrong_usage("unknown option '" + std::string(argument) + "'");
  }
  return {options, std::nullopt};
}

/// What the configuration names must be right, too.
void check_files(const Config& config) {
  const TlsFiles files(config);
  const auto faults = time_faults(*files.server, std::chrono::system_clock::now());
  if (!faults.empty()) throw ConfigError(faults.front());
  std::cout << "The configuration is right.\n";
}

/// Every session takes two descriptors; the hard limit is the operator's word.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Heaps grow in larger steps than malloc's own, each of which is a system call. What is larger than any
/// usual stanza goes back to the system as soon as it is freed.
void set_up_memory() {
  constexpr int step = 1024 * 1024;
  constexpr int large = 512 * 1024;
  ::mallopt(M_TOP_PAD, step);
  ::mallopt(M_MMAP_THRESHOLD, large);
}

}  // namespace

int main(int argc, char** argv) {
  const Command command = read_options({argv + 1, argv + argc});
  if (command.exit_status) return *command.exit_status;
  const Options& options = command.options;
  try {
    const auto config = std::make_shared<const Config>(
        options.config_file.empty() ? Config{} : read_config_file(options.config_file));
    if (options.dump) std::cout << dump_config(*config);
    if (options.check) check_files(*config);
    if (options.dump || options.check) return EXIT_SUCCESS;
    set_up_log(config->log);
    raise_descriptor_limit();
    set_up_memory();
    ::signal(SIGPIPE, SIG_IGN);
    block_handled_signals();
    Daemon(config, options.config_file).run();
  } catch (const ConfigError& error) {
    std::cerr << "boshd: " << error.what() << "\n";
    return exit_usage;
  } catch (const std::exception& error) {
    std::cerr << "boshd: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
