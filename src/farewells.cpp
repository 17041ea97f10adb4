#include "src/farewells.hpp"

namespace boshd {

namespace {

constexpr std::size_t most_in_a_generation = 10'000;

bool is_same(const bosh::Response& a, const bosh::Response& b) {
  return a.status == b.status && *a.body == *b.body && *a.content_type == *b.content_type;
}

}  // namespace

void Farewells::add(const Sid& sid, const bosh::Response& response, Time now) {
  if (!latest_ || !is_same(*latest_, response)) latest_ = std::make_shared<const bosh::Response>(response);
  if (young_ && young_->responses.size() >= most_in_a_generation) age(now);
  if (empty()) next_ = now + life_;
  if (!young_) young_ = std::make_unique<Generation>();
  young_->responses.emplace(sid, latest_);
}

const bosh::Response* Farewells::find(const Sid& sid) const {
  for (const auto* generation : {&young_, &old_}) {
    if (!*generation) continue;
    const auto found = (*generation)->responses.find(sid);
    if (found != (*generation)->responses.end()) return found->second.get();
  }
  return nullptr;
}

void Farewells::tidy(Time now) {
  if (!empty() && now >= next_) age(now);
}

void Farewells::age(Time now) {
  old_ = std::exchange(young_, nullptr);
  next_ = now + life_;
}

}  // namespace boshd
