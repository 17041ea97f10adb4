#include "src/log/problems.hpp"

#include <algorithm>
#include <utility>

namespace boshd {

void ProblemList::add(Problem&& problem) {
  const auto same = [&](const Problem& other) {
    return other.event == problem.event && other.level == problem.level && other.text == problem.text;
  };
  if (const auto known = std::ranges::find_if(problems_, same); known != problems_.end()) {
    problem.count += known->count;
    problems_.erase(known);
  }
  const auto of_its_event = [&](const Problem& other) { return other.event == problem.event; };
  const bool many = std::ranges::count_if(problems_, of_its_event) >= std::ptrdiff_t{most_of_one_event};
  if (many)
    problems_.erase(std::prev(std::find_if(problems_.rbegin(), problems_.rend(), of_its_event).base()));
  else if (problems_.size() >= most)
    problems_.pop_back();
  problems_.push_front(std::move(problem));
}

bool LineLimits::pass(std::string_view event, Time now) {
  auto found = windows_.find(event);
  if (found == windows_.end()) found = windows_.emplace(event, Window{now}).first;
  Window& window = found->second;
  if (now - window.since >= span) {
    window.since = now;
    window.passed = 0;
  }
  if (window.passed < most) {
    ++window.passed;
    return true;
  }
  if (window.kept++ == 0) window.kept_since = now;
  return false;
}

std::vector<LineLimits::Kept> LineLimits::take_kept(Time now) {
  std::vector<Kept> all;
  for (auto& [event, window] : windows_) {
    if (window.kept == 0 || now - window.kept_since < span) continue;
    all.push_back({event, std::exchange(window.kept, 0)});
  }
  return all;
}

}  // namespace boshd
