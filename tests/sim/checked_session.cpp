#include "tests/sim/checked_session.hpp"

#include <algorithm>
#include <stdexcept>

#include "tests/sim/world.hpp"

namespace sim {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t first_rid = 1000;
constexpr std::string_view given_up = "given up";

constexpr unsigned most_streams = 3;

/// Stands for a hash of the sid and the number behind it, and lets that be seen.
std::string visible_hash(std::string_view text) {
  return "stream-" + std::string(text.substr(text.find('/') + 1)) + "-------";
}

std::string name_of(bosh::StreamId stream) {
  return visible_hash('/' + std::to_string(stream)).substr(0, 15);
}

bosh::Settings with_small_queue(bool streams) {
  bosh::Settings settings;
  settings.queue_bytes = 10;
  settings.polling = 0s;
  settings.sha1 = visible_hash;
  if (streams) settings.streams = most_streams;
  return settings;
}
const bosh::Settings settings = with_small_queue(false);
const bosh::Settings settings_with_streams = with_small_queue(true);

bosh::Body creation(const CheckedSession::Kind& kind) {
  bosh::Body body;
  body.rid = first_rid;
  body.hold = kind.hold;
  if (kind.acks) body.ack = 1;
  body.wait = static_cast<std::uint64_t>(kind.wait.count());
  return body;
}

bool restarts(std::uint64_t rid) {
  return rid % 5 == 3;
}

/// Some requests say something, others only listen.
std::string payload(std::uint64_t rid) {
  return rid % 3 == 0 ? std::string() : "<c" + std::to_string(rid) + "/>";
}

void require(bool holds, const std::string& rule) {
  if (!holds) throw Broken(rule);
}

bool has(const std::string& body, std::string_view part) {
  return body.find(part) != body.npos;
}

bool ends_a_stream(const std::string& body) {
  return has(body, " type='terminate'") && has(body, " stream='");
}

bool is_terminal(const std::string& body) {
  return has(body, " type='terminate'") && !ends_a_stream(body);
}

}  // namespace

CheckedSession::CheckedSession(const Kind& kind)
    : kind_(kind),
      session_(kind.streams ? settings_with_streams : settings, "sid", creation(kind), now_),
      next_forward_(first_rid + 1),
      next_answer_(first_rid) {
  send(first_rid);
  if (!kind.open) return;
  server_opens();
  server_opens();
  now_ += 1s;
}

// --- Events ---

template <class Event>
bool CheckedSession::happens(Event&& event) {
  bosh::Effects effects;
  event(effects);
  told_nothing_ = told_terminal_ = false;
  const bool last_words = !effects.empty() && std::holds_alternative<bosh::Ended>(effects.back());
  for (const bosh::Effect& effect : effects) {
    require(!ended_, "an effect after the end");
    if (const auto* answer = std::get_if<bosh::Answer>(&effect)) carry_out(*answer, last_words);
    if (const auto* forward = std::get_if<bosh::Forward>(&effect)) {
      if (forward->stream == 0)
        server_gets(forward->stanzas);
      else
        others_get(*forward);
    }
    if (const auto* open = std::get_if<bosh::Open>(&effect)) {
      server_gets("open");
      extra_.push_back(open->stream);
    }
    if (const auto* close = std::get_if<bosh::Close>(&effect)) {
      server_gets("close");
      require(close->stream == closing_, "B-178: the stream that is named is closed");
      std::erase(extra_, close->stream);
      queued_.push_back({close->stream, {}, true});
      closing_.reset();
    }
    if (std::holds_alternative<bosh::Restart>(effect)) server_gets("restart");
    if (const auto* missing = std::get_if<bosh::GaveUp>(&effect)) give_up(missing->rid);
    if (const auto* reading = std::get_if<bosh::Reading>(&effect)) {
      require(reading->on != reading_, "reading is switched to what it is");
      reading_ = reading->on;
    }
    if (const auto* end = std::get_if<bosh::Ended>(&effect)) {
      check_end(*end);
      ended_ = end->end;
    }
  }
  if (!ended_) check();
  ringing_ = faulty_ = false;
  return true;
}

bool CheckedSession::send(std::uint64_t rid, Wish wish) {
  const std::size_t place = rid - first_rid;
  const bool first = place >= sent_.size() || !sent_[place];
  sent_.resize(std::max(sent_.size(), place + 1));
  answered_.resize(sent_.size());
  sent_[place] = true;
  repeats_ = first ? 0 : repeats_ + 1;
  if (first) wishes_[rid] = wish;
  bosh::Body body = body_of(rid);
  if (rid != first_rid && kind_.acks && first) body.ack = acked_ = next_answer_ - 1;
  bosh::Arrival arrival;
  arrival.exchange = {++exchanges_, 0};
  const Request* earlier = first ? nullptr : open_request(rid, false);
  open_.push_back({exchanges_, rid, false, earlier ? earlier->since : now_});
  std::ranges::stable_sort(open_, {}, &Request::rid);
  return happens([&](auto& effects) { session_.on_request(now_, arrival, std::move(body), effects); });
}

bosh::Body CheckedSession::body_of(std::uint64_t rid) const {
  if (rid == first_rid) return creation(kind_);
  const Wish wish = wish_of(rid);
  bosh::Body body;
  body.rid = rid;
  body.sid = "sid";
  body.restart = due_to_server(rid) == "restart";
  body.terminate = wish == Wish::terminate || wish == Wish::closing;
  if (wish == Wish::pause) body.pause = 30;
  if (wish == Wish::addition) body.to = "b.example";
  if (wish == Wish::closing) body.stream = name_of(closing_.value_or(0));
  if (names_the_first(rid)) body.stream = name_of(0);
  if (wish != Wish::addition && wish != Wish::closing) body.payload = payload(rid);
  return body;
}

bool CheckedSession::send_next() {
  const std::uint64_t rid = lowest_never_sent();
  return in_window(rid) && send(rid);
}

bool CheckedSession::send_one_ahead() {
  const std::uint64_t rid = lowest_never_sent() + 1;
  return rid > highest_sent() && in_window(rid) && send(rid);
}

bool CheckedSession::repeat_oldest() {
  return !open_.empty() && open_.front().rid != first_rid && send(open_.front().rid);
}

bool CheckedSession::repeat_newest() {
  return !open_.empty() && open_.back().rid != open_.front().rid && send(open_.back().rid);
}

bool CheckedSession::repeat_answered() {
  return next_answer_ > first_rid + 1 && next_answer_ - 1 > acked_ &&
         answered_[next_answer_ - 1 - first_rid] != given_up && send(next_answer_ - 1);
}

/// Once: a client that pauses has nothing else in mind.
bool CheckedSession::send_pause() {
  const std::uint64_t rid = lowest_never_sent();
  if (pause_ != 0 || restarts(rid) || !in_window(rid)) return false;
  pause_ = rid;
  return send(rid, Wish::pause);
}

bool CheckedSession::send_terminate() {
  const std::uint64_t rid = highest_sent() + 1;
  if (terminate_sent_ || restarts(rid)) return false;
  terminate_sent_ = true;
  return send(rid, Wish::terminate);
}

bool CheckedSession::send_addition() {
  const std::uint64_t rid = lowest_never_sent();
  const auto added = static_cast<std::size_t>(
      std::ranges::count(wishes_, Wish::addition, &std::pair<const std::uint64_t, Wish>::second));
  if (!kind_.streams || added + 1 >= most_streams || restarts(rid) || !in_window(rid)) return false;
  return send(rid, Wish::addition);
}

bool CheckedSession::send_closing() {
  const std::uint64_t rid = lowest_never_sent();
  if (extra_.empty() || closing_ || restarts(rid) || !in_window(rid)) return false;
  closing_ = extra_.back();
  return send(rid, Wish::closing);
}

bool CheckedSession::send_faulty() {
  faulty_ = true;
  const std::uint64_t rid = lowest_never_sent();
  open_.push_back({++exchanges_, rid, false, now_});
  return happens([&](auto& effects) {
    session_.on_faulty_request({exchanges_, 0}, rid, {bosh::Condition::bad_request, {}},
                               bosh::End::bad_request, effects);
  });
}

bool CheckedSession::lose_oldest() {
  return !open_.empty() && lose(open_request(open_.front().rid, true));
}

bool CheckedSession::lose_newest() {
  return !open_.empty() && open_.back().rid != open_.front().rid &&
         lose(open_request(open_.back().rid, true));
}

bool CheckedSession::lose(const Request* request) {
  if (!request) return false;
  const std::uint64_t exchange = request->exchange;
  open_[static_cast<std::size_t>(request - open_.data())].lost = true;
  return happens([&](auto& effects) { session_.on_lost(now_, {exchange, 0}, effects); });
}

/// First its header, then its features.
bool CheckedSession::server_opens() {
  if (features_told_ || over_) return false;
  if (header_told_) {
    features_told_ = true;
    return server_speaks();
  }
  header_told_ = true;
  return happens([&](auto& effects) {
    session_.on_upstream_open(now_, 0, {"a.example", "id", "1.0"}, effects);
    session_.on_upstream(now_, 0, {}, effects);
    session_.on_time(now_, effects);  // too early does nothing
    require(effects.empty(), "B-077: the creation waits for the features");
  });
}

bool CheckedSession::server_speaks() {
  return features_told_ && !over_ && speaks(0, "<s/>");
}

bool CheckedSession::server_speaks_on_another() {
  return !extra_.empty() && !over_ && speaks(extra_.back(), "<t/>");
}

/// What is said on one stream leaves together.
bool CheckedSession::speaks(bosh::StreamId stream, std::string_view said) {
  xml::Element element;
  element.bytes = said;
  auto letter = std::ranges::find(queued_, stream, &Letter::stream);
  if (letter == queued_.end()) letter = queued_.insert(letter, {stream, {}, false});
  letter->text += said;
  return happens([&](auto& effects) { session_.on_upstream(now_, stream, {&element, 1}, effects); });
}

/// Not one that the client is closing: whose end that is can't be known then.
bool CheckedSession::server_ends_another() {
  if (extra_.empty() || closing_ || over_) return false;
  const bosh::StreamId stream = extra_.back();
  extra_.pop_back();
  queued_.push_back({stream, {}, true});
  return happens([&](auto& effects) {
    session_.on_upstream_end(now_, stream, {bosh::Condition::remote_connection_failed, {}}, effects);
  });
}

bool CheckedSession::server_takes_no_more() {
  if (!room_ || over_) return false;
  room_ = false;
  return happens([&](auto& effects) { session_.on_upstream_room(now_, false, effects); });
}

bool CheckedSession::server_takes_more() {
  if (room_ || over_) return false;
  room_ = true;
  return happens([&](auto& effects) { session_.on_upstream_room(now_, true, effects); });
}

bool CheckedSession::server_ends() {
  return end(false);
}

bool CheckedSession::shut_down() {
  return end(true);
}

bool CheckedSession::end(bool at_once) {
  if (over_ && !at_once) return false;
  over_ = true;
  return happens([&](auto& effects) {
    session_.end(now_, {bosh::Condition::remote_connection_failed, {}}, at_once, effects);
  });
}

bool CheckedSession::deadline_comes() {
  now_ = std::max(now_, session_.deadline());
  ringing_ = true;
  return happens([&](auto& effects) { session_.on_time(now_, effects); });
}

/// Too short for any deadline but that of the order guard.
bool CheckedSession::moment_passes() {
  if (session_.deadline() <= now_ + 10ms) return deadline_comes();
  now_ += 10ms;
  return happens([](auto&) {});
}

// --- What is known ---

const CheckedSession::Request* CheckedSession::open_request(std::uint64_t rid, bool alive) const {
  const auto found = std::ranges::find_if(
      open_.rbegin(), open_.rend(), [&](const Request& r) { return r.rid == rid && !(alive && r.lost); });
  return found == open_.rend() ? nullptr : &*found;
}

/// A client has no more requests open than hold + 1, which is what it was granted.
bool CheckedSession::in_window(std::uint64_t rid) const {
  return rid <= next_answer_ + kind_.hold;
}

CheckedSession::Wish CheckedSession::wish_of(std::uint64_t rid) const {
  const auto found = wishes_.find(rid);
  return found == wishes_.end() ? Wish::nothing : found->second;
}

/// Of requests that name no stream all get what they say.
bool CheckedSession::names_the_first(std::uint64_t rid) const {
  return kind_.streams && wish_of(rid) == Wish::nothing && rid % 2 == 0;
}

/// What the server is to get of a request.
std::string CheckedSession::due_to_server(std::uint64_t rid) const {
  const Wish wish = wish_of(rid);
  if (wish == Wish::addition) return "open";
  if (wish == Wish::closing) return "close";
  return restarts(rid) && wish == Wish::nothing ? "restart" : payload(rid);
}

std::size_t CheckedSession::queued_bytes() const {
  std::size_t bytes = 0;
  for (const Letter& letter : queued_) bytes += letter.text.size();
  return bytes;
}

std::uint64_t CheckedSession::lowest_never_sent() const {
  const auto found = std::ranges::find(sent_, false);
  return first_rid + static_cast<std::uint64_t>(found - sent_.begin());
}

std::uint64_t CheckedSession::highest_sent() const {
  return first_rid + sent_.size() - 1;
}

// --- Effects ---

void CheckedSession::carry_out(const bosh::Answer& answer, bool last_words) {
  const auto found = std::ranges::find(open_, answer.to.connection, &Request::exchange);
  require(found != open_.end(), "a request is answered twice");
  const Request request = *found;
  open_.erase(found);
  const std::string body(*answer.response.body);
  const bool empty = body.ends_with("/>") && !has(body, " type='terminate'");
  told_nothing_ |= !request.lost && empty && wish_of(request.rid) != Wish::addition;
  told_terminal_ |= !request.lost && is_terminal(body);
  if (body == *bosh::repeated_reply())
    return require(open_request(request.rid, false), "B-148: only the older of two copies is told so");
  if (faulty_ && is_terminal(body)) return;
  std::string& earlier = answered_[request.rid - first_rid];
  if (!earlier.empty()) return require(body == earlier, "B-147: a repeated rid gets the same bytes");
  check_first_answer(request, body, last_words);
  if (request.rid == next_answer_) ++next_answer_;
  if (!is_terminal(body)) earlier = body;
}

/// Only a rid that never came, between one that was lost and one that waits.
void CheckedSession::give_up(std::uint64_t rid) {
  require(ringing_ && rid == lowest_never_sent() && rid < highest_sent(), "no request is missing");
  require(rid == next_answer_ && rid == next_unforwarded(), "what comes before it is not done");
  sent_[rid - first_rid] = true;
  answered_[rid - first_rid] = given_up;
  ++next_answer_;
  next_forward_ = rid + 1;
}

/// The lowest rid of which the server gets something that it has not got.
std::uint64_t CheckedSession::next_unforwarded() const {
  std::uint64_t rid = next_forward_;
  while (rid < lowest_never_sent() && due_to_server(rid).empty()) ++rid;
  return rid;
}

void CheckedSession::check_first_answer(const Request& request, const std::string& body, bool last_words) {
  require(last_words || !is_terminal(body), "B-181: a terminal body ends the session");
  if (is_terminal(body)) return;
  require(request.rid == next_answer_, "B-086: answers leave in rid order");
  if (queued_.empty()) return require(body.ends_with("/>") && !ends_a_stream(body), "nothing was queued");
  const Letter& oldest = queued_.front();
  const bool data = oldest.end ? ends_a_stream(body) : body.ends_with(oldest.text + "</body>");
  require(data || (body.ends_with("/>") && !ends_a_stream(body)),
          "all that is queued of the oldest stream leaves at once, or nothing");
  if (!data) return;
  const bool several = std::ranges::any_of(wishes_, [](auto& w) { return w.second == Wish::addition; });
  require(oldest.stream == 0 || has(body, " stream='" + name_of(oldest.stream)),
          "B-173: its stream is named");
  require(several || request.rid == first_rid || !has(body, " stream='"), "there is only one stream");
  require(request.rid != pause_, "B-116: no data on the answer to a pause");
  require(over_ || wish_of(request.rid) != Wish::addition, "B-171: an addition is answered with its name");
  require(!request.lost, "B-095: no data for a connection that is known to be lost");
  queued_.erase(queued_.begin());
  last_data_ = now_;
}

/// Of what goes to several streams the first one gets its part last.
void CheckedSession::others_get(const bosh::Forward& forward) {
  require(std::ranges::find(extra_, forward.stream) != extra_.end(),
          "a stream that is not open gets something");
  require(also_.empty() || also_ == forward.stanzas, "what goes to all is the same");
  also_ = forward.stanzas;
}

void CheckedSession::server_gets(std::string_view text) {
  next_forward_ = next_unforwarded();
  const std::string expected = due_to_server(next_forward_);
  require(text == expected, "B-081, X-044: the server gets each request's part once, in rid order");
  const bool to_all =
      !extra_.empty() && expected == payload(next_forward_) && !names_the_first(next_forward_);
  require(also_ == (to_all ? expected : ""), "B-174: what names no stream goes to all");
  also_.clear();
  ++next_forward_;
}

// --- Rules that hold after every event ---

void CheckedSession::check_end(const bosh::Ended& ended) const {
  require(open_.empty(), "B-189: all that waits is answered at the end");
  require(is_terminal(std::string(*ended.farewell.body)), "B-153: late requests hear that it is over");
  std::string left;
  for (const Letter& letter : queued_) left += letter.text;
  std::string undelivered;
  for (const bosh::Undelivered& part : ended.undelivered) undelivered += part.stanzas;
  require(kind_.acks ? undelivered.ends_with(left) : undelivered == left,
          "X-065: what nobody got is neither lost nor made up");
  const bool gap = lowest_never_sent() < highest_sent();
  switch (ended.end) {
    case bosh::End::client_terminated:
      require(told_terminal_ || !told_nothing_ || pause_ != 0,
              "B-199: of those who are there one is told the end");
      return require(terminate_sent_, "nobody has terminated");
    case bosh::End::inactive:
      return require(ringing_ && !over_, "inactive, although something has just happened");
    case bosh::End::bad_request:
      return require(faulty_, "no request was bad");
    case bosh::End::rid_missing:
      return require(ringing_ && gap, "no rid was missing");
    case bosh::End::overactive:
      return require(repeats_ > 50, "nobody has repeated without end");
    case bosh::End::upstream_stalled:
      return require(ringing_ && !room_, "nothing has stalled");
    case bosh::End::told:
      return require(over_, "nobody has told it to end");
    default:
      throw Broken("this end has no reason");
  }
}

void CheckedSession::check() const {
  require(session_.held() <= kind_.hold, "B-085: more are held than hold");
  require(session_.queued_bytes() == queued_bytes(), "what the server said is neither queued nor given");
  // One that has passed rings at once; after that it must be gone.
  require(!ringing_ || session_.deadline() > now_, "a deadline that has passed");
  require(over_ || reading_ == (queued_bytes() < settings.queue_bytes), "rule 5: reading stops at the limit");
  const auto longest = kind_.wait > 0s ? kind_.wait : settings.inactivity + 2 * settings.polling;
  for (const Request& request : open_) {
    require(now_ - request.since < longest, "B-084: a request waits for longer than wait");
    const bool its_turn = request.rid == next_answer_ && request.rid < next_unforwarded();
    const bool data_could_leave =
        !request.lost && features_told_ && its_turn && now_ >= last_data_ + settings.order_guard;
    require(queued_.empty() || !data_could_leave, "B-083: data stays although a request waits for it");
  }
}

}  // namespace sim
