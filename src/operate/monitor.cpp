#include "src/operate/monitor.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "src/daemon.hpp"
#include "src/log/log.hpp"
#include "src/operate/status.hpp"

namespace boshd {

namespace {

constexpr std::size_t shown = 10;      // domains and addresses
constexpr std::size_t looked_at = 50;  // domains of each thread: one that is nowhere among them is not shown

Time now() {
  return std::chrono::steady_clock::now();
}

// --- What others know ---

std::vector<StatusProblem> problems() {
  std::vector<StatusProblem> all;
  for (Problem& problem : recent_problems())
    all.push_back({problem.time, std::string(to_string(problem.level)), std::move(problem.event),
                   std::move(problem.text), problem.count});
  return all;
}

std::vector<StatusProxy> proxies_of(const Daemon& daemon) {
  std::vector<StatusProxy> all;
  for (Finding& finding : daemon.findings().list(std::chrono::system_clock::now()))
    all.push_back({to_string(finding.proxy), std::string(to_string(finding.problem)),
                   std::move(finding.advice), finding.since, finding.requests});
  return all;
}

std::vector<CertificateReadings> certificates_of(const Daemon& daemon) {
  std::vector<CertificateReadings> all;
  for (const ServerTls::Known& known : daemon.server_tls().certificates())
    all.push_back({known.file, known.names, known.expires});
  return all;
}

/// Of all threads together.
Tally domains_of(const Daemon& daemon) {
  std::map<std::string, std::uint64_t> sums;
  for (const auto& shard : daemon.shards())
    for (const auto& [name, count] : shard->domains().largest(looked_at)) sums[name] += count;
  Tally tally(sums.begin(), sums.end());
  keep_largest(tally, shown);
  return tally;
}

}  // namespace

Monitor::Monitor(Daemon& daemon) : daemon_(daemon), timer_(daemon.loop()) {}

void Monitor::sample() {
  history_.add(now(), totals());
  timer_.start_in(History::step, [this] { sample(); });
}

Totals Monitor::totals() const {
  Totals totals;
  for (const auto& shard : daemon_.shards()) totals.add(std::as_const(*shard).counters());
  return totals;
}

ReadyState Monitor::ready_state() const {
  return ready_state(totals());
}

ReadyState Monitor::ready_state(const Totals& totals) const {
  if (std::ranges::any_of(daemon_.pulse(), &Pulse::Reading::stuck)) return ReadyState::stuck;
  if (daemon_.state() != Daemon::State::serving) return ReadyState::draining;
  return totals.sessions() >= daemon_.config().limits.sessions ? ReadyState::full : ReadyState::ready;
}

Readings Monitor::read() const {
  Readings readings;
  const std::vector<Pulse::Reading> pulse = daemon_.pulse();
  for (std::size_t i = 0; i < daemon_.shards().size(); ++i) {
    Totals thread;
    thread.add(std::as_const(*daemon_.shards()[i]).counters());
    readings.threads.push_back({thread.sessions(), pulse[i].lag.count()});
  }
  readings.totals = totals();
  readings.sessions_limit = daemon_.config().limits.sessions;
  readings.state = ready_state(readings.totals);
  readings.draining = daemon_.state() != Daemon::State::serving;
  readings.certificates = certificates_of(daemon_);
  readings.reloads = daemon_.reload_state();
  for (std::size_t i = 0; i < proxy_problems; ++i)
    readings.proxy_problem_counts[i] = daemon_.findings().count(static_cast<ProxyProblem>(i));
  readings.process = read_process();
  return readings;
}

std::string Monitor::status() const {
  const StatusFacts facts{.node = daemon_.config().node,
                          .config_file = daemon_.config_file(),
                          .domains = domains_of(daemon_),
                          .addresses = daemon_.admission().busiest(shown),
                          .problems = problems(),
                          .proxies = proxies_of(daemon_)};
  return status_json(read(), history_, facts, now(), std::chrono::system_clock::now());
}

}  // namespace boshd
