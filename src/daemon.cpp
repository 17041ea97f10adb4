#include "src/daemon.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "src/log/access_log.hpp"
#include "src/log/log.hpp"
#include "src/service_manager.hpp"

namespace boshd {

namespace {

constexpr std::chrono::milliseconds usual_period{1000};  // of the pulse
constexpr std::chrono::seconds to_end{10};               // for what is under way when the daemon stops

sigset_t handled_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1}) ::sigaddset(&signals, signal);
  return signals;
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
  for (const std::string& fault : time_faults(tls, now))
    log(LogLevel::error, "certificate-useless", {{"error", fault}});
}

void log_reloaded(const ReloadState& state) {
  std::string keys;
  for (const std::string& key : state.need_restart) keys += (keys.empty() ? "" : ",") + key;
  if (keys.empty())
    log(LogLevel::info, "reloaded");
  else
    log(LogLevel::warning, "reloaded", {{"keys-need-restart", keys}});
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
      admission_(config_->limits, config_->proxy.trusted),
      listeners_(thread_count(*config_)),
      signals_(*this),
      pulse_(loop_, shards_),
      daily_(loop_),
      kept_back_(loop_),
      closing_(loop_),
      deadline_(loop_),
      monitor_(*this) {
  log_certificates(*tls_->server);
  open_access_log(config_->log);
  const unsigned count = thread_count(*config_);
  shards_.reserve(count);
  for (unsigned i = 0; i < count; ++i)
    shards_.push_back(std::make_unique<Shard>(i, config_, tls_, shards_, admission_, findings_));
  if (const std::string path = control_path(config_->control.socket); !path.empty())
    control_.emplace(*this, path);
  const auto each = listeners_.carry_out(listeners_.plan(config_->listen), {});
  for (unsigned i = 0; i < count; ++i)
    for (const Reloaded::Listener& listener : each[i])
      shards_[i]->serve(listener.id, listener.descriptor, listener.listen);
  reload_state_.loaded = std::chrono::system_clock::now();
  if (!config_->metrics.is_on()) return;
  admin_http_.emplace(loop_, config_->metrics.listen, monitor_);
  log(LogLevel::info, "metrics-listening", {{"address", admin_http_->address()}});
}

Daemon::~Daemon() {
  stop_threads();
}

void Daemon::run() {
  renew_daily();
  tell_kept_back();
  for (const auto& shard : shards_) {
    threads_.emplace_back([&shard] { shard->run(); });
    const std::string name = "shard " + std::to_string(threads_.size() - 1);
    ::pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
  start_pulse();
  monitor_.start();
  told_status_ = status();
  service_manager::tell_ready(told_status_);
  loop_.run();
  state_ = State::stopping;
  service_manager::tell_stopping("Ending all sessions.");
  stop_threads();
  log_kept_back(true);
}

void Daemon::stop_threads() {
  for (const auto& shard : shards_) shard->stop();
  threads_.clear();
}

/// How many lines the log has kept back.
void Daemon::tell_kept_back() {
  log_kept_back();
  kept_back_.start_in(std::chrono::seconds(5), [this] { tell_kept_back(); });
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
  if (signal == SIGHUP) return reload();
  if (signal == SIGUSR1) return reopen_access_log();
  const std::string name = std::string("SIG") + ::sigabbrev_np(signal);
  if (signal == SIGTERM && state_ != State::stopping) return stop_softly(name);
  log(LogLevel::info, "stopping", {{"signal", name}});
  loop_.stop();
}

// --- Draining ---

void Daemon::drain() {
  if (state_ != State::serving) return;
  state_ = State::draining;
  admission_.drain();
  log(LogLevel::info, "draining", {{"sessions", admission_.sessions()}});
  tell_status();
}

void Daemon::resume() {
  if (state_ != State::draining) return;
  state_ = State::serving;
  admission_.resume();
  log(LogLevel::info, "resumed");
  tell_status();
}

/// Until the last session has ended, or the time for that.
void Daemon::stop_softly(const std::string& signal) {
  const std::chrono::seconds patience = config_->stop.drain;
  state_ = State::stopping;
  deadline_.start_in(patience, [this] { loop_.stop(); });
  admission_.drain([this] { loop_.stop(); });
  log(LogLevel::info, "stopping",
      {{"signal", signal}, {"sessions", admission_.sessions()}, {"within_seconds", patience.count()}});
  service_manager::tell_stopping(status());
  service_manager::ask_for_time(patience + to_end);
}

// --- The pulse, and who listens to it ---

void Daemon::start_pulse() {
  const auto interval = service_manager::watchdog_interval();
  if (!interval && !config_->metrics.is_on()) return;
  auto period = usual_period;
  if (interval) {
    const auto half = std::chrono::floor<std::chrono::milliseconds>(*interval / 2);
    period = config_->metrics.is_on() ? std::min(half, usual_period) : half;
  }
  pulse_.start(std::max(period, std::chrono::milliseconds(1)), [this] { on_pulse(); });
}

/// Every thread has answered.
void Daemon::on_pulse() {
  const Time now = std::chrono::steady_clock::now();
  const auto interval = service_manager::watchdog_interval();
  if (interval && now - fed_ >= *interval / 2 - usual_period) {
    fed_ = now;
    service_manager::feed_watchdog();
  }
  tell_status();
}

bool Daemon::stall(unsigned thread, std::chrono::seconds time) {
  const char* allowed = std::getenv("BOSHD_DEBUG_COMMANDS");
  if (!allowed || std::string_view(allowed) != "1" || thread >= shards_.size()) return false;
  log(LogLevel::warning, "stalled", {{"thread", thread}, {"seconds", time.count()}});
  shards_[thread]->ask([time](Shard&) { std::this_thread::sleep_for(time); });
  return true;
}

/// A sentence or two for `systemctl status`.
std::string Daemon::status() const {
  const std::size_t sessions = admission_.sessions();
  std::string text = std::to_string(sessions) + (sessions == 1 ? " session" : " sessions");
  if (state_ == State::draining) text = "Draining, no new sessions; " + text + " left.";
  if (state_ == State::stopping) text = "Stopping; " + text + " left.";
  if (state_ == State::serving) text = "Serving " + text + ".";
  if (!reload_state_.ok)
    text += " The last reload failed, the configuration from before counts: " + reload_state_.error;
  std::ranges::replace(text, '\n', ' ');
  return text;
}

void Daemon::tell_status() {
  if (!service_manager::is_there()) return;
  std::string text = status();
  if (text == told_status_) return;
  told_status_ = std::move(text);
  service_manager::tell_status(told_status_);
}

// --- Reloading ---

void Daemon::reload(std::function<void(const ReloadState&)> done) {
  service_manager::tell_reloading();
  reload_state_.tried = std::chrono::system_clock::now();
  const auto finish = [this, done = std::move(done)] {
    told_status_ = status();
    service_manager::tell_ready(told_status_);
    if (done) done(reload_state_);
  };
  try {
    Config fresh = config_file_.empty() ? *config_ : read_config_file(config_file_);
    std::vector<std::string> need_restart = keep_fixed_keys(fresh, *config_);
    auto tls = std::make_shared<const TlsFiles>(fresh, tls_.get());
    Listeners::Plan plan = listeners_.plan(fresh.listen);
    open_access_log(fresh.log);
    // Nothing fails from here on.
    findings_.forget();
    reload_state_ = {.tried = reload_state_.tried,
                     .loaded = reload_state_.tried,
                     .succeeded = reload_state_.succeeded + 1,
                     .failed = reload_state_.failed,
                     .need_restart = std::move(need_restart)};
    change_to(std::make_shared<const Config>(std::move(fresh)), std::move(tls), std::move(plan),
              [this, finish] {
                log_reloaded(reload_state_);
                finish();
              });
  } catch (const std::exception& error) {
    reload_state_.ok = false;
    reload_state_.error = error.what();
    ++reload_state_.failed;
    log(LogLevel::error, "reload-failed", {{"error", error.what()}});
    finish();
  }
}

/// `done`: when all threads have it.
void Daemon::change_to(std::shared_ptr<const Config> config, std::shared_ptr<const TlsFiles> tls,
                       Listeners::Plan&& plan, const std::function<void()>& done) {
  const bool same_certificates = tls->server == tls_->server;
  config_ = std::move(config);
  tls_ = std::move(tls);
  set_up_log(config_->log);
  if (!same_certificates) log_certificates(*tls_->server);
  admission_.change(config_->limits, config_->proxy.trusted);
  auto each = listeners_.carry_out(std::move(plan), std::chrono::steady_clock::now());
  const auto missing = std::make_shared<std::size_t>(shards_.size());
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    std::vector<Mail> mail;
    mail.emplace_back(Reloaded{config_, tls_, std::move(each[i])});
    shards_[i]->post(std::move(mail));
    shards_[i]->ask([this, missing, done](Shard&) {
      loop_.send([missing, done] {
        if (--*missing == 0) done();
      });
    });
  }
  plan_closing();
}

void Daemon::plan_closing() {
  if (!listeners_.has_retired() || std::exchange(closing_planned_, true)) return;
  closing_.start_in(retirement, [this] {
    closing_planned_ = false;
    for (const ListenerId id : listeners_.finished(std::chrono::steady_clock::now()))
      for (const auto& shard : shards_) shard->ask([id](Shard& asked) { asked.close_listener(id); });
    plan_closing();
  });
}

// --- Certificates ---

/// Reads the files of the present configuration anew.
void Daemon::renew_certificates() {
  try {
    auto tls = std::make_shared<const TlsFiles>(*config_, tls_.get());
    change_to(config_, std::move(tls), listeners_.plan(config_->listen),
              [] { log(LogLevel::info, "certificates-renewed"); });
  } catch (const std::exception& error) {
    log(LogLevel::error, "certificates-kept", {{"error", error.what()}});
  }
}

void Daemon::renew_daily() {
  daily_.start_in(std::chrono::days(1), [this] {
    renew_certificates();
    renew_daily();
  });
}

}  // namespace boshd
