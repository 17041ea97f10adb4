// What a thread counts of its own work. One thread writes, any may read: nothing is locked, and reading
// disturbs nobody.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "src/admission.hpp"
#include "src/end.hpp"

namespace boshd {

/// A number that one thread changes. Also for what goes up and down.
class Counter {
 public:
  void add(std::uint64_t count = 1) { set(value() + count); }
  void take(std::uint64_t count = 1) { set(value() - count); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// The upper ends of a histogram's buckets; one more bucket is above them.
inline constexpr std::array<std::chrono::microseconds, 13> bucket_ends{{
    std::chrono::microseconds(100),
    std::chrono::microseconds(500),
    std::chrono::milliseconds(1),
    std::chrono::milliseconds(5),
    std::chrono::milliseconds(10),
    std::chrono::milliseconds(25),
    std::chrono::milliseconds(50),
    std::chrono::milliseconds(100),
    std::chrono::milliseconds(500),
    std::chrono::seconds(1),
    std::chrono::milliseconds(2500),
    std::chrono::seconds(10),
    std::chrono::seconds(60),
}};

/// What a histogram has counted, to be added up and compared.
struct Distribution {
  std::array<std::uint64_t, bucket_ends.size() + 1> buckets{};
  std::uint64_t nanoseconds = 0;  // of all together

  std::uint64_t count() const;
  double seconds() const { return static_cast<double>(nanoseconds) / 1e9; }
  /// So many seconds, at most, took this part (0…1) of what was counted; between a bucket's ends all times
  /// are taken for equally frequent. None when nothing was counted.
  std::optional<double> quantile(double part) const;
  Distribution& operator+=(const Distribution&);
  /// What came since an earlier reading.
  Distribution operator-(const Distribution& earlier) const;
};

/// Times, counted in buckets with fixed ends.
class Histogram {
 public:
  void add(std::chrono::nanoseconds time) {
    std::size_t bucket = 0;
    while (bucket < bucket_ends.size() && time > bucket_ends[bucket]) ++bucket;
    buckets_[bucket].add();
    nanoseconds_.add(static_cast<std::uint64_t>(std::max(time, std::chrono::nanoseconds(0)).count()));
  }
  Distribution read() const;

 private:
  std::array<Counter, bucket_ends.size() + 1> buckets_;
  Counter nanoseconds_;
};

enum class Transport : std::uint8_t { bosh, websocket };
inline constexpr std::size_t transports = 2;
std::string_view to_string(Transport);

/// Why no session began: for what Admission says (its `none` is never counted), or for one of these.
inline constexpr std::size_t not_begun_host_unknown = refusals;
inline constexpr std::size_t not_begun_origin_refused = refusals + 1;
inline constexpr std::size_t not_begun_reasons = refusals + 2;
/// The label of such a reason.
std::string_view not_begun_word(std::size_t reason);

/// What was made of a BOSH request.
enum class RequestOutcome : std::uint8_t { ok, replayed, item_not_found, bad_request, refused };
inline constexpr std::size_t request_outcomes = 5;
std::string_view to_string(RequestOutcome);

inline constexpr std::size_t cache_line = 64;

/// All that is counted. `in` is from the client to the server, `out` the other way. `Number` and `Times`:
/// Counter and Histogram of a thread, or what they come to.
template <class Number, class Times>
struct Counts {
  std::array<std::array<Number, end_reasons>, transports> ended{};
  std::array<Number, transports> begun{};
  std::array<Number, not_begun_reasons> not_begun{};
  std::array<Number, request_outcomes> requests{};
  Number polls_cut{};
  Number stanzas_in{};
  Number stanzas_out{};
  Number client_bytes_in{};
  Number client_bytes_out{};
  Number server_bytes_in{};
  Number server_bytes_out{};
  Number login_failures{};
  Times stanza_delay{};
  std::array<Times, 2> connects{};  // failed, ok
  std::array<Times, 2> dns{};       // failed, ok
  // What there is now.
  Number held_requests{};
  Number http_connections{};
  Number connecting{};  // to servers
  Number connected{};
  Number cached_bytes{};  // answers that may be asked for once more
  Number client_bytes{};  // that wait for clients
  Number server_bytes{};  // that wait for servers
};

/// Of one thread, on cache lines of its own.
struct alignas(cache_line) Counters : Counts<Counter, Histogram> {
  Counter& begun_by(Transport transport) { return begun[static_cast<std::size_t>(transport)]; }
  Counter& ended_for(Transport transport, EndReason reason) {
    return ended[static_cast<std::size_t>(transport)][static_cast<std::size_t>(reason)];
  }
  Counter& not_begun_for(Refusal refusal) { return not_begun[static_cast<std::size_t>(refusal)]; }
  Counter& requests_that(RequestOutcome outcome) { return requests[static_cast<std::size_t>(outcome)]; }
};

/// Of all threads, as read at one time.
struct Totals : Counts<std::uint64_t, Distribution> {
  void add(const Counters&);
  /// How many there are now.
  std::uint64_t sessions(Transport) const;
  std::uint64_t sessions() const { return sessions(Transport::bosh) + sessions(Transport::websocket); }
};

}  // namespace boshd
