#include "src/counters.hpp"

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
