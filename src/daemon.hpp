// The process: its configuration, its threads with their sessions, and the main thread's loop, on which
// signals, metrics and the control socket are.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "src/admission.hpp"
#include "src/config.hpp"
#include "src/listeners.hpp"
#include "src/loop.hpp"
#include "src/operate/admin_http.hpp"
#include "src/operate/control.hpp"
#include "src/operate/findings.hpp"
#include "src/operate/monitor.hpp"
#include "src/pulse.hpp"
#include "src/reload.hpp"
#include "src/shard.hpp"
#include "src/tls.hpp"

namespace boshd {

/// Belongs to the main thread, which has to have all signals blocked that `handled_signals` names.
class Daemon {
 public:
  /// `config_file`: is read again at a reload; empty: there is none. Opens the listeners. Throws
  /// std::runtime_error that says what the system refuses, ConfigError for what is wrong in a file, and what
  /// to do.
  Daemon(std::shared_ptr<const Config>, std::string config_file);
  ~Daemon();

  /// Serves until a signal ends it.
  void run();

  // For those on the main thread's loop.

  /// Reads the configuration and all files it names anew. If anything is wrong nothing changes, and
  /// reload_state() says why. `done` is called when every thread goes by the new one, or when it has failed.
  void reload(std::function<void(const ReloadState&)> done = {});
  const ReloadState& reload_state() const { return reload_state_; }

  enum class State { serving, draining, stopping };
  State state() const { return state_; }
  /// No new sessions; those there are go on, and so does the process. Nothing changes while it is stopping.
  void drain();
  void resume();

  /// How the threads' loops turn; one for each, in their order. All zero when nobody needs to know: no
  /// watchdog, no metrics.
  std::vector<Pulse::Reading> pulse() const { return pulse_.readings(std::chrono::steady_clock::now()); }
  /// Holds up a thread's loop, to see what the watchdog does. Only with BOSHD_DEBUG_COMMANDS=1 in the
  /// environment; false: not allowed, or there is no such thread.
  bool stall(unsigned thread, std::chrono::seconds);

  Loop& loop() { return loop_; }
  const Config& config() const { return *config_; }
  const std::string& config_file() const { return config_file_; }
  const std::vector<std::unique_ptr<Shard>>& shards() const { return shards_; }
  Admission& admission() { return admission_; }
  /// What is wrong with the proxies in front.
  const Findings& findings() const { return findings_; }
  const ServerTls& server_tls() const { return *tls_->server; }
  /// All that can be told of how it goes.
  const Monitor& monitor() const { return monitor_; }

 private:
  /// Tells what signals have come.
  class Signals final : private Watcher {
   public:
    explicit Signals(Daemon&);
    ~Signals();

   private:
    void on_readable() override;
    void on_writable() override {}

    Daemon& daemon_;
    int descriptor_;
    Loop::Id watched_;
  };

  void on_signal(int signal);
  void stop_softly(const std::string& signal);
  void stop_threads();
  void start_pulse();
  void on_pulse();
  std::string status() const;
  void tell_status();

  void change_to(std::shared_ptr<const Config>, std::shared_ptr<const TlsFiles>, Listeners::Plan&&,
                 const std::function<void()>& done);
  void plan_closing();
  void renew_certificates();
  void renew_daily();
  void tell_kept_back();

  Loop loop_;
  std::shared_ptr<const Config> config_;
  std::string config_file_;
  std::shared_ptr<const TlsFiles> tls_;
  Admission admission_;
  Findings findings_;
  std::vector<std::unique_ptr<Shard>> shards_;
  Listeners listeners_;
  std::vector<std::jthread> threads_;
  Signals signals_;
  Pulse pulse_;
  Timer daily_;
  Timer kept_back_;
  Timer closing_;  // of listeners that are no more
  bool closing_planned_ = false;
  Timer deadline_;  // of the sessions there are when it stops
  ReloadState reload_state_;
  State state_ = State::serving;
  Time fed_{};  // the watchdog
  std::string told_status_;
  Monitor monitor_;
  std::optional<AdminHttp> admin_http_;
  std::optional<Control> control_;
};

/// Blocks the signals that a Daemon handles, for this thread and those it starts.
void block_handled_signals();

}  // namespace boshd
