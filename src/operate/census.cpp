#include "src/operate/census.hpp"

#include <algorithm>

namespace boshd {

namespace {

/// Of equal ones the first by name, so that a list stays as it is.
bool is_larger(const auto& one, const auto& other) {
  return one.second != other.second ? one.second > other.second : one.first < other.first;
}

}  // namespace

void keep_largest(Tally& all, std::size_t most) {
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
  std::partial_sort(all.begin(), end, all.end(),
                    [](const auto& a, const auto& b) { return is_larger(a, b); });
  all.erase(end, all.end());
}

Census::Mark Census::enter(std::string_view name) {
  const std::scoped_lock lock(mutex_);
  auto found = names_.find(name);
  if (found == names_.end()) found = names_.emplace(std::string(name), 0).first;
  ++found->second;
  return &*found;
}

void Census::leave(Mark mark) {
  if (!mark) return;
  const std::scoped_lock lock(mutex_);
  if (--mark->second == 0) names_.erase(names_.find(mark->first));
}

Tally Census::largest(std::size_t most) const {
  const std::scoped_lock lock(mutex_);
  std::vector<const std::pair<const std::string, std::uint64_t>*> order;
  order.reserve(names_.size());
  for (const auto& entry : names_) order.push_back(&entry);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(most, order.size()));
  std::partial_sort(order.begin(), end, order.end(),
                    [](const auto* a, const auto* b) { return is_larger(*a, *b); });
  Tally tally;
  for (auto at = order.begin(); at != end; ++at) tally.emplace_back((*at)->first, (*at)->second);
  return tally;
}

}  // namespace boshd
