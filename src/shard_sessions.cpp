// A shard's sessions: what comes from their servers, what they want done, their end and their time.
#include <malloc.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "src/config_text.hpp"
#include "src/domain.hpp"
#include "src/http_response.hpp"
#include "src/log/log.hpp"
#include "src/login.hpp"
#include "src/query.hpp"
#include "src/shard.hpp"
#include "xmpp/bounce.hpp"

namespace boshd {

namespace {

constexpr std::size_t worth_trimming = 1000;     // sessions
constexpr std::chrono::seconds memory_life{20};  // of what was freed: until then it may be used again

Time now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

// --- The XMPP side ---

/// How a domain is written is up to the client: all that follows goes by its one form in ASCII.
Shard::Way Shard::find_way(std::string_view domain, const Asked& asked) const {
  auto ascii = ascii_domain(domain);
  if (!ascii) return {};
  if (!check_origin(config_->cors.of(*ascii), asked.origin).allowed)
    return {nullptr, std::move(*ascii), EndReason::origin_refused};
  std::shared_ptr<const Servers> servers(config_, config_->upstream.find(*ascii));
  for (const auto& route : routes_)
    if (servers && asked.route == "xmpp:" + server_form.write(route->list.front())) servers = route;
  return {std::move(servers), std::move(*ascii)};
}

/// What the client said in its creation request, or when it added a stream.
void Shard::open_leg(std::uint64_t id, Slot& slot, bosh::StreamId stream, Way&& way, std::string_view domain,
                     std::string_view language, const Asked& asked) {
  const bool web = std::holds_alternative<Web>(slot.client_side);
  std::shared_ptr<const ClientTls> tls = tls_->clients.at(way.servers->ca);
  const auto upstream = boost::intrusive_ptr(
      new UpstreamConnection(*this, id, stream, std::move(way.domain),
                             {way.servers, std::move(tls), slot.client.remote, slot.client.local}));
  slot.legs.push_back({stream, xmpp::Stream(std::string(domain), std::string(language), stream_limits_, web),
                       upstream, now() + config_->limits.authentication_timeout, Time::max()});
  slot.legs.back().stream.introduce(query_element(asked.target, way.servers->query));
  upstream->connect();
}

/// Its turn among those that connect has come: only now the server's time begins.
void Shard::on_upstream_begun(std::uint64_t session, bosh::StreamId stream) {
  Slot& slot = *sessions_.find(session);
  Leg& leg = *find_leg(slot, stream);
  leg.open_by = now() + config_->upstream.connect_timeout;
  if (slot.traced) trace_upstream(session, slot, leg, "looking for a server of " + leg.upstream->domain());
  session_deadlines_.set(session, due(slot), slot.queued);
}

void Shard::on_upstream_ready(std::uint64_t session, bosh::StreamId stream, xmpp::Tls tls, bool secured) {
  Slot& slot = *sessions_.find(session);
  Leg& leg = *find_leg(slot, stream);
  if (slot.traced) trace_upstream(session, slot, leg, "connected");
  leg.upstream->write(leg.stream.open(tls, secured));
}

void Shard::on_upstream_secured(std::uint64_t session, bosh::StreamId stream) {
  Slot& slot = *sessions_.find(session);
  Leg& leg = *find_leg(slot, stream);
  if (slot.traced) trace_upstream(session, slot, leg, "encrypted");
  leg.upstream->write(leg.stream.secured());
}

Shard::Leg* Shard::find_leg(Slot& slot, bosh::StreamId stream) {
  const auto found = std::ranges::find(slot.legs, stream, &Leg::id);
  return found == slot.legs.end() ? nullptr : &*found;
}

UpstreamOrder Shard::on_upstream_bytes(std::uint64_t session, bosh::StreamId stream, std::string_view bytes) {
  Slot& slot = *sessions_.find(session);
  Leg& leg = *find_leg(slot, stream);
  const Time time = now();
  xmpp::Received received = leg.stream.receive(pool_, bytes, batch_);
  keep_house();
  leg.upstream->write(received.reply);
  counters_.stanzas_out.add(received.elements.size());
  slot.figures.stanzas_out += static_cast<std::uint32_t>(received.elements.size());
  if (!received.jid.empty()) note_name(slot, stream, received.jid);
  if (traces_ && !received.jid.empty()) mark_traced(session, slot);
  if (slot.traced) trace_received(session, slot, leg, received);
  if (received.start_tls) return {UpstreamOrder::start_tls, {}};
  if (received.ended && received.ended->end == xmpp::End::tls_refused)
    return {UpstreamOrder::give_up, std::move(received.ended->error)};
  for (unsigned i = 0; i < received.failed_logins; ++i)
    admission_.login_failed(slot.client.remote.address, leg.account, time);
  counters_.login_failures.add(received.failed_logins);
  if (!received.elements.empty() || (received.opened && received.opened->version.empty())) {
    const bool opens = std::exchange(leg.open_by, Time::max()) != Time::max();
    if (opens) counters_.connects[1].add(time - leg.upstream->begun());
    if (opens) leg.authenticate_by = time + config_->limits.authentication_timeout;
    leg.upstream->settle();
  }
  if (leg.stream.authenticated()) leg.authenticate_by = Time::max();
  if (auto* bosh = std::get_if<Bosh>(&slot.client_side)) {
    if (auto& header = received.opened)
      bosh->session.on_upstream_open(
          time, stream, {std::move(header->from), std::move(header->id), std::move(header->version)},
          effects_);
    bosh->session.on_upstream(time, stream, received.elements, effects_);
  } else {
    auto& web = std::get<Web>(slot.client_side).session;
    if (received.opened) web.on_upstream_open(*received.opened, web_effects_);
    web.on_upstream(received.elements, web_effects_);
    if (!received.elements.empty() && !web_effects_.empty()) read_at_ = time;
  }
  if (received.ended)
    tell_end(slot, stream, reason_of(received.ended->end), std::move(received.ended->error));
  else
    check_room(slot);
  apply(session);
  return {};
}

void Shard::on_upstream_written(std::uint64_t session) {
  check_room(*sessions_.find(session));
  apply(session);
}

void Shard::on_upstream_lost(std::uint64_t session, bosh::StreamId stream, EndReason reason,
                             std::string_view what) {
  Slot& slot = *sessions_.find(session);
  const Leg& leg = *find_leg(slot, stream);
  if (slot.traced) trace_upstream(session, slot, leg, what);
  if (leg.upstream->step() != "connect") note_failure(leg.upstream->server(), leg.upstream->step(), what);
  log_failure(leg, what);
  tell_end(slot, stream, reason);
  apply(session);
}

/// The one line that says which server failed, how far it got, and why.
void Shard::log_failure(const Leg& leg, std::string_view reason) {
  const bool opened = leg.open_by == Time::max();
  if (!opened && leg.upstream->begun() != Time{}) counters_.connects[0].add(now() - leg.upstream->begun());
  log(opened ? LogLevel::debug : LogLevel::warning, opened ? "upstream-lost" : "upstream-failed",
      {{"domain", leg.stream.domain()},
       {"server", leg.upstream->server()},
       {"step", leg.upstream->step()},
       {"reason", reason}});
}

/// A login to an account that too many have failed at ends here: the server would come to block us for it.
void Shard::send_upstream(std::uint64_t id, Slot& slot, bosh::StreamId stream, std::string&& stanzas) {
  Leg* leg = find_leg(slot, stream);
  if (!leg) return;
  if (!leg->stream.authenticated()) {
    if (std::string name = account_in(stanzas); !name.empty())
      leg->account = name + '@' + leg->upstream->domain();
    if (traces_) mark_traced(id, slot);
    if (!leg->account.empty() && !admission_.may_log_in(leg->account, now()))
      return tell_end(slot, stream, EndReason::too_many_logins);
  }
  write_upstream(id, slot, *leg, leg->stream.send(std::move(stanzas)));
}

void Shard::write_upstream(std::uint64_t id, Slot& slot, Leg& leg, std::string_view bytes) {
  if (slot.traced && !bytes.empty()) trace(id, slot, "to-server", bytes, {.server = leg.upstream->server()});
  leg.upstream->write(bytes);
  check_room(slot);
}

/// Tells the session when too much waits to be written to a server, and when half of that is gone.
void Shard::check_room(Slot& slot) {
  std::size_t most = 0;
  for (const Leg& leg : slot.legs) most = std::max(most, leg.upstream->unsent() + leg.stream.unsent());
  const std::size_t limit = config_->limits.upstream_queue;
  const bool room = slot.room ? most <= limit : most <= limit / 2;
  if (room == std::exchange(slot.room, room)) return;
  if (auto* bosh = std::get_if<Bosh>(&slot.client_side))
    bosh->session.on_upstream_room(now(), room, effects_);
  else
    std::get<Web>(slot.client_side).socket->set_reading(room);
}

/// An XMPP stream is over: the session only has to tell its client.
void Shard::tell_end(Slot& slot, bosh::StreamId stream, EndReason reason, std::string content) {
  slot.told = reason;
  if (Leg* leg = find_leg(slot, stream)) take_leave(*leg, leg->stream.close());
  std::erase_if(slot.legs, [&](const Leg& leg) { return leg.id == stream; });
  if (auto* bosh = std::get_if<Bosh>(&slot.client_side))
    bosh->session.on_upstream_end(now(), stream, {condition_of(reason), std::move(content)}, effects_);
  else
    std::get<Web>(slot.client_side)
        .session.on_upstream_end(now(), farewell_of(reason, std::move(content)), web_effects_);
  check_room(slot);
}

void Shard::take_leave(Leg& leg, std::string_view last_words) {
  leaving_.push_back({leg.upstream, now() + leaving_time});
  leg.upstream->leave(last_words);
  keep_house();
}

// --- Effects ---

void Shard::apply(std::uint64_t id) {
  Slot& slot = *sessions_.find(id);
  if (std::holds_alternative<Bosh>(slot.client_side)) {
    if (const auto ended = carry_out_all<bosh::Ended>(id, slot, effects_)) return finish(id, *ended);
    weigh(slot);
  } else {
    const auto ended = carry_out_all<websocket::Ended>(id, slot, web_effects_);
    std::get<Web>(slot.client_side).socket->flush();
    if (read_at_ != Time{}) note_delay(slot, now() - std::exchange(read_at_, {}));
    if (ended) return finish(id, *ended);
    weigh(slot);
    check_client_room(slot);
  }
  session_deadlines_.set(id, due(slot), slot.queued);
}

/// The end itself is left to the caller.
template <class Ended, class Effects>
std::optional<Ended> Shard::carry_out_all(std::uint64_t id, Slot& slot, Effects& effects) {
  std::optional<Ended> ended;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    auto effect = std::move(effects[i]);  // carrying it out may add another
    std::visit(
        [&](auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, Ended>)
            ended.emplace(std::move(value));
          else
            carry_out(id, slot, std::move(value));
        },
        effect);
  }
  effects.clear();
  return ended;
}

void Shard::carry_out(std::uint64_t id, Slot& slot, bosh::Answer&& answer) {
  if (slot.traced) trace(id, slot, "answer", *answer.response.body, {});
  slot.figures.bytes_out += answer.response.body.size();
  if (answer.since != Time{}) slot.figures.note_delay(now() - answer.since);
  reply({answer.to, std::move(answer.response), answer.since});
}

void Shard::carry_out(std::uint64_t id, Slot& slot, bosh::Forward&& forward) {
  Bosh& bosh = std::get<Bosh>(slot.client_side);
  if (bosh.slices) {
    bosh::Slices::Whole whole = bosh.slices->add(pool_, forward.stanzas);
    if (!whole.fault.empty()) {
      if (bosh.session.ended()) return;
      slot.told = EndReason::bad_request;
      return bosh.session.end(now(), {bosh::Condition::bad_request, {}}, true, effects_);
    }
    forward.stanzas = std::move(whole.payload);
    count_stanzas_in(slot, whole.elements);
  }
  send_upstream(id, slot, forward.stream, std::move(forward.stanzas));
}

void Shard::carry_out(std::uint64_t id, Slot& slot, bosh::Restart&& restart) {
  if (Leg* leg = find_leg(slot, restart.stream))
    write_upstream(id, slot, *leg, leg->stream.restart(restart.language));
}

void Shard::carry_out(std::uint64_t id, Slot& slot, bosh::Open&& open) {
  Bosh& bosh = std::get<Bosh>(slot.client_side);
  // The page is not known any more; it may open what it could have opened at first.
  const auto pages = [&](std::string_view to) { return &config_->cors.of(ascii_domain(to).value_or("")); };
  const bool same_pages = pages(open.to) == pages(slot.domain);
  Way way = same_pages ? find_way(open.to, {}) : Way{nullptr, {}, EndReason::origin_refused};
  if (way.servers) return open_leg(id, slot, open.stream, std::move(way), open.to, open.language, {});
  bosh.session.on_upstream_end(now(), open.stream, {condition_of(way.refused), {}}, effects_);
}

void Shard::carry_out(std::uint64_t, Slot& slot, bosh::Close&& close) {
  if (Leg* leg = find_leg(slot, close.stream)) take_leave(*leg, leg->stream.close());
  std::erase_if(slot.legs, [&](const Leg& leg) { return leg.id == close.stream; });
  check_room(slot);
}

void Shard::carry_out(std::uint64_t, Slot& slot, bosh::GaveUp&&) {
  log(LogLevel::info, "request-missing",
      {{"sid", shown_sid(slot)}, {"client", to_string(slot.client.remote.address)}});
}

void Shard::carry_out(std::uint64_t, Slot& slot, bosh::Reading&& reading) {
  for (Leg& leg : slot.legs) leg.upstream->set_reading(reading.on);
}

void Shard::finish(std::uint64_t id, const bosh::Ended& ended) {
  Slot& slot = *sessions_.find(id);
  const Time time = now();
  for (Leg& leg : slot.legs) {
    // A server with stream management knows better what to do with what was not acknowledged.
    if (leg.stream.managed() && ended.end != bosh::End::client_terminated) {
      leg.upstream->drop();
      continue;
    }
    std::string last_words;
    for (const bosh::Undelivered& undelivered : ended.undelivered)
      if (undelivered.stream == leg.id && !leg.stream.managed())
        last_words += xmpp::bounce(pool_, undelivered.stanzas);
    take_leave(leg, last_words + leg.stream.close());
  }
  note_end(id, slot, reason_of(ended.end, slot.told));
  const Sid sid = std::get<Bosh>(slot.client_side).sid;
  farewells_.add(sid, ended.farewell, time);
  by_sid_.erase(sid);
  forget(id);
}

void Shard::note_end(std::uint64_t id, const Slot& slot, EndReason reason) {
  if (slot.traced) trace(id, slot, "end", {}, {.text = std::string(to_string(reason))});
  counters_.ended_for(transport_of(slot), reason).add();
  const Figures& figures = slot.figures;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now() - slot.created).count();
  log(LogLevel::info, "session-end",
      {{"reason", to_string(reason)},
       {"sid", shown_sid(slot)},
       {"domain", slot.domain},
       {"client", to_string(slot.client.remote.address)},
       {"seconds", static_cast<std::uint64_t>(seconds)},
       {"transport", to_string(transport_of(slot))},
       {"jid", figures.jid()},
       {"requests", figures.requests},
       {"replays", figures.replays},
       {"stanzas_in", figures.stanzas_in},
       {"stanzas_out", figures.stanzas_out},
       {"bytes_in", figures.bytes_in},
       {"bytes_out", figures.bytes_out},
       {"max_delay_ms", figures.longest_delay.count()}});
}

std::string Shard::shown_sid(const Slot& slot) const {
  const auto* bosh = std::get_if<Bosh>(&slot.client_side);
  return shown(bosh ? bosh->session.sid() : std::get<Web>(slot.client_side).session.id()) + "…";
}

/// As much of a sid as a log may know (B-215).
std::string Shard::shown(const std::string& sid) const {
  return sid.substr(0, 6 + (config_->node.empty() ? 0 : config_->node.size() + 1));
}

// --- Counting ---

void Shard::note_domain(Slot& slot, std::string_view domain) {
  if (!slot.mark) slot.mark = domains_.enter(domain);
}

/// The client's address with the server of its first stream.
void Shard::note_name(Slot& slot, bosh::StreamId stream, std::string_view jid) {
  if (stream == 0) slot.figures.set_jid(jid);
}

void Shard::count_stanzas_in(Slot& slot, std::size_t count) {
  counters_.stanzas_in.add(count);
  slot.figures.stanzas_in += static_cast<std::uint32_t>(count);
}

void Shard::note_delay(Slot& slot, std::chrono::nanoseconds delay) {
  counters_.stanza_delay.add(delay);
  slot.figures.note_delay(delay);
}

/// Counts what a session keeps anew.
void Shard::weigh(Slot& slot) {
  std::size_t for_server = 0;
  for (const Leg& leg : slot.legs) for_server += leg.upstream->unsent() + leg.stream.unsent();
  recount(counters_.server_bytes, slot.figures.for_server, for_server);
  if (const auto* bosh = std::get_if<Bosh>(&slot.client_side)) {
    recount(counters_.cached_bytes, slot.figures.cached, bosh->session.cached_bytes());
    recount(counters_.client_bytes, slot.figures.for_client, bosh->session.queued_bytes());
  } else {
    recount(counters_.client_bytes, slot.figures.for_client,
            std::get<Web>(slot.client_side).socket->unsent());
  }
}

// --- Time ---

void Shard::http_rung(Time time, std::uint64_t id, Time at) {
  auto* found = connections_.find(id);
  if (!found || (*found)->queued.at != at) return;
  const boost::intrusive_ptr<Http> http = *found;
  http->queued = {};
  http->on_time(time);
  if (connections_.find(id)) plan(id, http->deadline(), http->queued);
}

void Shard::session_rung(Time time, std::uint64_t id, Time at) {
  Slot* slot = sessions_.find(id);
  if (!slot || slot->queued.at != at) return;
  slot->queued = {};
  if (auto* web = std::get_if<Web>(&slot->client_side)) {
    const boost::intrusive_ptr<WebSocket> socket = web->socket;
    socket->on_time(time);
    if (!sessions_.find(id)) return;
  }
  const auto silent = std::ranges::find_if(slot->legs, [&](const Leg& leg) { return time >= leg.open_by; });
  const auto late =
      std::ranges::find_if(slot->legs, [&](const Leg& leg) { return time >= leg.authenticate_by; });
  if (silent != slot->legs.end()) {
    note_failure(silent->upstream->server(), silent->upstream->step(), "no answer within connect_timeout");
    log_failure(*silent, "no answer within connect_timeout");
    tell_end(*slot, silent->id, EndReason::server_silent);
  } else if (late != slot->legs.end()) {
    tell_end(*slot, late->id, EndReason::login_timeout);
  } else if (auto* bosh = std::get_if<Bosh>(&slot->client_side)) {
    bosh->session.on_time(time, effects_);
  } else {
    std::get<Web>(slot->client_side).session.on_time(time, web_effects_);
  }
  apply(id);
}

Time Shard::due(const Slot& slot) {
  Time due = Time::max();
  if (const auto* bosh = std::get_if<Bosh>(&slot.client_side)) {
    due = bosh->session.deadline();
  } else {
    const Web& web = std::get<Web>(slot.client_side);
    due = std::min(web.session.deadline(), web.socket->deadline());
  }
  for (const Leg& leg : slot.legs) due = std::min({due, leg.open_by, leg.authenticate_by});
  return due;
}

/// Its slot goes; what it leaves behind is for the house-keeping.
void Shard::forget(std::uint64_t id) {
  Slot& slot = *sessions_.find(id);
  recount(counters_.cached_bytes, slot.figures.cached, 0);
  recount(counters_.client_bytes, slot.figures.for_client, 0);
  recount(counters_.server_bytes, slot.figures.for_server, 0);
  domains_.leave(slot.mark);
  sessions_.erase(id);
  note_freed(1);
}

void Shard::note_freed(std::size_t count) {
  if (freed_ == 0) give_back_at_ = now() + memory_life;
  freed_ += count;
  keep_house();
}

void Shard::keep_house() {
  if (stopping_ || std::exchange(house_kept_, true)) return;
  house_timer_.start_in(std::chrono::seconds(1), [this] { tick(); });
}

/// Once a second while there is something to clean up.
void Shard::tick() {
  const Time time = now();
  while (!leaving_.empty() && leaving_.front().until <= time) {
    std::visit([](const auto& connection) { connection->close(); }, leaving_.front().connection);
    leaving_.pop_front();
  }
  farewells_.tidy(time);
  const std::size_t warm = pool_.parsers_kept();
  const bool cold = pool_.cool();
  house_kept_ = false;
  if (cold && warm > 0) note_freed(warm);
  give_memory_back(time, cold && leaving_.empty());
  if (!leaving_.empty() || !farewells_.empty() || !cold || freed_ > 0) keep_house();
}

/// malloc keeps what is freed below something that is still used: after a peak nearly all of it. Looking for
/// that takes time by the size of the heap, so it is done when nothing goes on, or for as many sessions as
/// there are left.
void Shard::give_memory_back(Time time, bool at_rest) {
  const std::size_t enough = at_rest ? 1 : std::max(worth_trimming, sessions_.size());
  if (time < give_back_at_ || freed_ < enough) return;
  freed_ = 0;
  requests_.tidy(time);
  admission_.tidy(time);
  sessions_.shrink();
  connections_.shrink();
  loop_.shrink();
  ::malloc_trim(0);
}

}  // namespace boshd
