#include "bosh/cache.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bosh {

void AnswerCache::keep(Kept answer, const Limits& limits) {
  const Time now = answer.at;
  answers_.push_back(std::move(answer));
  std::size_t total = bytes();
  auto first = answers_.begin();
  for (std::size_t left = answers_.size(); left > limits.least; --left, ++first) {
    if (left <= limits.count && total <= limits.bytes && now - first->at <= limits.age) break;
    total -= first->bytes->size();
  }
  answers_.erase(answers_.begin(), first);
}

const AnswerCache::Kept* AnswerCache::find(std::uint64_t rid) const {
  const auto found = std::ranges::find(answers_, rid, &Kept::rid);
  return found == answers_.end() ? nullptr : &*found;
}

void AnswerCache::forget_up_to(std::uint64_t rid) {
  std::erase_if(answers_, [&](const Kept& kept) { return kept.rid <= rid; });
}

std::size_t AnswerCache::bytes() const {
  return std::accumulate(answers_.begin(), answers_.end(), std::size_t{0},
                         [](std::size_t sum, const Kept& kept) { return sum + kept.bytes->size(); });
}

}  // namespace bosh
