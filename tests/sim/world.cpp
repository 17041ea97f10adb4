#include "tests/sim/world.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sim {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t first_rid = 1'000'000;
constexpr std::string_view header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
constexpr unsigned most_tries_lost = 2;  // of one request; a network that swallows everything proves nothing

/// The numbers of all `<letter…/>` in a text, in order. Behind the number there may be a declaration.
std::vector<unsigned> numbers(const std::string& text, char letter) {
  std::vector<unsigned> found;
  const std::string opening = std::string("<") + letter;
  for (auto at = text.find(opening); at != text.npos; at = text.find(opening, at + 1)) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data() + at + 2, text.data() + text.size(), number);
    if (error == std::errc() && (*end == '/' || *end == ' ')) found.push_back(number);
  }
  return found;
}

std::string stanza(char letter, unsigned number) {
  return std::string("<") + letter + std::to_string(number) + "/>";
}

bosh::Body body_of(std::uint64_t rid, std::string payload, bool by_parser) {
  bosh::Body body;
  if (by_parser) {
    xml::Pool pool(1);
    const std::string text = "<body xmlns='http://jabber.org/protocol/httpbind' sid='sid' rid='" +
                             std::to_string(rid) + "'>" + payload + "</body>";
    bosh::ParsedBody parsed = bosh::parse_body(pool, text, {});
    if (!parsed.fault.empty()) throw Broken("a good body is refused: " + parsed.fault);
    parsed.body.talks = true;
    return std::move(parsed.body);
  }
  body.rid = rid;
  body.sid = "sid";
  body.talks = true;
  body.payload = std::move(payload);
  return body;
}

}  // namespace

Manners strophe_manners() {
  return {"strophe", 1, 2, true, false, {0ms, 8s, 27s}, true};
}
Manners stanza_manners() {
  return {"stanza", 2, 2, false, true, {0ms, 4s, 9s, 16s}, false};
}

World::World(std::uint64_t seed, Manners manners, Faults faults, unsigned stanzas,
             std::vector<std::string>* log)
    : random_(seed), manners_(std::move(manners)), faults_(faults), stanzas_(stanzas), log_(log) {}

Outcome World::run() {
  bosh::Body creation;
  creation.rid = first_rid;
  creation.hold = manners_.hold;
  creation.wait = std::uniform_int_distribution<std::uint64_t>(20, 60)(random_);
  wait_ = std::chrono::seconds(*creation.wait);
  settings_.queue_bytes = std::uniform_int_distribution<std::size_t>(1, 200)(random_);
  session_.emplace(settings_, "sid", creation, now_);
  requests_ = manners_.hold + 1;
  next_rid_ = next_answer_ = first_rid + 1;
  bosh::Effects effects;
  bosh::Arrival arrival;
  session_->on_request(now_, arrival, std::move(creation), effects);
  session_->on_upstream_open(now_, 0, {"a", "b", "1.0"}, effects);
  if (!effects.empty()) throw Broken("the creation is answered before there are features");
  stream_.receive(pool_, header, batch_);
  open_[0] = first_rid;
  server_writes("<stream:features/>");
  if (!open_.empty()) throw Broken("the creation is not answered");
  first_valid_exchange_ = last_exchange_ = 1;
  for (unsigned i = 0; i < stanzas_; ++i) at(some(20s), [this] { server_speaks(); });
  for (unsigned i = 0; i < stanzas_; ++i) at(some(20s), [this] { ++sent_; });
  while (server_.got < stanzas_ || heard_stanzas_ < stanzas_) {
    client_step();
    if (events_.empty() || session_->deadline() < events_.begin()->first) {
      now_ = std::max(now_, session_->deadline());
      ring();
    } else {
      now_ = events_.begin()->first;
      auto event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      event();
    }
    check();
    if (++outcome_.events > 20'000) throw Broken("the world does not come to its end");
  }
  return outcome_;
}

void World::at(Duration in, std::function<void()> event) {
  events_.emplace(now_ + in, std::move(event));
}

void World::note(const std::string& what) {
  if (!log_) return;
  const auto since = std::chrono::duration_cast<Duration>(now_.time_since_epoch()) - Duration(1h);
  log_->push_back(std::to_string(since.count()) + " ms: " + what);
}

bool World::chance(double probability) {
  return std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

Duration World::some(Duration most) {
  return Duration(std::uniform_int_distribution<long>(0, most.count())(random_));
}

// --- The client ---

/// Opens requests as long as it has something to say, or nothing is open to hear by.
void World::client_step() {
  if (now_ < page_ready_) return;
  while (waiting_.size() < manners_.in_flight && !ended_) {
    if (manners_.keeps_window && !waiting_.empty() && next_rid_ - waiting_.front().rid >= requests_) return;
    const bool polls = std::ranges::any_of(waiting_, &Request::polling);
    const bool speaks = std::ranges::any_of(waiting_, [](const Request& r) { return !r.polling; });
    const bool has_something = next_client_stanza_ < sent_ && !(manners_.polls_apart && speaks);
    const bool must_poll = manners_.polls_apart ? !polls : waiting_.empty();
    if (!has_something && !must_poll) return;
    Request request{next_rid_++, {}};
    request.polling = !has_something;
    for (unsigned most = 3; has_something && next_client_stanza_ < sent_ && most > 0; --most)
      request.payload += stanza('c', next_client_stanza_++);
    waiting_.push_back(std::move(request));
    transmit(waiting_.back());
  }
}

void World::transmit(Request& request) {
  const std::uint64_t exchange = ++last_exchange_;
  const std::uint64_t rid = request.rid;
  request.exchange = exchange;
  ++request.tries;
  note("client sends rid " + std::to_string(rid) + " on " + std::to_string(exchange) + " " + request.payload);
  if (request.tries <= most_tries_lost && chance(faults_.lose_request)) {
    note("  lost on its way");
    return retry_later(rid, exchange);
  }
  at(some(faults_.slowest), [this, exchange, copy = request] { boshd_gets(exchange, copy); });
  at(wait_ * 11 / 10, [this, rid, exchange] {
    const auto found = std::ranges::find(waiting_, rid, &Request::rid);
    if (found == waiting_.end() || found->exchange != exchange) return;
    note("client gives up waiting on " + std::to_string(exchange));
    at(some(faults_.slowest), [this, exchange] { boshd_sees_loss(exchange); });
    retry_later(rid, exchange);
  });
}

void World::retry_later(std::uint64_t rid, std::uint64_t exchange) {
  const auto found = std::ranges::find(waiting_, rid, &Request::rid);
  if (found == waiting_.end() || found->exchange != exchange) return;
  found->exchange = 0;
  const auto& pauses = manners_.retry_after;
  const Duration pause = pauses[std::min<std::size_t>(found->tries, pauses.size()) - 1];
  at(some(faults_.slowest) + pause, [this, rid] {
    const auto again = std::ranges::find(waiting_, rid, &Request::rid);
    if (again != waiting_.end() && again->exchange == 0) transmit(*again);
  });
}

void World::client_hears(std::uint64_t exchange, std::uint64_t rid, const std::string& body) {
  const auto found = std::ranges::find(waiting_, rid, &Request::rid);
  if (found == waiting_.end() || found->exchange != exchange) return;  // an answer to a try that was given up
  note("client hears rid " + std::to_string(rid) + " " + body.substr(body.find('>') + 1));
  if (body.find("type='error'") != body.npos) return retry_later(rid, exchange);
  if (body.find("type='terminate'") != body.npos) throw Broken("the session ended for the client: " + body);
  for (const unsigned number : numbers(body, 's'))
    outcome_.overtaken |= std::exchange(arrived_, number + 1) != number;
  waiting_.erase(found);
  heard_[rid] = body;
  while (!heard_.empty() && heard_.begin()->first == next_answer_) {
    hand_up(heard_.begin()->second);
    heard_.erase(heard_.begin());
    ++next_answer_;
  }
}

/// The stanzas of an answer, in rid order: each once, and none missing but those that went to a dead page.
void World::hand_up(const std::string& body) {
  const auto pass_excused = [&] {
    while (excused_.erase(heard_stanzas_) > 0) ++heard_stanzas_;
  };
  pass_excused();
  for (const unsigned number : numbers(body, 's')) {
    if (number != heard_stanzas_)
      throw Broken("stanza " + std::to_string(number) + " came when " + std::to_string(heard_stanzas_) +
                   " was due");
    ++heard_stanzas_;
    pass_excused();
  }
}

/// The page goes and comes again: its connections die, its rid goes on. Only when boshd has all it sent: a
/// request that is lost together with the page that could repeat it leaves a gap that nobody can fill.
void World::reload() {
  for (const Request& request : waiting_)
    if (request.exchange == 0 || !arrived_rids_.contains(request.rid)) return;
  note("page reloads");
  for (const auto& [exchange, rid] : open_)
    at(some(faults_.slowest), [this, lost = exchange] { boshd_sees_loss(lost); });
  waiting_.clear();
  for (const auto& [rid, body] : std::exchange(heard_, {}))
    under_way_.push_back(body);  // came too early to be handed up
  next_answer_ = next_rid_;
  page_ready_ = now_ + faults_.slowest + 100ms;  // it loads for longer than its end takes to be seen
  at(faults_.slowest + 100ms, [] {});
  first_valid_exchange_ = last_exchange_ + 1;
  for (const std::string& body : under_way_) excuse(body);
}

/// An answer that nobody is there to read any more.
void World::excuse(const std::string& body) {
  for (const unsigned number : numbers(body, 's'))
    if (number >= heard_stanzas_) excused_.insert(number);
  hand_up({});
}

// --- The network and boshd ---

void World::boshd_gets(std::uint64_t exchange, const Request& request) {
  if (ended_) return;
  note("boshd gets rid " + std::to_string(request.rid) + " on " + std::to_string(exchange));
  open_[exchange] = request.rid;
  received_[exchange] = now_;
  arrived_rids_.insert(request.rid);
  if (request.tries <= most_tries_lost && chance(faults_.reset))
    at(some(2s), [this, exchange, rid = request.rid] {
      if (!open_.contains(exchange)) return;
      note("connection " + std::to_string(exchange) + " is reset");
      boshd_sees_loss(exchange);
      retry_later(rid, exchange);
    });
  bosh::Arrival arrival;
  arrival.exchange = {exchange, 0};
  bosh::Effects effects;
  session_->on_request(now_, arrival, body_of(request.rid, request.payload, chance(0.1)), effects);
  apply(effects);
}

void World::boshd_sees_loss(std::uint64_t exchange) {
  if (ended_ || !open_.contains(exchange)) return;
  note("boshd sees the loss of " + std::to_string(exchange));
  reported_lost_.insert(exchange);
  bosh::Effects effects;
  session_->on_lost(now_, {exchange, 0}, effects);
  apply(effects);
}

void World::apply(bosh::Effects& effects) {
  for (bosh::Effect& effect : effects) {
    if (ended_) throw Broken("an effect after the end");
    if (const auto* forward = std::get_if<bosh::Forward>(&effect)) server_gets(forward->stanzas);
    if (const auto* reading = std::get_if<bosh::Reading>(&effect)) reading_ = reading->on;
    if (const auto* end = std::get_if<bosh::Ended>(&effect)) ended_ = end->end;
    const auto* answer = std::get_if<bosh::Answer>(&effect);
    if (!answer) continue;
    const std::uint64_t exchange = answer->to.connection;
    const auto found = open_.find(exchange);
    if (found == open_.end()) throw Broken("an answer to nobody, on " + std::to_string(exchange));
    const std::uint64_t rid = found->second;
    open_.erase(found);
    const std::string body(*answer->response.body);
    if (reported_lost_.contains(exchange)) {
      if (!numbers(body, 's').empty()) throw Broken("data for a connection that is known to be lost");
      continue;
    }
    note("boshd answers rid " + std::to_string(rid) + " on " + std::to_string(exchange));
    if (exchange < first_valid_exchange_) {  // boshd can't know yet that the page is gone
      ++outcome_.lost_to_a_dead_page;
      excuse(body);
      continue;
    }
    const auto asked = std::ranges::find(waiting_, rid, &Request::rid);
    const bool may_be_lost = asked != waiting_.end() && asked->tries <= most_tries_lost;
    if (may_be_lost && chance(faults_.lose_answer)) {
      note("  lost on its way");
      retry_later(rid, exchange);
      continue;
    }
    const auto place = under_way_.insert(under_way_.end(), body);
    at(some(faults_.slowest), [this, exchange, rid, place] {
      const std::string arrives = std::move(*place);
      under_way_.erase(place);
      client_hears(exchange, rid, arrives);
    });
  }
  if (ended_) throw Broken("the session ended, reason " + std::to_string(static_cast<int>(*ended_)));
}

void World::ring() {
  bosh::Effects effects;
  session_->on_time(now_, effects);
  apply(effects);
  if (session_->deadline() <= now_) throw Broken("a deadline that has passed");
}

void World::check() {
  if (session_->held() > manners_.hold) throw Broken("more held than hold");
  if (reading_ != (session_->queued_bytes() < settings_.queue_bytes))
    throw Broken("reading against the limit");
  if (session_->cached_bytes() > settings_.cache_bytes) throw Broken("too much in the cache");
  for (const auto& [exchange, rid] : open_) {
    bool turn = true;
    for (std::uint64_t lower = first_rid + 1; lower < rid; ++lower) turn &= arrived_rids_.contains(lower);
    if (turn && now_ - received_[exchange] > wait_ && !reported_lost_.contains(exchange))
      throw Broken("rid " + std::to_string(rid) + " is held for longer than wait");
  }
}

// --- The server ---

void World::server_speaks() {
  if (!reading_) return at(100ms, [this] { server_speaks(); });
  const std::string text = stanza('s', server_.sent++);
  note("server says " + text);
  server_writes(text);
  if (manners_.reloads && chance(faults_.reload)) at(some(100ms), [this] { reload(); });
}

/// The bytes arrive in two pieces, and the stream's parser may have been taken away in between.
void World::server_writes(const std::string& bytes) {
  const auto cut = std::uniform_int_distribution<std::size_t>(0, bytes.size())(random_);
  for (const std::string& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    const xmpp::Received received = stream_.receive(pool_, piece, batch_);
    if (received.ended) throw Broken("a good stream is refused");
    bosh::Effects effects;
    session_->on_upstream(now_, 0, received.elements, effects);
    apply(effects);
    if (chance(0.1)) pool_.cool();
  }
}

void World::server_stalls() {
  if (!room_) return;
  const auto tell = [this](bool room) {
    note(room ? "the server takes more" : "the server takes nothing");
    room_ = room;
    bosh::Effects effects;
    session_->on_upstream_room(now_, room, effects);
    apply(effects);
  };
  tell(false);
  at(some(5s), [tell] { tell(true); });
}

void World::server_gets(const std::string& stanzas) {
  for (const unsigned number : numbers(stanzas, 'c'))
    if (number != server_.got++)
      throw Broken("the server got client stanza " + std::to_string(number) + " out of turn");
  if (chance(faults_.stall)) at(some(1s), [this] { server_stalls(); });
}

}  // namespace sim
