// What the last ten minutes were like: samples of the counters, and what lies between them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "src/loop.hpp"
#include "src/operate/counters.hpp"

namespace boshd {

class History {
 public:
  static constexpr std::chrono::seconds step{2};
  static constexpr std::size_t most = 300;                 // steps
  static constexpr std::chrono::seconds rate_span{10};     // for rates
  static constexpr std::chrono::seconds delay_span{60};    // for delays
  static constexpr std::chrono::seconds recent_span{600};  // for what is recent

  /// Once a step.
  void add(Time, const Totals&);

  /// A second's worth of the last ten.
  struct Rates {
    double sessions = 0;
    double requests = 0;
    double stanzas_in = 0;
    double stanzas_out = 0;
    double bytes_in = 0;
    double bytes_out = 0;
  };
  Rates rates(Time now, const Totals&) const;
  /// Of the last minute.
  Distribution delays(Time now, const Totals&) const;
  /// Of the last ten minutes: `reason` of all transports' ends, and of sessions that did not begin.
  std::uint64_t recently_ended(Transport, EndReason, Time now, const Totals&) const;
  std::uint64_t recently_not_begun(std::size_t reason, Time now, const Totals&) const;

  /// One point for each step, the oldest first.
  struct Points {
    std::vector<std::uint64_t> sessions;
    std::vector<double> stanzas;  // a second, both directions
    std::vector<double> bytes;
    std::vector<std::optional<double>> delay_p99;  // seconds; none: nothing was delivered
  };
  Points points() const;

 private:
  struct Sample {
    Time at;
    std::uint64_t sessions;
    std::uint64_t begun;
    std::uint64_t requests;
    std::uint64_t stanzas_in;
    std::uint64_t stanzas_out;
    std::uint64_t bytes_in;  // of clients
    std::uint64_t bytes_out;
    Distribution delays;
    std::array<std::array<std::uint32_t, end_reasons>, transports> ended;
    std::array<std::uint32_t, not_begun_reasons> not_begun;
  };

  static Sample sample(Time, const Totals&);
  /// The latest that is so old, or the oldest; all zero before there is any.
  Sample before(Time now, std::chrono::seconds span) const;

  std::deque<Sample> samples_;
};

}  // namespace boshd
