// Answers: when a request is answered and with what, and how a session ends.
#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "bosh/session.hpp"

namespace bosh {

using namespace std::chrono_literals;

namespace {

// A page that reloads may have used up a rid for a request that never left it, and goes on with the next one.
// If its connections are gone, the missing rid is waited for only so long: a client that is still there has
// repeated it twice by then.
constexpr std::chrono::seconds reload_patience{12};
constexpr std::size_t most_unacknowledged = 512;
constexpr std::chrono::hours unacknowledged_age{24 * 365};

}  // namespace

void Session::on_upstream_open(Time now, StreamId id, ServerHeader header, Effects& effects) {
  Stream* stream = find(id);
  if (!stream || state_ != State::live) return;
  if (header.version.empty()) stream->ready = true;
  if (!created_ || stream->untold) stream->server = std::make_shared<const ServerHeader>(std::move(header));
  settle(now, effects);
}

void Session::on_upstream(Time now, StreamId id, std::span<const xml::Element> elements, Effects& effects) {
  Stream* stream = find(id);
  if (elements.empty() || !stream) return;
  stream->ready = true;
  outbox_.add(id, elements, now);
  settle(now, effects);
}

void Session::on_upstream_end(Time now, StreamId id, Terminal terminal, Effects& effects) {
  if (state_ == State::ended) return;
  if (streams_.size() <= 1) return end(now, std::move(terminal), false, effects);
  if (!find(id)) return;
  close(id, std::move(terminal));
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
    while (!outbox_.empty() && waiting_.size() > 1) hand_over(now, effects);
    return break_off(std::nullopt, terminal, End::told, effects);
  }
  if (state_ == State::ending) return;
  state_ = State::ending;
  terminal_ = std::make_shared<const Terminal>(std::move(terminal));
  for (Early& early : early_) early.body.payload.clear();
  upstream_room_ = true;
  take_in_order(now, effects);
  settle(now, effects);
}

void Session::on_time(Time now, Effects& effects) {
  assert(state_ != State::ended);
  if (waiting_.empty() && early_.empty()) {
    if (now - idle_since_ < inactivity_) return;
    const End why = state_ == State::ending ? End::told : End::inactive;
    return finish(why, last_word({Condition::item_not_found, {}}), effects);
  }
  while (!early_.empty() && now >= gap_due()) give_up_gap(now, effects);
  settle(now, effects);
}

/// What should come before a request did not come, or the server does not take it.
void Session::give_up_gap(Time now, Effects& effects) {
  const std::uint64_t first = early_.front().request.rid;
  if (state_ == State::ending) return break_off(std::nullopt, *terminal_, End::told, effects);
  if (first == highest_ + 1)
    return break_off(std::nullopt, {Condition::remote_connection_failed, {}}, End::upstream_stalled, effects);
  if (!deserted_ || first != highest_ + 2)
    return break_off(std::nullopt, {Condition::item_not_found, {}}, End::rid_missing, effects);
  deserted_.reset();
  effects.push_back(GaveUp{++highest_});
  take_in_order(now, effects);
  settle(now, effects);
}

Time Session::deadline() const {
  if (state_ == State::ended) return Time::max();
  if (waiting_.empty() && early_.empty()) return idle_since_ + inactivity_;
  Time due = std::min(gap_due(), answer_due());
  if (!waiting_.empty() && !outbox_.empty() && created_ && !asks_for_proof())
    due = std::min(due, guard_until_);
  return due;
}

/// How long a request waits for its turn (B-092).
Time Session::gap_due() const {
  if (early_.empty()) return Time::max();
  const std::chrono::seconds longest = granted_.wait == 0s ? granted_.inactivity : granted_.wait;
  Time due = Time::max();
  for (const Early& early : early_) due = std::min(due, early.request.at + longest);
  if (deserted_ && early_.front().request.rid == highest_ + 2)
    due = std::min(due, std::max(early_.front().request.at, *deserted_) + reload_patience);
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
    const bool prompt =
        std::ranges::any_of(waiting_, [](const Waiting& w) { return w.added || w.report > 0; });
    const bool full = takes_data(oldest) && !outbox_.empty();
    const bool data = full && data_may_leave(now);
    const bool asks = full && !data && asks_for_proof();  // what the client sends next proves what it has
    const bool due = oldest.lost || prompt || asks || waiting_.size() > granted_.hold || now >= answer_due();
    const bool ready = created_ || streams_.front().ready || state_ == State::ending;
    if (!ready && !due) break;  // the creation response is to bring the features
    if (data)
      give_letter(now, effects);
    else if (state_ == State::ending && outbox_.empty() && !oldest.lost)
      return break_off(std::nullopt, *terminal_, End::told, effects);
    else if (due || !created_)
      answer_oldest(now, {}, effects);
    else
      break;
  }
  const bool reading = outbox_.bytes() < settings_->queue_bytes;
  if (reading != reading_ && state_ != State::ending) effects.push_back(Reading{reading});
  reading_ = reading;
}

/// An answer with data follows another only when that has arrived, or on the same connection. Is there no
/// proof, its client is answered empty, and what it sends next is the proof. While it logs in, or where more
/// than one request is held, some time has to do.
bool Session::data_may_leave(Time now) const {
  return arrived_ || same_connection() || (!asks_for_proof() && now >= guard_until_);
}

bool Session::same_connection() const {
  const Arrival& arrival = waiting_.front().arrival;
  return arrival.direct && arrival.exchange.connection == guard_connection_;
}

/// Answers the oldest request, with the first letter if it takes one.
void Session::hand_over(Time now, Effects& effects) {
  if (takes_data(waiting_.front()) && !outbox_.empty()) return give_letter(now, effects);
  answer_oldest(now, {}, effects);
}

/// Answers the oldest request with the first letter.
void Session::give_letter(Time now, Effects& effects) {
  spoken_ = waiting_.front().rid;
  arrived_ = false;
  guard_connection_ = waiting_.front().arrival.exchange.connection;
  guard_until_ = now + settings_->order_guard;
  answer_oldest(now, outbox_.take(), effects);
}

void Session::answer_oldest(Time now, Letter&& letter, Effects& effects) {
  const Waiting& oldest = waiting_.front();
  const Time since = letter.content.empty() ? Time{} : std::max(letter.since, oldest.at);
  Notes notes;
  notes.ack = ack_for(oldest.rid);
  if (created_) {
    const auto told = annotate(now, oldest, letter, notes);
    const bool silent = letter.content.empty() && notes == Notes{};
    Response response = silent ? respond(silent_reply()) : respond(reply(notes, letter.content));
    return answer_oldest_with(now, std::move(response), letter.stream, effects, since);
  }
  Stream& stream = streams_.front();
  const auto server = std::exchange(stream.server, nullptr);
  stream.untold = !stream.ready && !server;
  answer_oldest_with(
      now, respond(creation_reply(granted_, server ? *server : ServerHeader{}, notes, letter.content)),
      letter.stream, effects, since);
}

/// What stands on an answer because of its request, and because of what is in it. Returns what the notes
/// point to.
std::shared_ptr<const ServerHeader> Session::annotate(Time now, const Waiting& oldest, Letter& letter,
                                                      Notes& notes) {
  if (const auto* lacking = cache_.find(oldest.report)) {
    notes.report = oldest.report;
    notes.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - lacking->at);
  }
  if (oldest.added) notes.stream = name_of(*oldest.added);
  if (letter.end) {
    notes.terminate = true;
    notes.condition = letter.end->condition;
    letter.content += letter.end->content;
  }
  if (letter.content.empty() && !letter.end) return nullptr;
  if (next_stream_ > 1) notes.stream = name_of(letter.stream);
  Stream* stream = find(letter.stream);
  if (!stream || !std::exchange(stream->untold, false)) return nullptr;
  notes.server = stream->server.get();
  return std::exchange(stream->server, nullptr);
}

void Session::answer_oldest_with(Time now, Response response, StreamId stream, Effects& effects, Time since) {
  const Waiting& oldest = waiting_.front();
  // The creation response is large, and who goes on under its sid has read it.
  const bool creation = !std::exchange(created_, true);
  cache_.keep({oldest.rid, now, response.body, stream, creation}, cache_limits());
  effects.push_back(Answer{oldest.arrival.exchange, std::move(response), since});
  waiting_.erase(waiting_.begin());
  if (waiting_.empty()) idle_since_ = now;
}

/// A client that acknowledges says itself what can go.
AnswerCache::Limits Session::cache_limits() const {
  AnswerCache::Limits limits;
  limits.bytes = settings_->cache_bytes;
  limits.least = granted_.requests;
  limits.age = acks_ ? unacknowledged_age : std::max(granted_.inactivity, inactivity_);
  if (acks_) limits.count = most_unacknowledged;
  return limits;
}

Response Session::respond(Bytes body) const {
  return {std::move(body), content_type_};
}

/// A terminal body, or the HTTP code by which a client older than `ver` knows some of the conditions.
Response Session::last_word(const Terminal& terminal) const {
  const unsigned status = legacy_ && terminal.condition ? legacy_status(*terminal.condition) : 200;
  if (status != 200) return {{}, {}, status};
  return respond(terminal_reply(terminal));
}

/// The highest rid that came with all lower ones; 0 when that is the request itself (B-099), or nobody asked.
std::uint64_t Session::ack_for(std::uint64_t rid) const {
  if (!acks_) return 0;
  const std::uint64_t highest = received();
  return highest == rid && created_ ? 0 : highest;
}

std::uint64_t Session::highest_answered() const {
  return waiting_.empty() ? highest_ : waiting_.front().rid - 1;
}

/// Ends the session now: the request at fault and everything that waits get the terminal body (B-189).
void Session::break_off(std::optional<Exchange> culprit, const Terminal& terminal, End end,
                        Effects& effects) {
  const Response farewell = last_word(terminal);
  for (const Waiting& request : std::exchange(waiting_, {}))
    effects.push_back(Answer{request.arrival.exchange, farewell});
  if (culprit) effects.push_back(Answer{*culprit, farewell});
  finish(end, farewell, effects);
}

void Session::finish(End end, Response farewell, Effects& effects) {
  for (const Early& early : early_) effects.push_back(Answer{early.request.arrival.exchange, farewell});
  early_.clear();
  state_ = State::ended;
  std::vector<Undelivered> undelivered = unacknowledged();
  for (Letter& letter : outbox_.take_all()) undelivered.push_back({letter.stream, std::move(letter.content)});
  effects.push_back(Ended{end, std::move(farewell), std::move(undelivered)});
}

/// What was answered and never acknowledged, by a client that acknowledges.
std::vector<Undelivered> Session::unacknowledged() const {
  std::vector<Undelivered> undelivered;
  if (!acks_) return undelivered;
  for (const AnswerCache::Kept& kept : cache_.all()) {
    const std::string_view body = *kept.bytes;
    const auto begin = body.find('>') + 1;  // no attribute value has one
    if (begin < body.size())
      undelivered.push_back({kept.stream, std::string(body.substr(begin, body.rfind('<') - begin))});
  }
  return undelivered;
}

}  // namespace bosh
