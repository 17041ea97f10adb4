// Requests: which are taken, in what order, and what they do. The answers are in session_answers.cpp.
#include "bosh/session.hpp"

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

namespace bosh {

using namespace std::chrono_literals;

namespace {

// A client may ask for any hold; `requests` must exceed what it asked for (B-065), so an absurd wish is cut
// first.
constexpr std::uint64_t highest_hold_asked = 10;
// An acknowledgement that lags is normal while request and answer cross on the wire (B-106).
constexpr std::chrono::seconds report_after{2};
// What is still sent to a stream that was closed just now is dropped (B-176).
constexpr StreamId closed_remembered = 8;

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
  granted.maxpause = settings.max_pause;
  granted.accept = settings.accept;
  // A polling session is silent for `polling` at least between two requests (B-133).
  if (granted.wait == 0s) granted.hold = 0;
  if (granted.hold == 0) granted.inactivity += 2 * granted.polling;
  return granted;
}

Bytes content_type(const std::string& asked) {
  static const std::string usual = "text/xml; charset=utf-8";  // nearly all clients ask for it
  if (asked.empty()) return {};
  return asked == usual ? Bytes::lasting(usual) : Bytes(asked);
}

}  // namespace

Session::Session(const Settings& settings, std::string sid, const Body& creation, Time now)
    : settings_(&settings),
      granted_(negotiate(settings, std::move(sid), creation)),
      content_type_(content_type(creation.content)),
      legacy_(creation.legacy),
      acks_(creation.ack == 1U),
      streams_{Stream{0, {}}},
      highest_(creation.rid - 1),
      keys_(creation.newkey),
      activity_(now),
      inactivity_(granted_.inactivity),
      idle_since_(now) {
  if (settings.streams > 1) granted_.stream = name_of(0);
}

// The order of the steps is that of XEP-0124's checklist: replay, window, activity, park, take in rid order,
// settle.
Taken Session::on_request(Time now, const Arrival& arrival, Body&& body, Effects& effects) {
  assert(state_ != State::ended);
  if (replay(now, arrival, body, effects)) return Taken::repeated;
  if (!in_window(body)) {
    break_off(arrival.exchange, {Condition::item_not_found, {}}, End::rid_out_of_order, effects);
    return Taken::outside;
  }
  if (too_active(now, body)) {
    break_off(arrival.exchange, {Condition::policy_violation, {}}, End::overactive, effects);
    return Taken::too_active;
  }
  if (body.rid == highest_ + 1) deserted_.reset();
  const Waiting request{body.rid, arrival, now};
  if (may_take(body))
    take(now, request, std::move(body), effects);
  else
    park(request, std::move(body));
  take_in_order(now, effects);
  settle(now, effects);
  return Taken::new_one;
}

/// Whether this rid was seen before, and what that means (XEP-0124 §14.3).
bool Session::replay(Time now, const Arrival& arrival, const Body& body, Effects& effects) {
  if (!repeat(now, arrival, body, effects)) return false;
  deserted_.reset();
  if (!activity_.allows_repeat())
    break_off(std::nullopt, {Condition::policy_violation, {}}, End::overactive, effects);
  return true;
}

bool Session::repeat(Time now, const Arrival& arrival, const Body& body, Effects& effects) {
  const auto attach = [&](Waiting& request) {
    effects.push_back(Answer{request.arrival.exchange, respond(repeated_reply())});
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
  if (const AnswerCache::Kept* kept = cache_.find(body.rid)) {
    if (waiting_.empty()) idle_since_ = now;
    effects.push_back(Answer{arrival.exchange, respond(kept->bytes)});
    return true;
  }
  return false;  // too old: outside the window like one that is too new (B-150)
}

/// The highest rid that came together with all lower ones; it may still wait to be taken.
std::uint64_t Session::received() const {
  std::uint64_t rid = highest_;
  for (const Early& early : early_) {
    if (early.request.rid != rid + 1) break;
    ++rid;
  }
  return rid;
}

/// A pause or terminate request may exceed the number of requests by one (B-119, B-142).
bool Session::in_window(const Body& body) const {
  const unsigned extra = body.is_extra() ? 1 : 0;
  return body.rid > highest_ && body.rid <= received() + granted_.requests + extra;
}

bool Session::too_active(Time now, const Body& body) {
  if (body.creates()) return false;
  const bool empty = !body.is_extra() && body.payload.empty() && !body.restart && !body.adds_stream();
  const auto early = std::ranges::count_if(early_, [](const Early& e) { return !e.body.is_extra(); });
  return !activity_.allows(now, {granted_.requests, granted_.polling, granted_.hold > 0},
                           {body.rid, early_.empty(), empty, body.is_extra()},
                           waiting_.size() + static_cast<std::size_t>(early), spoken_);
}

/// It is the next one, and what it carries has room on its way.
bool Session::may_take(const Body& body) const {
  return body.rid == highest_ + 1 && state_ != State::ended && (upstream_room_ || body.payload.empty());
}

void Session::park(const Waiting& request, Body&& body) {
  const auto place =
      std::ranges::lower_bound(early_, request.rid, {}, [](const Early& e) { return e.request.rid; });
  early_.insert(place, Early{request, std::move(body)});
}

void Session::take_in_order(Time now, Effects& effects) {
  while (!early_.empty() && may_take(early_.front().body)) {
    Early next = std::move(early_.front());
    early_.erase(early_.begin());
    take(now, next.request, std::move(next.body), effects);
  }
}

void Session::take(Time now, const Waiting& request, Body&& body, Effects& effects) {
  ++highest_;
  waiting_.push_back(request);
  if (deserted_) deserted_ = request.lost ? std::optional(now) : std::nullopt;
  if (state_ == State::live)
    act(now, std::move(body), effects);
  else if (body.pause)
    paused(now, *body.pause, effects);
}

/// What a request does in its turn. It is the last of those that wait.
void Session::act(Time now, Body&& body, Effects& effects) {
  if (!body.creates() && !keys_.accept(settings_->sha1, body.key, body.newkey))
    return break_off(std::nullopt, {Condition::item_not_found, {}}, End::bad_key, effects);
  acknowledge(now, body);
  look_for_order(body);
  inactivity_ = granted_.inactivity;
  const auto to = addressed(body);
  if (!to) return break_off(std::nullopt, {Condition::item_not_found, {}}, End::unknown_stream, effects);
  if (body.restart) {  // its payload is ignored
    if (!to->empty()) effects.push_back(Restart{to->front().id, std::move(body.language)});
    return;
  }
  forward(std::move(body.payload), *to, effects);
  const bool one_of_several =
      !body.stream.empty() && !granted_.stream.empty() && streams_.size() > to->size();
  if (body.terminate && !one_of_several) return terminated(now, effects);
  if (body.terminate) {
    if (to->empty()) return;  // closed already
    const StreamId stream = to->front().id;
    effects.push_back(Close{stream});
    return close(stream, {});
  }
  if (body.pause) return paused(now, *body.pause, effects);
  if (body.adds_stream() && !granted_.stream.empty()) add_stream(std::move(body), effects);
}

/// What the client says it has (XEP-0124 §9.2), if it said at its creation that it would.
void Session::acknowledge(Time now, const Body& body) {
  if (!acks_) return;
  const std::uint64_t answered = highest_answered();
  if (!body.ack) acknowledged_ = answered;                                      // it lacks nothing (B-103)
  if (body.ack && (*body.ack < acknowledged_ || *body.ack > answered)) return;  // nonsense (B-104)
  if (body.ack) acknowledged_ = *body.ack;
  cache_.forget_up_to(acknowledged_);
  const AnswerCache::Kept* missing = cache_.find(acknowledged_ + 1);
  if (!missing || now - missing->at < report_after || now < report_next_) return;
  waiting_.back().report = missing->rid;
  report_next_ = now + report_after;
}

/// What a request that is taken shows of how its client works, and of what has arrived there. Clients handle
/// answers as they come, and each may be lost or held up on its way.
void Session::look_for_order(const Body& body) {
  arrived_ = arrived_ || proves_arrival(body);
  logged_in_ = logged_in_ || body.talks;
}

/// Whether its sender has the last answer with data: it says so; it could not have logged in otherwise; it
/// would be too far ahead; or it only polls, which a client does when nothing of its own is open.
bool Session::proves_arrival(const Body& body) const {
  const bool poll = body.payload.empty() && !body.restart && !body.is_extra() && !body.adds_stream();
  return (acks_ && acknowledged_ >= spoken_) || (body.talks && !logged_in_) ||
         highest_ >= spoken_ + granted_.requests || (poll && granted_.hold <= 1 && waiting_.size() == 1);
}

/// The streams that a request speaks to; none: it names one that there never was (XEP-0124 §16.4).
std::optional<std::span<const Session::Stream>> Session::addressed(const Body& body) const {
  const std::span<const Stream> open = streams_;
  if (granted_.stream.empty()) return open;
  if (body.stream.empty()) return body.restart ? open.first(1) : open;
  for (std::size_t i = 0; i < open.size(); ++i)
    if (name_of(open[i].id) == body.stream) return open.subspan(i, 1);
  for (StreamId back = 1; back <= std::min(next_stream_, closed_remembered); ++back)
    if (name_of(next_stream_ - back) == body.stream) return open.first(0);
  const bool says_nothing = body.payload.empty() && !body.restart && !body.terminate;
  if (says_nothing) return open;  // B-177
  return std::nullopt;
}

void Session::forward(std::string&& payload, std::span<const Stream> to, Effects& effects) {
  if (payload.empty() || to.empty()) return;
  for (const Stream& stream : to.subspan(1)) effects.push_back(Forward{stream.id, payload});
  effects.push_back(Forward{to.front().id, std::move(payload)});
}

void Session::add_stream(Body&& body, Effects& effects) {
  const StreamId id = next_stream_++;
  waiting_.back().added = id;
  if (streams_.size() >= settings_->streams) return outbox_.end(id, {Condition::policy_violation, {}});
  streams_.push_back({id, {}, false, true});
  effects.push_back(Open{id, std::move(body.to), std::move(body.language)});
}

/// Everything that waits is answered, the pause itself without data (XEP-0124 §10, B-115, B-116).
void Session::paused(Time now, std::uint64_t seconds, Effects& effects) {
  const auto most = static_cast<std::uint64_t>(granted_.maxpause.count());
  if (most == 0) return;
  while (waiting_.size() > 1) hand_over(now, effects);
  answer_oldest(now, {}, effects);
  if (seconds > 0) inactivity_ = std::chrono::seconds(std::min(seconds, most));
}

/// What is queued goes to an older request if it is sure to arrive in order, never beside type='terminate',
/// which clients take as the very end. The oldest that is left gets the terminal body, all others an empty
/// one (XEP-0124 §13, B-199).
void Session::terminated(Time now, Effects& effects) {
  const auto more_to_give = [&] { return !outbox_.empty() && data_may_leave(now); };
  while (waiting_.size() > 1 && (waiting_.front().lost || more_to_give())) hand_over(now, effects);
  const Terminal orderly;
  answer_oldest_with(now, last_word(orderly), 0, effects);
  while (!waiting_.empty()) answer_oldest(now, {}, effects);
  finish(End::client_terminated, last_word(orderly), effects);
}

void Session::on_faulty_request(Exchange exchange, std::uint64_t rid, const Terminal& terminal, End end,
                                Effects& effects) {
  assert(state_ != State::ended);
  Body faulty;
  faulty.rid = rid;
  if (in_window(faulty)) return break_off(exchange, terminal, end, effects);
  effects.push_back(Answer{exchange, last_word(terminal)});
}

std::optional<Time> Session::on_lost(Time now, Exchange exchange, Effects& effects) {
  bool any = false;
  std::optional<Time> came;
  const auto mark = [&](Waiting& request) {
    if (request.arrival.exchange != exchange) return;
    any = true;
    if (!std::exchange(request.lost, true)) came = request.at;
  };
  std::ranges::for_each(waiting_, mark);
  for (Early& early : early_) mark(early.request);
  settle(now, effects);
  if (any && waiting_.empty()) deserted_ = now;
  return came;
}

/// One stream of several is over.
void Session::close(StreamId id, Terminal terminal) {
  std::erase_if(streams_, [&](const Stream& stream) { return stream.id == id; });
  outbox_.end(id, std::move(terminal));
}

Session::Stream* Session::find(StreamId id) {
  const auto found = std::ranges::find(streams_, id, &Stream::id);
  return found == streams_.end() ? nullptr : &*found;
}

/// Names are as hard to guess as the sid is, and need no memory.
std::string Session::name_of(StreamId id) const {
  return settings_->sha1(granted_.sid + '/' + std::to_string(id)).substr(0, 15);
}

}  // namespace bosh
