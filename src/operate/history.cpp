#include "src/operate/history.hpp"

#include <algorithm>
#include <numeric>

namespace boshd {

namespace {

double seconds(std::chrono::nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

/// So much more a second.
double rate(std::uint64_t before, std::uint64_t now, double span) {
  return span > 0 ? static_cast<double>(now - before) / span : 0;
}

std::uint64_t sum(const auto& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
}

}  // namespace

History::Sample History::sample(Time time, const Totals& totals) {
  Sample sample{.at = time,
                .sessions = totals.sessions(),
                .begun = sum(totals.begun),
                .requests = sum(totals.requests),
                .stanzas_in = totals.stanzas_in,
                .stanzas_out = totals.stanzas_out,
                .bytes_in = totals.client_bytes_in,
                .bytes_out = totals.client_bytes_out,
                .delays = totals.stanza_delay,
                .ended = {},
                .not_begun = {}};
  const auto narrow = [](std::uint64_t number) { return static_cast<std::uint32_t>(number); };
  for (std::size_t i = 0; i < transports; ++i)
    std::ranges::transform(totals.ended[i], sample.ended[i].begin(), narrow);
  std::ranges::transform(totals.not_begun, sample.not_begun.begin(), narrow);
  return sample;
}

void History::add(Time time, const Totals& totals) {
  samples_.push_back(sample(time, totals));
  if (samples_.size() > most + 1) samples_.pop_front();
}

History::Sample History::before(Time now, std::chrono::seconds span) const {
  if (samples_.empty()) return sample(now, {});
  const auto young = std::ranges::find_if(samples_, [&](const Sample& s) { return s.at > now - span; });
  return young == samples_.begin() ? samples_.front() : *std::prev(young);
}

History::Rates History::rates(Time now, const Totals& totals) const {
  const Sample from = before(now, rate_span);
  const Sample to = sample(now, totals);
  const double span = seconds(now - from.at);
  return {.sessions = rate(from.begun, to.begun, span),
          .requests = rate(from.requests, to.requests, span),
          .stanzas_in = rate(from.stanzas_in, to.stanzas_in, span),
          .stanzas_out = rate(from.stanzas_out, to.stanzas_out, span),
          .bytes_in = rate(from.bytes_in, to.bytes_in, span),
          .bytes_out = rate(from.bytes_out, to.bytes_out, span)};
}

Distribution History::delays(Time now, const Totals& totals) const {
  return totals.stanza_delay - before(now, delay_span).delays;
}

std::uint64_t History::recently_ended(Transport transport, EndReason reason, Time now,
                                      const Totals& totals) const {
  const auto i = static_cast<std::size_t>(transport);
  const auto which = static_cast<std::size_t>(reason);
  return static_cast<std::uint32_t>(totals.ended[i][which]) - before(now, recent_span).ended[i][which];
}

std::uint64_t History::recently_not_begun(std::size_t reason, Time now, const Totals& totals) const {
  return static_cast<std::uint32_t>(totals.not_begun[reason]) - before(now, recent_span).not_begun[reason];
}

History::Points History::points() const {
  Points points;
  for (std::size_t i = 1; i < samples_.size(); ++i) {
    const Sample& from = samples_[i - 1];
    const Sample& to = samples_[i];
    const double span = seconds(to.at - from.at);
    points.sessions.push_back(to.sessions);
    points.stanzas.push_back(rate(from.stanzas_in + from.stanzas_out, to.stanzas_in + to.stanzas_out, span));
    points.bytes.push_back(rate(from.bytes_in + from.bytes_out, to.bytes_in + to.bytes_out, span));
    points.delay_p99.push_back((to.delays - from.delays).quantile(0.99));
  }
  return points;
}

}  // namespace boshd
