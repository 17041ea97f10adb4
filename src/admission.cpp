#include "src/admission.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

namespace boshd {

namespace {

using namespace std::chrono_literals;

constexpr double saved_seconds = 10;
constexpr std::chrono::seconds failures_window = 60s;
constexpr std::chrono::milliseconds resident_life = 500ms;
constexpr std::chrono::seconds between_tidying = 1s;
constexpr std::size_t most_accounts = 100'000;

std::size_t read_resident() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"),
                                                             std::fclose);
  unsigned long total = 0;
  unsigned long pages = 0;
  if (!file || std::fscanf(file.get(), "%lu %lu", &total, &pages) != 2) return 0;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

// --- Rates ---

bool Bucket::take(double rate, double seconds, Time now) {
  const double passed = std::chrono::duration<double>(now - at_).count();
  used_ = std::max(0.0, used_ - rate * passed);
  at_ = now;
  if (used_ + 1 > rate * seconds) return false;
  used_ += 1;
  return true;
}

bool Bucket::is_full(double rate, double seconds, Time now) const {
  return now - at_ >= std::chrono::duration<double>(seconds) ||
         used_ <= rate * std::chrono::duration<double>(now - at_).count();
}

bool Rates::take(const Address& address, Bucket::Time now) {
  if (rate_ == 0 || is_in(address, exempt_)) return true;
  if (buckets_.size() > tidy_above_) tidy(now);
  return buckets_[limited_part(address)].take(rate_, saved_seconds, now);
}

void Rates::change(unsigned rate, std::vector<Network> exempt) {
  rate_ = rate;
  exempt_ = std::move(exempt);
}

void Rates::tidy(Bucket::Time now) {
  std::erase_if(buckets_, [&](const auto& item) { return item.second.is_full(rate_, saved_seconds, now); });
  tidy_above_ = std::max(tidy_above, 2 * buckets_.size());
}

// --- Words ---

std::string_view to_string(Refusal refusal) {
  constexpr std::array<std::string_view, refusals> words{
      "none", "sessions", "memory", "address-sessions", "address-rate", "logins", "draining"};
  return words[static_cast<std::size_t>(refusal)];
}

std::string_view explain(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "";
    case Refusal::sessions:
    case Refusal::memory:
      return "The service is full at the moment.";
    case Refusal::address_sessions:
      return "There are too many sessions of your address.";
    case Refusal::address_rate:
      return "Your address begins sessions too fast.";
    case Refusal::draining:
      return "The service takes no new sessions at the moment.";
    case Refusal::logins:
      break;
  }
  return "Too many logins of your address have failed. Try again in a minute.";
}

// --- Sessions ---

Admission::Admission(const LimitSettings& limits, std::vector<Network> exempt)
    : limits_(limits), exempt_(std::move(exempt)) {}

Admission::Verdict Admission::admit(const Address& address, Time now) {
  const Address part = limited_part(address);
  const std::scoped_lock lock(mutex_);
  if (entries_.size() > tidy_above_) forget(now);
  Entry& entry = entries_[part];
  const Refusal refusal = judge(entry, is_in(address, exempt_), now);
  ++counts_[static_cast<std::size_t>(refusal)];
  if (refusal != Refusal::none) return {refusal};
  ++entry.sessions;
  ++sessions_;
  return {Refusal::none, Place(this, part)};
}

Refusal Admission::judge(Entry& entry, bool exempt, Time now) {
  if (draining_) return Refusal::draining;
  if (sessions_ >= limits_.sessions) return Refusal::sessions;
  if (limits_.memory > 0 && resident(now) > limits_.memory) return Refusal::memory;
  if (exempt) return Refusal::none;
  if (is_blocked(entry.logins, now)) return Refusal::logins;
  if (limits_.sessions_per_address > 0 && entry.sessions >= limits_.sessions_per_address)
    return Refusal::address_sessions;
  const unsigned rate = limits_.new_sessions_per_second;
  if (rate > 0 && !entry.begun.take(rate, saved_seconds, now)) return Refusal::address_rate;
  return Refusal::none;
}

void Admission::leave(const Address& address) {
  const std::scoped_lock lock(mutex_);
  --sessions_;
  --entries_.at(address).sessions;
  tell_if_empty();
}

// --- Changes ---

void Admission::change(const LimitSettings& limits, std::vector<Network> exempt) {
  const std::scoped_lock lock(mutex_);
  limits_ = limits;
  exempt_ = std::move(exempt);
}

void Admission::drain(std::function<void()> empty) {
  const std::scoped_lock lock(mutex_);
  draining_ = true;
  empty_ = std::move(empty);
  tell_if_empty();
}

void Admission::resume() {
  const std::scoped_lock lock(mutex_);
  draining_ = false;
  empty_ = nullptr;
}

void Admission::tell_if_empty() {
  if (sessions_ == 0 && empty_) std::exchange(empty_, nullptr)();
}

bool Admission::is_draining() const {
  const std::scoped_lock lock(mutex_);
  return draining_;
}

std::size_t Admission::sessions() const {
  const std::scoped_lock lock(mutex_);
  return sessions_;
}

// --- Memory ---

void Admission::tidy(Time now) {
  const std::scoped_lock lock(mutex_);
  forget(now);
}

void Admission::forget(Time now) {
  std::erase_if(entries_, [&](const auto& item) {
    const Entry& entry = item.second;
    return entry.sessions == 0 && entry.begun.is_full(limits_.new_sessions_per_second, saved_seconds, now) &&
           now - entry.logins.since >= failures_window;
  });
  tidy_above_ = std::max(tidy_above, 2 * entries_.size());
}

std::size_t Admission::resident(Time now) {
  if (now - resident_at_ >= resident_life) {
    resident_ = read_resident();
    resident_at_ = now;
  }
  return resident_;
}

// --- Logins ---

bool Admission::is_blocked(const Failures& failures, Time now) const {
  return limits_.login_failures > 0 && failures.count >= limits_.login_failures &&
         now - failures.since < failures_window;
}

void Admission::count_failure(Failures& failures, Time now) const {
  if (now - failures.since >= failures_window) failures = {0, now};
  ++failures.count;
}

void Admission::login_failed(const Address& address, const std::string& account, Time now) {
  const std::scoped_lock lock(mutex_);
  if (!is_in(address, exempt_)) count_failure(entries_[limited_part(address)].logins, now);
  if (account.empty()) return;
  if (const auto known = accounts_.find(account); known != accounts_.end())
    return count_failure(known->second, now);
  if (accounts_.size() >= most_accounts && now - accounts_tidied_ >= between_tidying) {
    std::erase_if(accounts_, [&](const auto& item) { return now - item.second.since >= failures_window; });
    accounts_tidied_ = now;
  }
  if (accounts_.size() < most_accounts) count_failure(accounts_[account], now);
}

bool Admission::may_log_in(const std::string& account, Time now) {
  const std::scoped_lock lock(mutex_);
  const auto found = accounts_.find(account);
  return found == accounts_.end() || !is_blocked(found->second, now);
}

std::uint64_t Admission::count(Refusal refusal) const {
  const std::scoped_lock lock(mutex_);
  return counts_[static_cast<std::size_t>(refusal)];
}

Tally Admission::busiest(std::size_t most) const {
  std::vector<std::pair<Address, std::uint64_t>> all;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [address, entry] : entries_)
      if (entry.sessions > 0) all.emplace_back(address, entry.sessions);
  }
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  Tally tally;
  for (auto at = all.begin(); at != end; ++at) tally.emplace_back(to_string(at->first), at->second);
  return tally;
}

}  // namespace boshd
