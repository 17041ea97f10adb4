#include "src/farewells.hpp"

namespace boshd {

namespace {

constexpr std::size_t most_farewells = 10'000;

bool is_same(const bosh::Bytes& a, const bosh::Bytes& b) {
  return a == b || (a && b && *a == *b);
}

bool is_same(const bosh::Response& a, const bosh::Response& b) {
  return a.status == b.status && is_same(a.body, b.body) && is_same(a.content_type, b.content_type);
}

}  // namespace

void Farewells::add(const Sid& sid, const bosh::Response& response, Time now) {
  if (order_.size() >= most_farewells) drop_oldest();
  if (!latest_ || !is_same(*latest_, response)) latest_ = std::make_shared<const bosh::Response>(response);
  responses_.emplace(sid, latest_);
  order_.push_back({sid, now + life_});
}

const bosh::Response* Farewells::find(const Sid& sid) const {
  const auto found = responses_.find(sid);
  return found == responses_.end() ? nullptr : found->second.get();
}

void Farewells::tidy(Time now) {
  while (!order_.empty() && order_.front().until <= now) drop_oldest();
}

void Farewells::drop_oldest() {
  responses_.erase(order_.front().sid);
  order_.pop_front();
}

}  // namespace boshd
