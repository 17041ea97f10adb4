#include "bosh/session.hpp"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace bosh {

namespace {

// A client may ask for any hold; `requests` must exceed what it asked for (B-065), so an absurd wish is cut
// first.
constexpr std::uint64_t highest_hold_asked = 10;

Granted negotiate(const Settings& settings, std::string sid, const Body& creation) {
  const auto most_wait = static_cast<std::uint64_t>(settings.wait.count());
  const std::uint64_t hold_asked = std::min(creation.hold.value_or(1), highest_hold_asked);
  Granted granted;
  granted.sid = std::move(sid);
  granted.version = std::min(creation.version.value_or(own_version), own_version);
  granted.wait = std::chrono::seconds(std::min(creation.wait.value_or(most_wait), most_wait));
  granted.hold = static_cast<unsigned>(std::min<std::uint64_t>(hold_asked, settings.hold));
  granted.requests = static_cast<unsigned>(hold_asked) + 1;
  granted.inactivity = settings.inactivity;
  granted.polling = settings.polling;
  // A polling session is silent for `polling` at least between two requests (B-133).
  if (granted.wait == std::chrono::seconds(0)) granted.hold = 0;
  if (granted.hold == 0) granted.inactivity += 2 * granted.polling;
  return granted;
}

Bytes bytes(std::string&& text) {
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

Session::Session(const Settings& settings, std::string sid, const Body& creation, Time now)
    : settings_(&settings),
      granted_(negotiate(settings, std::move(sid), creation)),
      highest_(creation.rid - 1),
      idle_since_(now) {}

// The order of the steps is that of XEP-0124's checklist: replay, window, park, take in rid order, settle.
void Session::on_request(Time now, const Arrival& arrival, Body&& body, Effects& effects) {
  assert(state_ != State::ended);
  if (replay(now, arrival, body, effects)) return;
  if (!in_window(body.rid, body.terminate))
    return break_off(now, arrival.exchange, {Condition::item_not_found, {}}, End::rid_out_of_order, effects);
  park(now, arrival, std::move(body));
  take_in_order(now, effects);
  settle(now, effects);
}

/// Whether this rid was seen before, and what that means (XEP-0124 §14.3).
bool Session::replay(Time now, const Arrival& arrival, const Body& body, Effects& effects) {
  const auto attach = [&](Waiting& request) {
    effects.push_back(Answer{request.arrival.exchange, bytes(repeated_reply())});
    request.arrival = arrival;
    request.lost = false;
  };
  if (const auto early = std::ranges::find(early_, body.rid, [](const Early& e) { return e.request.rid; });
      early != early_.end()) {
    attach(early->request);
    return true;
  }
  if (body.rid > highest_) return false;
  if (const auto waiting = std::ranges::find(waiting_, body.rid, &Waiting::rid); waiting != waiting_.end()) {
    attach(*waiting);
    return true;
  }
  if (const Bytes kept = cache_.find(body.rid)) {
    if (waiting_.empty()) idle_since_ = now;
    effects.push_back(Answer{arrival.exchange, kept});
    return true;
  }
  return false;  // too old: outside the window like one that is too new (B-150)
}

/// A terminate request may exceed the number of requests by one (B-119, B-142).
bool Session::in_window(std::uint64_t rid, bool last) const {
  return rid > highest_ && rid - highest_ <= granted_.requests + (last ? 1U : 0U);
}

void Session::park(Time now, const Arrival& arrival, Body&& body) {
  const auto place =
      std::ranges::lower_bound(early_, body.rid, {}, [](const Early& e) { return e.request.rid; });
  const std::uint64_t rid = body.rid;
  early_.insert(place, Early{{rid, arrival, now, false}, std::move(body)});
}

void Session::take_in_order(Time now, Effects& effects) {
  while (!early_.empty() && early_.front().request.rid == highest_ + 1 && state_ != State::ended) {
    if (!upstream_room_ && !early_.front().body.payload.empty()) return;
    Early next = std::move(early_.front());
    early_.erase(early_.begin());
    ++highest_;
    waiting_.push_back(next.request);
    if (state_ == State::opening || state_ == State::open) act(now, std::move(next.body), effects);
  }
}

void Session::act(Time now, Body&& body, Effects& effects) {
  if (body.terminate) {
    if (!body.payload.empty()) effects.push_back(Forward{std::move(body.payload)});
    return terminated(now, effects);
  }
  if (body.restart) {  // its payload is ignored
    effects.push_back(Restart{std::move(body.language)});
    return;
  }
  if (!body.payload.empty()) effects.push_back(Forward{std::move(body.payload)});
}

/// What is queued goes to an older request, never beside type='terminate', which clients take as the very
/// end. The oldest that is left gets the terminal body, all others an empty one (XEP-0124 §13, B-199).
void Session::terminated(Time now, Effects& effects) {
  const auto pass_lost = [&] {
    while (waiting_.size() > 1 && waiting_.front().lost) answer_oldest(now, {}, effects);
  };
  pass_lost();
  if (!queue_.empty() && waiting_.size() > 1) give_queue(now, effects);
  pass_lost();
  const Bytes farewell = bytes(terminal_reply({}));
  answer_oldest_with(now, farewell, effects);
  while (!waiting_.empty()) answer_oldest(now, {}, effects);
  finish(now, End::client_terminated, farewell, effects);
}

void Session::on_faulty_request(Time now, Exchange exchange, std::uint64_t rid, const Terminal& terminal,
                                End end, Effects& effects) {
  assert(state_ != State::ended);
  if (in_window(rid, false)) return break_off(now, exchange, terminal, end, effects);
  effects.push_back(Answer{exchange, bytes(terminal_reply(terminal))});
}

void Session::on_lost(Time now, Exchange exchange, Effects& effects) {
  const auto mark = [&](Waiting& request) {
    if (request.arrival.exchange == exchange) request.lost = true;
  };
  std::ranges::for_each(waiting_, mark);
  for (Early& early : early_) mark(early.request);
  settle(now, effects);
}

void Session::on_upstream_open(Time now, ServerHeader header, Effects& effects) {
  if (state_ != State::opening) return;
  const bool features_follow = !header.version.empty();
  server_ = std::move(header);
  if (!features_follow) state_ = State::open;
  settle(now, effects);
}

void Session::on_upstream(Time now, std::span<const xml::Element> elements, Effects& effects) {
  if (elements.empty()) return;
  if (state_ == State::opening) state_ = State::open;
  for (const xml::Element& element : elements) element.append_to(queue_);
  settle(now, effects);
}

void Session::on_upstream_room(Time now, bool room, Effects& effects) {
  upstream_room_ = room;
  if (!room) return;
  take_in_order(now, effects);
  if (state_ != State::ended) settle(now, effects);
}

void Session::end(Time now, Terminal terminal, bool at_once, Effects& effects) {
  assert(state_ != State::ended);
  if (at_once || (!created_ && waiting_.empty())) {
    if (!queue_.empty() && waiting_.size() > 1) give_queue(now, effects);
    terminal.content.insert(0, queue_);
    return break_off(now, std::nullopt, terminal, End::told, effects);
  }
  if (state_ == State::ending) return;
  state_ = State::ending;
  terminal_ = std::move(terminal);
  for (Early& early : early_) early.body.payload.clear();
  upstream_room_ = true;
  take_in_order(now, effects);
  settle(now, effects);
}

void Session::on_time(Time now, Effects& effects) {
  assert(state_ != State::ended);
  if (waiting_.empty() && early_.empty()) {
    if (now - idle_since_ < granted_.inactivity) return;
    const End why = state_ == State::ending ? End::told : End::inactive;
    return finish(now, why, bytes(terminal_reply({Condition::item_not_found, {}})), effects);
  }
  if (!early_.empty() && now >= gap_due()) return give_up_gap(now, effects);
  settle(now, effects);
}

/// What should come before a request did not come, or the server does not take it.
void Session::give_up_gap(Time now, Effects& effects) {
  if (state_ == State::ending) return break_off(now, std::nullopt, terminal_, End::told, effects);
  if (early_.front().request.rid == highest_ + 1)
    return break_off(now, std::nullopt, {Condition::remote_connection_failed, {}}, End::upstream_stalled,
                     effects);
  break_off(now, std::nullopt, {Condition::item_not_found, {}}, End::rid_missing, effects);
}

Time Session::deadline() const {
  if (state_ == State::ended) return Time::max();
  if (waiting_.empty() && early_.empty()) return idle_since_ + granted_.inactivity;
  Time due = std::min(gap_due(), answer_due());
  if (!waiting_.empty() && !queue_.empty() && created_) due = std::min(due, guard_until_);
  return due;
}

/// How long a request waits for its turn (B-092).
Time Session::gap_due() const {
  const bool polling = granted_.wait == std::chrono::seconds(0);
  Time due = Time::max();
  for (const Early& early : early_)
    due = std::min(due, early.request.at + (polling ? granted_.inactivity : granted_.wait));
  return due;
}

/// When the oldest request must be answered: when any is due, for no other may be answered before it (B-084,
/// B-086).
Time Session::answer_due() const {
  Time due = Time::max();
  for (const Waiting& request : waiting_)
    due = std::min(due, request.at + std::min(granted_.wait, request.arrival.patience));
  return due;
}

/// Answers what can and what must be answered now, oldest first (B-086).
void Session::settle(Time now, Effects& effects) {
  if (state_ == State::ended) return;
  while (!waiting_.empty()) {
    const Waiting& oldest = waiting_.front();
    const bool due = oldest.lost || waiting_.size() > granted_.hold || now >= answer_due();
    const bool data = !oldest.lost && !queue_.empty() && data_may_leave(now);
    if (state_ == State::opening && !due) break;  // the creation response is to bring the features
    if (data)
      give_queue(now, effects);
    else if (state_ == State::ending && queue_.empty() && !oldest.lost)
      return break_off(now, std::nullopt, terminal_, End::told, effects);
    else if (due || (!created_ && state_ == State::open))
      answer_oldest(now, {}, effects);
    else
      break;
  }
  const bool reading = queue_.size() < settings_->queue_bytes;
  if (reading != reading_ && state_ != State::ending) effects.push_back(Reading{reading});
  reading_ = reading;
}

/// Two answers with data on two connections may overtake each other, and clients would read the later one
/// first. Safe is: the guard's time is over, the same connection carries both, or the client has gone on
/// since, which it can only after an answer.
bool Session::data_may_leave(Time now) const {
  if (now >= guard_until_) return true;
  const Arrival& arrival = waiting_.front().arrival;
  return (arrival.direct && arrival.exchange.connection == guard_connection_) ||
         highest_ >= guard_rid_ + granted_.requests;
}

void Session::give_queue(Time now, Effects& effects) {
  const Waiting& oldest = waiting_.front();
  guard_rid_ = oldest.rid;
  guard_connection_ = oldest.arrival.exchange.connection;
  guard_until_ = now + settings_->order_guard;
  answer_oldest(now, std::exchange(queue_, {}), effects);
}

void Session::answer_oldest(Time now, std::string_view content, Effects& effects) {
  std::string body = created_ ? plain_reply(content) : creation_reply(granted_, server_, content);
  created_ = true;
  answer_oldest_with(now, bytes(std::move(body)), effects);
}

void Session::answer_oldest_with(Time now, Bytes body, Effects& effects) {
  const Waiting oldest = waiting_.front();
  waiting_.erase(waiting_.begin());
  cache_.keep(oldest.rid, body, now, cache_limits());
  effects.push_back(Answer{oldest.arrival.exchange, std::move(body)});
  if (waiting_.empty()) idle_since_ = now;
}

AnswerCache::Limits Session::cache_limits() const {
  AnswerCache::Limits limits;
  limits.bytes = settings_->cache_bytes;
  limits.least = granted_.requests;
  limits.age = granted_.inactivity;
  return limits;
}

/// Ends the session now: the request at fault and everything that waits get the terminal body (B-189).
void Session::break_off(Time now, std::optional<Exchange> culprit, const Terminal& terminal, End end,
                        Effects& effects) {
  const Bytes farewell = bytes(terminal_reply(terminal));
  while (!waiting_.empty()) answer_oldest_with(now, farewell, effects);
  if (culprit) effects.push_back(Answer{*culprit, farewell});
  finish(now, end, farewell, effects);
}

void Session::finish(Time, End end, Bytes farewell, Effects& effects) {
  for (const Early& early : early_) effects.push_back(Answer{early.request.arrival.exchange, farewell});
  early_.clear();
  queue_.clear();
  state_ = State::ended;
  effects.push_back(Ended{end, std::move(farewell)});
}

}  // namespace bosh
