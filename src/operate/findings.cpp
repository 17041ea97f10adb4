#include "src/operate/findings.hpp"

#include <algorithm>
#include <utility>

#include "src/log/log.hpp"

namespace boshd {

namespace {

constexpr std::chrono::hours life = std::chrono::days(1);

}  // namespace

void Findings::add(Diagnosis&& found, Time now) {
  counts_[static_cast<std::size_t>(found.problem)].fetch_add(found.requests, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return now - entry.finding.latest > life; });
  const auto same = [&](const Entry& entry) {
    return entry.finding.problem == found.problem && entry.finding.proxy == found.proxy;
  };
  auto entry = std::ranges::find_if(entries_, same);
  if (entry == entries_.end()) {
    if (entries_.size() >= most)
      entries_.erase(
          std::ranges::min_element(entries_, {}, [](const Entry& one) { return one.finding.latest; }));
    entries_.push_back({{found.proxy, found.problem, {}, now, now, 0}});
    entry = std::prev(entries_.end());
  }
  entry->finding.latest = now;
  entry->finding.requests += found.requests;
  entry->finding.advice = std::move(found.advice);
  entry->cut_after = found.cut_after;
  if (found.problem == ProxyProblem::held_requests_cut) has_cuts_ = true;
  if (entry->told != Time{} && now - entry->told < life) return;
  entry->told = now;
  log(LogLevel::warning, "proxy-problem",
      {{"problem", to_string(found.problem)},
       {"address", to_string(found.proxy)},
       {"advice", entry->finding.advice}});
}

std::vector<Finding> Findings::list(Time now) const {
  std::vector<Finding> all;
  {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : entries_)
      if (now - entry.finding.latest <= life) all.push_back(entry.finding);
  }
  std::ranges::sort(all, std::greater(), &Finding::latest);
  return all;
}

std::optional<std::chrono::seconds> Findings::patience_behind(const Address& proxy, Time now) const {
  if (!has_cuts()) return {};
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_)
    if (entry.finding.problem == ProxyProblem::held_requests_cut && entry.finding.proxy == proxy &&
        now - entry.finding.latest <= life)
      return patience_below(entry.cut_after);
  return {};
}

void Findings::forget() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  has_cuts_ = false;
}

}  // namespace boshd
