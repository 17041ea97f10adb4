#include "bosh/activity.hpp"

#include <utility>

namespace bosh {

namespace {

// A client gives up after six tries of each of its requests, and a browser may double each of them.
constexpr std::uint16_t most_repeats = 50;

}  // namespace

bool Activity::allows(Time now, const Terms& terms, const Request& request, std::size_t unanswered,
                      std::uint64_t spoken) {
  const bool soon = now - std::exchange(last_at_, now) < terms.polling * 9 / 10;
  const bool after_empty = std::exchange(last_empty_, request.empty);
  const std::uint64_t previous = std::exchange(last_rid_, request.rid);
  repeats_ = 0;
  const std::size_t run = unanswered + 1;
  if (run > terms.requests + (request.extra ? 1U : 0U)) return false;  // B-124
  if (!request.empty || !soon) return true;
  if (terms.holds) return run < terms.requests;  // B-126
  return !after_empty || spoken == previous;     // B-134, B-136
}

bool Activity::allows_repeat() {
  return ++repeats_ <= most_repeats;
}

}  // namespace bosh
