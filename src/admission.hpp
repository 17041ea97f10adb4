// How much clients may have: sessions and logins, counted over all threads; rates.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/address.hpp"
#include "src/config.hpp"
#include "src/operate/census.hpp"

namespace boshd {

/// So many a second, and what was not used within some seconds at once.
class Bucket {
 public:
  using Time = std::chrono::steady_clock::time_point;
  bool take(double rate, double saved_seconds, Time now);
  /// Whether nothing of it was used lately, so that a new one is as good.
  bool is_full(double rate, double saved_seconds, Time now) const;

 private:
  double used_ = 0;
  Time at_{};
};

/// So many addresses are kept without looking for those that need not be.
inline constexpr std::size_t tidy_above = 10'000;

/// Buckets of addresses.
class Rates {
 public:
  /// `rate` 0: everything passes.
  Rates(unsigned rate, std::vector<Network> exempt) : rate_(rate), exempt_(std::move(exempt)) {}
  bool take(const Address&, Bucket::Time now);
  /// From now on; what was used stays used.
  void change(unsigned rate, std::vector<Network> exempt);
  /// Forgets addresses that were quiet.
  void tidy(Bucket::Time now);

 private:
  unsigned rate_;
  std::vector<Network> exempt_;
  std::map<Address, Bucket> buckets_;
  std::size_t tidy_above_ = tidy_above;
};

enum class Refusal { none, sessions, memory, address_sessions, address_rate, logins, draining };
inline constexpr std::size_t refusals = 7;
/// The word in the log.
std::string_view to_string(Refusal);
/// A sentence for the client.
std::string_view explain(Refusal);
/// Whether it will pass by itself, whoever asks.
constexpr bool is_overload(Refusal refusal) {
  return refusal == Refusal::sessions || refusal == Refusal::memory || refusal == Refusal::draining;
}

/// Decides for all threads who may begin a session, behind a mutex that no stanza meets. An address is a /64
/// if it is IPv6; trusted proxies are not counted, since they come for many.
class Admission {
 public:
  using Time = Bucket::Time;
  Admission(const LimitSettings&, std::vector<Network> exempt);

  /// Room for one session, until it is gone.
  class Place {
   public:
    Place() = default;
    Place(Admission* owner, const Address& address) : owner_(owner), address_(address) {}
    Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), address_(other.address_) {}
    Place& operator=(Place&& other) noexcept {
      Place taken(std::move(other));
      std::swap(owner_, taken.owner_);
      std::swap(address_, taken.address_);
      return *this;
    }
    ~Place() {
      if (owner_) owner_->leave(address_);
    }

   private:
    Admission* owner_ = nullptr;
    Address address_;
  };
  struct Verdict {
    Refusal refusal = Refusal::none;
    Place place{};
  };
  Verdict admit(const Address&, Time now);

  /// From now on; who is there already stays.
  void change(const LimitSettings&, std::vector<Network> exempt);
  /// No new sessions until `resume`. `empty` is called once when none is left, by the thread of the last one
  /// with the mutex held; at once if there is none.
  void drain(std::function<void()> empty = {});
  void resume();
  bool is_draining() const;
  /// How many there are.
  std::size_t sessions() const;

  /// The server has refused a password. `account` may be empty.
  void login_failed(const Address&, const std::string& account, Time now);
  /// Whether this account may be tried once more.
  bool may_log_in(const std::string& account, Time now);

  /// Forgets addresses of which there is nothing to remember.
  void tidy(Time now);

  /// How often a session was refused for this reason.
  std::uint64_t count(Refusal) const;
  /// The addresses with the most sessions, the largest first.
  Tally busiest(std::size_t most) const;

 private:
  struct Failures {
    unsigned count = 0;
    Time since{};
  };
  struct Entry {
    unsigned sessions = 0;
    Bucket begun;
    Failures logins;
  };

  Refusal judge(Entry&, bool exempt, Time now);
  bool is_blocked(const Failures&, Time now) const;
  void count_failure(Failures&, Time now) const;
  void leave(const Address&);
  void tell_if_empty();
  void forget(Time now);
  std::size_t resident(Time now);

  mutable std::mutex mutex_;
  LimitSettings limits_;
  std::vector<Network> exempt_;
  bool draining_ = false;
  std::function<void()> empty_;  // who waits for the last session's end
  std::map<Address, Entry> entries_;
  std::size_t tidy_above_ = tidy_above;
  std::map<std::string, Failures> accounts_;
  Time accounts_tidied_{};
  std::array<std::uint64_t, refusals> counts_{};
  std::size_t sessions_ = 0;
  std::size_t resident_ = 0;
  Time resident_at_{};
};

}  // namespace boshd
