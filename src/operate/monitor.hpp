// What the daemon knows of itself, put together for those who ask: metrics, health, status.
#pragma once

#include <string>

#include "src/loop.hpp"
#include "src/operate/history.hpp"
#include "src/operate/metrics.hpp"
#include "src/operate/readings.hpp"

namespace boshd {

class Daemon;

/// On the main thread. No shard waits for it, nor it for a shard.
class Monitor {
 public:
  explicit Monitor(Daemon&);

  /// From now on the past is remembered.
  void start() { sample(); }

  Readings read() const;
  ReadyState ready_state() const;
  std::string metrics(MetricsFormat format) const { return metrics_text(read(), format); }
  /// As JSON.
  std::string status() const;

 private:
  Totals totals() const;
  ReadyState ready_state(const Totals&) const;
  void sample();

  Daemon& daemon_;
  History history_;
  Timer timer_;
};

}  // namespace boshd
