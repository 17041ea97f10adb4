// The process: its configuration, its threads with their sessions, and the main thread's loop, on which
// signals, metrics and the control socket are.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bosh/session.hpp"
#include "src/admission.hpp"
#include "src/config.hpp"
#include "src/loop.hpp"
#include "src/shard.hpp"
#include "src/tls.hpp"

namespace boshd {

/// Belongs to the main thread, which has to have all signals blocked that `handled_signals` names.
class Daemon {
 public:
  /// `config_file`: is read again at a reload; empty: there is none. Opens the listeners. Throws
  /// std::runtime_error that says what the system refuses, and what to do.
  Daemon(std::shared_ptr<const Config>, std::string config_file);
  ~Daemon();

  /// Serves until a signal ends it.
  void run();

  // For those on the main thread's loop.
  Loop& loop() { return loop_; }
  const Config& config() const { return *config_; }
  const std::string& config_file() const { return config_file_; }
  const std::vector<std::unique_ptr<Shard>>& shards() const { return shards_; }
  Admission& admission() { return admission_; }
  const ServerTls& server_tls() const { return tls_->server; }

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
  void renew_certificates();
  void renew_daily();
  void stop();

  Loop loop_;
  std::shared_ptr<const Config> config_;
  std::string config_file_;
  std::shared_ptr<const TlsFiles> tls_;
  bosh::Settings settings_;
  Admission admission_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::jthread> threads_;
  Signals signals_;
  Timer daily_;
};

/// Blocks the signals that a Daemon handles, for this thread and those it starts.
void block_handled_signals();

}  // namespace boshd
