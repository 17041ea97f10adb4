#include "src/operate/counters.hpp"

#include <numeric>

namespace boshd {

// --- Histograms ---

std::uint64_t Distribution::count() const {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

std::optional<double> Distribution::quantile(double part) const {
  const double wanted = part * static_cast<double>(count());
  if (wanted <= 0) return std::nullopt;
  double below = 0;
  double begin = 0;
  for (std::size_t i = 0; i < bucket_ends.size(); ++i) {
    const double end = std::chrono::duration<double>(bucket_ends[i]).count();
    const auto here = static_cast<double>(buckets[i]);
    if (below + here >= wanted) return begin + (end - begin) * (wanted - below) / here;
    below += here;
    begin = end;
  }
  return begin;  // above all ends: at least so much
}

Distribution& Distribution::operator+=(const Distribution& other) {
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
  nanoseconds += other.nanoseconds;
  return *this;
}

Distribution Distribution::operator-(const Distribution& earlier) const {
  Distribution since = *this;
  for (std::size_t i = 0; i < buckets.size(); ++i) since.buckets[i] -= earlier.buckets[i];
  since.nanoseconds -= earlier.nanoseconds;
  return since;
}

Distribution Histogram::read() const {
  Distribution all;
  for (std::size_t i = 0; i < buckets_.size(); ++i) all.buckets[i] = buckets_[i].value();
  all.nanoseconds = nanoseconds_.value();
  return all;
}

// --- Sums ---

namespace {

void add_up(std::uint64_t& sum, const Counter& counter) {
  sum += counter.value();
}

void add_up(Distribution& sum, const Histogram& histogram) {
  sum += histogram.read();
}

template <class Sum, class Part, std::size_t size>
void add_up(std::array<Sum, size>& sums, const std::array<Part, size>& parts) {
  for (std::size_t i = 0; i < size; ++i) add_up(sums[i], parts[i]);
}

}  // namespace

/// Ends are read before beginnings: what ends meanwhile is not taken for more than there were.
void Totals::add(const Counters& counters) {
  add_up(ended, counters.ended);
  add_up(begun, counters.begun);
  add_up(not_begun, counters.not_begun);
  add_up(requests, counters.requests);
  add_up(polls_cut, counters.polls_cut);
  add_up(stanzas_in, counters.stanzas_in);
  add_up(stanzas_out, counters.stanzas_out);
  add_up(client_bytes_in, counters.client_bytes_in);
  add_up(client_bytes_out, counters.client_bytes_out);
  add_up(server_bytes_in, counters.server_bytes_in);
  add_up(server_bytes_out, counters.server_bytes_out);
  add_up(login_failures, counters.login_failures);
  add_up(stanza_delay, counters.stanza_delay);
  add_up(connects, counters.connects);
  add_up(dns, counters.dns);
  add_up(held_requests, counters.held_requests);
  add_up(http_connections, counters.http_connections);
  add_up(connecting, counters.connecting);
  add_up(connected, counters.connected);
  add_up(cached_bytes, counters.cached_bytes);
  add_up(client_bytes, counters.client_bytes);
  add_up(server_bytes, counters.server_bytes);
}

std::uint64_t Totals::sessions(Transport transport) const {
  const auto which = static_cast<std::size_t>(transport);
  const auto over = std::accumulate(ended[which].begin(), ended[which].end(), std::uint64_t{0});
  return begun[which] > over ? begun[which] - over : 0;
}

// --- Words ---

std::string_view to_string(Transport transport) {
  return transport == Transport::bosh ? "bosh" : "websocket";
}

std::string_view not_begun_word(std::size_t reason) {
  if (reason == not_begun_host_unknown) return to_string(EndReason::host_unknown);
  if (reason == not_begun_origin_refused) return to_string(EndReason::origin_refused);
  return to_string(static_cast<Refusal>(reason));
}

std::string_view to_string(RequestOutcome outcome) {
  constexpr std::array<std::string_view, request_outcomes> words{"ok", "replayed", "item-not-found",
                                                                 "bad-request", "refused"};
  return words[static_cast<std::size_t>(outcome)];
}

}  // namespace boshd
