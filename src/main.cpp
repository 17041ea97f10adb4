// The program: options, configuration, threads, signals.

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "src/coding.hpp"
#include "src/config.hpp"
#include "src/listener.hpp"
#include "src/log.hpp"
#include "src/sha1.hpp"
#include "src/shard.hpp"

namespace {

using namespace boshd;

constexpr int exit_usage = 2;

constexpr std::string_view usage =
    "boshd - lets web chat clients reach an XMPP server (BOSH, XEP-0124 and XEP-0206)\n"
    "\n"
    "Usage: boshd [--config FILE] [--check | --dump-config]\n"
    "\n"
    "  --config FILE   the configuration; without it every setting has its default\n"
    "  --check         read the configuration, say whether it is right, and stop\n"
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

sigset_t handled_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGHUP);
  return signals;
}

bosh::Settings session_settings(const Config& config) {
  bosh::Settings settings;
  settings.wait = config.session.wait;
  settings.hold = config.session.hold;
  settings.inactivity = config.session.inactivity;
  settings.polling = config.session.polling;
  settings.max_pause = config.session.max_pause;
  settings.streams = config.session.streams;
  settings.accept = codings_of_bosh;
  settings.sha1 = sha1_hex;
  settings.cache_bytes = config.limits.response_cache;
  settings.queue_bytes = config.limits.client_queue;
  return settings;
}

/// Every certificate with its names and its end; as a warning when that is near.
void log_certificates(const ServerTls& tls) {
  constexpr std::chrono::hours near = std::chrono::days(14);
  const auto now = std::chrono::system_clock::now();
  for (const ServerTls::Known& known : tls.certificates()) {
    std::string names;
    for (const std::string& name : known.names) names += (names.empty() ? "" : ",") + name;
    const auto days = std::chrono::floor<std::chrono::days>(known.expires - now).count();
    log(known.expires - now < near ? LogLevel::warning : LogLevel::info, "certificate",
        {{"file", known.file}, {"names", names}, {"expires_in_days", days}});
  }
}

/// Reads the certificates anew; those that can't be read leave the old ones in place.
void renew_certificates(const Config& config, const std::vector<std::unique_ptr<Shard>>& shards) {
  try {
    const auto tls = std::make_shared<const TlsFiles>(config);
    for (const auto& shard : shards) {
      std::vector<Mail> mail;
      mail.emplace_back(Renewed{tls});
      shard->post(std::move(mail));
    }
    log(LogLevel::info, "certificates-renewed");
    log_certificates(tls->server);
  } catch (const std::exception& error) {
    log(LogLevel::error, "certificates-kept", {{"error", error.what()}});
  }
}

/// Returns at the signal to stop.
int wait_for_stop(const Config& config, const std::vector<std::unique_ptr<Shard>>& shards) {
  const sigset_t signals = handled_signals();
  for (;;) {
    const timespec a_day{24 * 60 * 60, 0};
    const int signal = ::sigtimedwait(&signals, nullptr, &a_day);
    if (signal == SIGTERM || signal == SIGINT) return signal;
    const bool daily = signal < 0 && errno == EAGAIN && !config.tls.certificates.empty();
    if (signal == SIGHUP || daily) renew_certificates(config, shards);
  }
}

void serve(const Config& config) {
  const auto tls = std::make_shared<const TlsFiles>(config);
  log_certificates(tls->server);
  const bosh::Settings settings = session_settings(config);
  const unsigned count =
      config.threads != 0 ? config.threads : std::max(1U, std::thread::hardware_concurrency());
  Admission admission(config.limits, config.proxy.trusted);
  std::vector<std::unique_ptr<Shard>> shards;
  shards.reserve(count);
  for (unsigned i = 0; i < count; ++i)
    shards.push_back(std::make_unique<Shard>(i, config, settings, shards, tls, admission));
  for (const Listen& listen : config.listen) {
    const Listening listening = open_listener(listen, count);
    for (unsigned i = 0; i < count; ++i) shards[i]->serve(listening.descriptors[i], listen);
    log(LogLevel::info, "listening", {{"address", listening.address}, {"path", listen.bosh_path}});
  }
  std::vector<std::jthread> threads;
  threads.reserve(count);
  for (const auto& shard : shards) threads.emplace_back([&shard] { shard->run(); });
  const int signal = wait_for_stop(config, shards);
  log(LogLevel::info, "stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  for (const auto& shard : shards) shard->stop();
  for (const Listen& listen : config.listen) clean_up(listen);
}

}  // namespace

int main(int argc, char** argv) {
  const Command command = read_options({argv + 1, argv + argc});
  if (command.exit_status) return *command.exit_status;
  const Options& options = command.options;
  try {
    const Config config = options.config_file.empty() ? Config{} : read_config_file(options.config_file);
    if (options.dump) std::cout << dump_config(config);
    if (options.check) std::cout << "The configuration is right.\n";
    if (options.dump || options.check) return EXIT_SUCCESS;
    set_log_level(config.log_level);
    raise_descriptor_limit();
    set_up_memory();
    ::signal(SIGPIPE, SIG_IGN);
    const sigset_t signals = handled_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    serve(config);
  } catch (const ConfigError& error) {
    std::cerr << "boshd: " << error.what() << "\n";
    return exit_usage;
  } catch (const std::exception& error) {
    std::cerr << "boshd: " << error.what() << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
