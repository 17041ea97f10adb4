#include "bosh/activity.hpp"

#include <utility>

namespace bosh {

namespace {

// A client gives up after six tries of each of its requests, and a browser may double each of them.
constexpr std::uint16_t most_repeats = 50;

constexpr std::chrono::seconds first_forgiven{10};  // no page reloads that soon
constexpr std::chrono::seconds forgiven_again{60};

}  // namespace

Activity::Activity(Time created) : forgiving_from_(created + first_forgiven) {}

bool Activity::allows(Time now, const Terms& terms, const Request& request, std::size_t unanswered,
                      std::uint64_t spoken) {
  const std::chrono::milliseconds polling = terms.polling;
  const bool soon = now - std::exchange(last_at_, now) < polling * 9 / 10;
  const bool after_empty = std::exchange(last_empty_, request.empty);
  const std::uint64_t previous = std::exchange(last_rid_, request.rid);
  repeats_ = 0;
  const std::size_t run = unanswered + 1;
  if (run > terms.requests && !request.extra) return false;  // B-124
  if (!request.empty || !request.last || !soon) return true;
  // B-126; B-134, B-136
  const bool too_early = terms.holds ? run == terms.requests : after_empty && spoken != previous;
  return !too_early || forgives(now);
}

bool Activity::forgives(Time now) {
  if (now < forgiving_from_) return false;
  forgiving_from_ = now + forgiven_again;
  return true;
}

bool Activity::allows_repeat() {
  return ++repeats_ <= most_repeats;
}

}  // namespace bosh
