#include "src/listeners.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "src/log/log.hpp"

namespace boshd {

namespace {

bool is_same_address(const Listen& one, const Listen& other) {
  return one.unix_path == other.unix_path && one.inherited == other.inherited && one.port == other.port &&
         parse_ip(one.host) == parse_ip(other.host);
}

bool is_listed(const std::vector<Listeners::Open>& list, ListenerId id) {
  return std::ranges::find(list, id, &Listeners::Open::id) != list.end();
}

}  // namespace

Listeners::~Listeners() {
  for (const Open& open : open_)
    if (!open.retired) clean_up(*open.listen);
}

// --- Planning ---

Listeners::Plan::~Plan() {
  for (const Open& open : all_) {
    for (const int descriptor : open.descriptors) ::close(descriptor);
    if (!open.descriptors.empty()) clean_up(*open.listen);
  }
}

/// One at the same address that nothing else of the plan takes. A retired one comes back, but a Unix socket's
/// path is gone.
const Listeners::Open* Listeners::find(const Listen& wanted, const std::vector<Open>& taken) const {
  const auto found = std::ranges::find_if(open_, [&](const Open& open) {
    return is_same_address(*open.listen, wanted) && !is_listed(taken, open.id) &&
           !(open.retired && !wanted.unix_path.empty());
  });
  return found == open_.end() ? nullptr : &*found;
}

bool Listeners::is_our_port(const Listen& listen) const {
  return std::ranges::any_of(open_, [&](const Open& open) {
    return open.listen->unix_path.empty() && open.listen->inherited.empty() && listen.port != 0 &&
           open.listen->port == listen.port;
  });
}

Listeners::Plan Listeners::plan(const std::vector<Listen>& wanted) {
  Plan plan;
  for (const Listen& listen : wanted) {
    if (const Open* open = find(listen, plan.all_)) {
      // Connections keep what they began with: when nothing changes they share it.
      auto settings = *open->listen == listen ? open->listen : std::make_shared<const Listen>(listen);
      plan.all_.push_back({open->id, std::move(settings), open->address});
      continue;
    }
    Listening listening = open_listener(listen, threads_, is_our_port(listen));
    plan.all_.push_back({next_++, std::make_shared<const Listen>(listen), std::move(listening.address),
                         std::move(listening.descriptors)});
  }
  return plan;
}

std::vector<std::vector<Reloaded::Listener>> Listeners::carry_out(Plan&& plan, Time now) {
  std::vector<std::vector<Reloaded::Listener>> each(threads_);
  std::vector<Open> before = std::exchange(open_, std::exchange(plan.all_, {}));
  for (Open& open : open_) {
    const std::vector<int> descriptors = std::exchange(open.descriptors, {});
    for (unsigned i = 0; i < threads_; ++i)
      each[i].push_back({open.id, descriptors.empty() ? -1 : descriptors[i], open.listen});
    const auto old = std::ranges::find(before, open.id, &Open::id);
    if (old == before.end() || old->retired)
      log(LogLevel::info, "listening", {{"address", open.address}, {"path", open.listen->bosh_path}});
  }
  for (Open& old : before) {
    if (is_listed(open_, old.id)) continue;
    if (!old.retired) {
      clean_up(*old.listen);
      log(LogLevel::info, "listening-no-more", {{"address", old.address}});
      old.retired = now;
    }
    open_.push_back(std::move(old));
  }
  return each;
}

// --- Retired ones ---

std::vector<ListenerId> Listeners::finished(Time now) {
  std::vector<ListenerId> ids;
  std::erase_if(open_, [&](const Open& open) {
    const bool over = open.retired && now >= *open.retired + retirement;
    if (over) ids.push_back(open.id);
    return over;
  });
  return ids;
}

bool Listeners::has_retired() const {
  return std::ranges::any_of(open_, [](const Open& open) { return open.retired.has_value(); });
}

}  // namespace boshd
