#include "src/daemon.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "src/coding.hpp"
#include "src/listener.hpp"
#include "src/log.hpp"
#include "src/sha1.hpp"

namespace boshd {

namespace {

sigset_t handled_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1}) ::sigaddset(&signals, signal);
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

unsigned thread_count(const Config& config) {
  return config.threads != 0 ? config.threads : std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

void block_handled_signals() {
  const sigset_t signals = handled_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// --- Start and end ---

Daemon::Daemon(std::shared_ptr<const Config> config, std::string config_file)
    : config_(std::move(config)),
      config_file_(std::move(config_file)),
      tls_(std::make_shared<const TlsFiles>(*config_)),
      settings_(session_settings(*config_)),
      admission_(config_->limits, config_->proxy.trusted),
      signals_(*this),
      daily_(loop_) {
  log_certificates(tls_->server);
  const unsigned count = thread_count(*config_);
  shards_.reserve(count);
  for (unsigned i = 0; i < count; ++i)
    shards_.push_back(std::make_unique<Shard>(i, *config_, settings_, shards_, tls_, admission_));
  for (const Listen& listen : config_->listen) {
    const Listening listening = open_listener(listen, count);
    for (unsigned i = 0; i < count; ++i) shards_[i]->serve(listening.descriptors[i], listen);
    log(LogLevel::info, "listening", {{"address", listening.address}, {"path", listen.bosh_path}});
  }
}

Daemon::~Daemon() {
  stop();
  threads_.clear();
  for (const Listen& listen : config_->listen) clean_up(listen);
}

void Daemon::run() {
  renew_daily();
  for (const auto& shard : shards_) threads_.emplace_back([&shard] { shard->run(); });
  loop_.run();
  stop();
  threads_.clear();
}

void Daemon::stop() {
  for (const auto& shard : shards_) shard->stop();
}

// --- Signals ---

Daemon::Signals::Signals(Daemon& daemon) : daemon_(daemon) {
  const sigset_t signals = handled_signals();
  descriptor_ = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor_ < 0) throw std::system_error(errno, std::system_category(), "signalfd");
  watched_ = daemon_.loop_.add_level(descriptor_, *this);
  daemon_.loop_.want_read(watched_, true);
}

Daemon::Signals::~Signals() {
  daemon_.loop_.remove(watched_, descriptor_);
  ::close(descriptor_);
}

void Daemon::Signals::on_readable() {
  signalfd_siginfo info{};
  while (::read(descriptor_, &info, sizeof info) == sizeof info)
    daemon_.on_signal(static_cast<int>(info.ssi_signo));
}

void Daemon::on_signal(int signal) {
  if (signal == SIGHUP) return renew_certificates();
  if (signal == SIGUSR1) return;
  log(LogLevel::info, "stopping", {{"signal", std::string("SIG") + ::sigabbrev_np(signal)}});
  loop_.stop();
}

// --- Certificates ---

/// Reads the certificates anew; those that can't be read leave the old ones in place.
void Daemon::renew_certificates() {
  try {
    tls_ = std::make_shared<const TlsFiles>(*config_);
    for (const auto& shard : shards_) {
      std::vector<Mail> mail;
      mail.emplace_back(Renewed{tls_});
      shard->post(std::move(mail));
    }
    log(LogLevel::info, "certificates-renewed");
    log_certificates(tls_->server);
  } catch (const std::exception& error) {
    log(LogLevel::error, "certificates-kept", {{"error", error.what()}});
  }
}

void Daemon::renew_daily() {
  daily_.start_in(std::chrono::days(1), [this] {
    if (!config_->tls.certificates.empty()) renew_certificates();
    renew_daily();
  });
}

}  // namespace boshd
