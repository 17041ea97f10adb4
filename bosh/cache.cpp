#include "bosh/cache.hpp"

#include <algorithm>
#include <utility>

namespace bosh {

void AnswerCache::keep(Kept answer, const Limits& limits) {
  std::size_t total = bytes_ + answer.bytes.size();
  auto first = answers_.begin();
  for (std::size_t left = answers_.size() + 1; left > limits.least && first != answers_.end(); --left) {
    if (left <= limits.count && total <= limits.bytes && answer.at - first->at <= limits.age) break;
    total -= first++->bytes.size();
  }
  forget_before(first);
  bytes_ += answer.bytes.size();
  answers_.push_back(std::move(answer));
  if (answers_.size() <= limits.least) return;
  Kept& older = answers_[answers_.size() - limits.least - 1];
  if (!older.read) return;
  bytes_ -= older.bytes.size();
  older.bytes = silent_reply();
  bytes_ += older.bytes.size();
}

const AnswerCache::Kept* AnswerCache::find(std::uint64_t rid) const {
  const auto found = std::ranges::find(answers_, rid, &Kept::rid);
  return found == answers_.end() ? nullptr : &*found;
}

void AnswerCache::forget_up_to(std::uint64_t rid) {
  forget_before(std::ranges::find_if(answers_, [&](const Kept& kept) { return kept.rid > rid; }));
}

void AnswerCache::forget_before(std::vector<Kept>::iterator first) {
  for (auto kept = answers_.begin(); kept != first; ++kept) bytes_ -= kept->bytes.size();
  answers_.erase(answers_.begin(), first);
  // A session that has come to rest keeps few, and there are many such sessions.
  if (answers_.capacity() > 4 * (answers_.size() + 1)) answers_.shrink_to_fit();
}

}  // namespace bosh
