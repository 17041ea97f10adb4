#include "src/operate/status.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string_view>

namespace boshd {

namespace {

using Json = nlohmann::ordered_json;

Json or_null(std::optional<double> number) {
  return number ? Json(*number) : Json(nullptr);
}

std::uint64_t sum(const auto& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
}

Json threads(const Readings& readings) {
  Json all = Json::array();
  for (const ThreadReadings& thread : readings.threads)
    all.push_back({{"sessions", thread.sessions}, {"lag_seconds", thread.lag}});
  return all;
}

Json sessions(const Readings& readings) {
  const Totals& totals = readings.totals;
  return {{"bosh", totals.sessions(Transport::bosh)},
          {"websocket", totals.sessions(Transport::websocket)},
          {"limit", readings.sessions_limit},
          {"created", sum(totals.begun)},
          {"ended", sum(totals.ended[0]) + sum(totals.ended[1])},
          {"refused", sum(totals.not_begun)}};
}

Json delays(const Distribution& times) {
  if (times.count() == 0) return nullptr;
  return {{"p50", or_null(times.quantile(0.5))},
          {"p90", or_null(times.quantile(0.9))},
          {"p99", or_null(times.quantile(0.99))},
          {"window_seconds", History::delay_span.count()}};
}

Json rates(const History::Rates& rates) {
  return {{"sessions", rates.sessions},       {"requests", rates.requests}, {"stanzas_in", rates.stanzas_in},
          {"stanzas_out", rates.stanzas_out}, {"bytes_in", rates.bytes_in}, {"bytes_out", rates.bytes_out}};
}

Json history(const History& history) {
  const History::Points points = history.points();
  Json delay = Json::array();
  for (const auto& point : points.delay_p99) delay.push_back(or_null(point));
  return {{"step_seconds", History::step.count()},
          {"sessions", points.sessions},
          {"stanzas", points.stanzas},
          {"bytes", points.bytes},
          {"delay_p99", std::move(delay)}};
}

/// The most frequent first.
Json sorted(std::vector<Json>&& rows) {
  std::ranges::stable_sort(rows, [](const Json& a, const Json& b) {
    return a["count"].get<std::uint64_t>() > b["count"].get<std::uint64_t>();
  });
  return rows;
}

Json ended(const Readings& readings, const History& history, Time now) {
  std::vector<Json> rows;
  for (const Transport transport : {Transport::bosh, Transport::websocket})
    for (std::size_t i = 0; i < end_reasons; ++i) {
      const auto reason = static_cast<EndReason>(i);
      const std::uint64_t count = readings.totals.ended[static_cast<std::size_t>(transport)][i];
      if (count == 0) continue;
      rows.push_back({{"reason", to_string(reason)},
                      {"transport", to_string(transport)},
                      {"count", count},
                      {"recent", history.recently_ended(transport, reason, now, readings.totals)}});
    }
  return sorted(std::move(rows));
}

Json refused(const Readings& readings, const History& history, Time now) {
  std::vector<Json> rows;
  for (std::size_t i = 0; i < not_begun_reasons; ++i) {
    const std::uint64_t count = readings.totals.not_begun[i];
    if (count == 0) continue;
    rows.push_back({{"reason", not_begun_word(i)},
                    {"count", count},
                    {"recent", history.recently_not_begun(i, now, readings.totals)}});
  }
  return sorted(std::move(rows));
}

Json tally(const Tally& tally, const char* key) {
  Json all = Json::array();
  for (const auto& [name, count] : tally) all.push_back({{key, name}, {"sessions", count}});
  return all;
}

Json certificates(const Readings& readings) {
  Json all = Json::array();
  for (const CertificateReadings& certificate : readings.certificates)
    all.push_back({{"file", certificate.file},
                   {"names", certificate.names},
                   {"expires", unix_seconds(certificate.expires)}});
  return all;
}

Json errors(const std::vector<StatusProblem>& problems) {
  Json all = Json::array();
  for (const StatusProblem& problem : problems)
    all.push_back({{"time", unix_seconds(problem.time)},
                   {"level", problem.level},
                   {"event", problem.event},
                   {"text", problem.text},
                   {"count", problem.count}});
  return all;
}

Json proxies(const std::vector<StatusProxy>& proxies) {
  Json all = Json::array();
  for (const StatusProxy& proxy : proxies)
    all.push_back({{"address", proxy.address},
                   {"problem", proxy.problem},
                   {"advice", proxy.advice},
                   {"since", unix_seconds(proxy.since)},
                   {"count", proxy.count}});
  return all;
}

Json process(const ProcessReadings& process) {
  return {{"resident_bytes", process.resident},
          {"open_files", process.open_files},
          {"max_files", process.max_files},
          {"cpu_seconds", process.cpu_seconds}};
}

Json config(const ReloadState& reloads, const StatusFacts& facts) {
  return {{"file", facts.config_file},
          {"loaded", unix_seconds(reloads.loaded)},
          {"reload_ok", reloads.ok},
          {"reload_error", reloads.error}};
}

}  // namespace

std::string status_json(const Readings& readings, const History& past, const StatusFacts& facts, Time now,
                        WallTime wall) {
  const Totals& totals = readings.totals;
  const Json status{
      {"version", BOSHD_VERSION},
      {"node", facts.node},
      {"now", unix_seconds(wall)},
      {"started", readings.process.started},
      {"state", to_string(readings.state)},
      {"threads", threads(readings)},
      {"sessions", sessions(readings)},
      {"held_requests", totals.held_requests},
      {"http_connections", totals.http_connections},
      {"upstream_connections", {{"connecting", totals.connecting}, {"open", totals.connected}}},
      {"delay_seconds", delays(past.delays(now, totals))},
      {"rates", rates(past.rates(now, totals))},
      {"history", history(past)},
      {"ended", ended(readings, past, now)},
      {"refused", refused(readings, past, now)},
      {"domains", tally(facts.domains, "name")},
      {"addresses", tally(facts.addresses, "address")},
      {"certificates", certificates(readings)},
      {"errors", errors(facts.problems)},
      {"proxies", proxies(facts.proxies)},
      {"process", process(readings.process)},
      {"config", config(readings.reloads, facts)},
  };
  // What clients have written may not be UTF-8.
  return status.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace boshd
