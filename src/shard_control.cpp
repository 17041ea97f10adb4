// What a shard tells an operator of its sessions, and what he has it do with them.
#include <openssl/ssl.h>

#include <algorithm>
#include <utility>

#include "src/shard.hpp"

namespace boshd {

namespace {

constexpr std::size_t most_servers = 1000;  // whose failures are counted

Time now() {
  return std::chrono::steady_clock::now();
}

std::optional<std::chrono::seconds> left_until(Time deadline, Time time) {
  if (deadline == Time::max()) return std::nullopt;
  return std::max(std::chrono::ceil<std::chrono::seconds>(deadline - time), std::chrono::seconds(0));
}

}  // namespace

// --- Figures ---

std::string_view Shard::state_of(const Slot& slot) const {
  const auto* bosh = std::get_if<Bosh>(&slot.client_side);
  if (slot.legs.empty()) return bosh || !slot.domain.empty() ? "ending" : "opening";
  const Leg& leg = slot.legs.front();
  if (leg.open_by != Time::max()) return "connecting";
  if (!leg.stream.authenticated()) return "login";
  if (!bosh) return "open";
  return bosh->session.held() > 0 ? "held" : "idle";
}

std::string Shard::jid_of(const Slot& slot) const {
  if (!slot.figures.jid().empty()) return std::string(slot.figures.jid());
  const auto named = std::ranges::find_if(slot.legs, [](const Leg& leg) { return !leg.account.empty(); });
  return named == slot.legs.end() ? std::string() : named->account;
}

LegFigures Shard::figures_of(const Leg& leg, Time time) const {
  LegFigures figures;
  figures.stream = leg.id;
  figures.domain = leg.stream.domain();
  figures.account = leg.account;
  figures.server = leg.upstream->server();
  figures.step = leg.upstream->step();
  if (leg.open_by == Time::max()) figures.step = leg.stream.authenticated() ? "open" : "login";
  if (const SSL* ssl = leg.upstream->tls()) {
    figures.tls = SSL_get_version(ssl);
    if (const char* cipher = SSL_get_cipher_name(ssl)) figures.cipher = cipher;
  }
  figures.unsent = leg.upstream->unsent() + leg.stream.unsent();
  figures.managed = leg.stream.managed();
  figures.open_within = left_until(leg.open_by, time);
  figures.log_in_within = left_until(leg.authenticate_by, time);
  return figures;
}

SessionFigures Shard::figures_of(std::uint64_t id, const Slot& slot, Time time) const {
  SessionFigures figures;
  figures.id = shown_sid(slot);
  figures.key = id;
  figures.thread = index_;
  figures.tls = slot.client.tls;
  figures.domain = slot.domain;
  figures.jid = jid_of(slot);
  figures.client = slot.client.remote;
  figures.age = std::chrono::floor<std::chrono::seconds>(time - slot.created);
  figures.state = state_of(slot);
  figures.server_full = !slot.room;
  figures.requests = slot.figures.requests;
  figures.replays = slot.figures.replays;
  figures.stanzas_in = slot.figures.stanzas_in;
  figures.stanzas_out = slot.figures.stanzas_out;
  figures.bytes_in = slot.figures.bytes_in;
  figures.bytes_out = slot.figures.bytes_out;
  figures.longest_delay = slot.figures.longest_delay;
  figures.due_within = left_until(due(slot), time);
  if (const auto* bosh = std::get_if<Bosh>(&slot.client_side)) {
    figures.script = bosh->slices != nullptr;
    figures.held = bosh->session.held();
    figures.queued = bosh->session.queued_bytes();
    figures.cached = bosh->session.cached_bytes();
  } else {
    const Web& web = std::get<Web>(slot.client_side);
    figures.websocket = true;
    figures.queued = web.socket->unsent();
    figures.client_full = !web.room;
  }
  for (const Leg& leg : slot.legs) figures.legs.push_back(figures_of(leg, time));
  return figures;
}

SessionPage Shard::list_sessions(std::uint32_t from, std::size_t most) {
  SessionPage page;
  const Time time = now();
  std::uint32_t place = from;
  for (; place < sessions_.places() && page.sessions.size() < most; ++place)
    if (const std::uint64_t id = sessions_.at(place))
      page.sessions.push_back(figures_of(id, *sessions_.find(id), time));
  page.next = place < sessions_.places() ? place : 0;
  return page;
}

SessionNames Shard::names_of(std::uint64_t id, const Slot& slot) const {
  const auto* bosh = std::get_if<Bosh>(&slot.client_side);
  const std::string& sid = bosh ? bosh->session.sid() : std::get<Web>(slot.client_side).session.id();
  std::string_view jid = slot.figures.jid();
  for (const Leg& leg : slot.legs)
    if (jid.empty()) jid = leg.account;
  return {id, sid, jid, slot.client.remote.address};
}

std::vector<SessionFigures> Shard::find_sessions(const SessionQuery& query, std::size_t most) {
  std::vector<SessionFigures> found;
  const Time time = now();
  for (std::uint32_t place = 0; place < sessions_.places() && found.size() < most; ++place) {
    const std::uint64_t id = sessions_.at(place);
    if (id == 0) continue;
    const Slot& slot = *sessions_.find(id);
    if (query.matches(names_of(id, slot))) found.push_back(figures_of(id, slot, time));
  }
  return found;
}

ShardFigures Shard::figures() const {
  return {sessions_.size(), by_sid_.size(), connections_.size()};
}

// --- Servers that fail ---

void Shard::note_failure(const std::string& server, std::string_view step, std::string_view reason) {
  if (failures_.size() >= most_servers && !failures_.contains(server)) return;
  ServerFailures& failures = failures_[server];
  failures.server = server;
  ++failures.count;
  failures.step = step;
  failures.reason = reason;
  failures.at = std::chrono::system_clock::now();
}

/// A server is given up for the next one.
void Shard::on_upstream_next(std::uint64_t session, bosh::StreamId stream, std::string_view why) {
  Slot& slot = *sessions_.find(session);
  const Leg& leg = *find_leg(slot, stream);
  note_failure(leg.upstream->server(), leg.upstream->step(), why);
  if (slot.traced) trace_upstream(session, slot, leg, why);
}

std::vector<ServerFailures> Shard::failures() const {
  std::vector<ServerFailures> all;
  for (const auto& [server, failures] : failures_) all.push_back(failures);
  return all;
}

// --- Orders ---

bool Shard::kill(std::uint64_t id) {
  Slot* slot = sessions_.find(id);
  if (!slot) return false;
  slot->told = EndReason::killed;
  if (auto* bosh = std::get_if<Bosh>(&slot->client_side))
    bosh->session.end(now(), {*condition_of(EndReason::killed), {}}, true, effects_);
  else
    kill_web(*slot);
  apply(id);
  return true;
}

/// Its stream is ended first: a session that is simply told to end sends its client to another place.
void Shard::kill_web(Slot& slot) {
  if (!slot.legs.empty()) tell_end(slot, 0, EndReason::killed);
  std::get<Web>(slot.client_side).session.end(now(), farewell_of(EndReason::killed, {}), true, web_effects_);
}

// --- Traces ---

void Shard::follow(std::shared_ptr<const Traces> traces) {
  traces_ = traces && !traces->list.empty() ? std::move(traces) : nullptr;
  for (std::uint32_t place = 0; place < sessions_.places(); ++place)
    if (const std::uint64_t id = sessions_.at(place)) mark_traced(id, *sessions_.find(id));
}

/// To be called when a session begins and when more is known of it.
void Shard::mark_traced(std::uint64_t id, Slot& slot) {
  slot.traced = traces_ && std::ranges::any_of(traces_->list, [&](const Traces::Wanted& wanted) {
                  return wanted.query.matches(names_of(id, slot));
                });
}

void Shard::trace(std::uint64_t id, const Slot& slot, std::string_view event, std::string_view xml,
                  const TraceDetails& details) const {
  TraceEvent told;
  const SessionNames names = names_of(id, slot);
  for (const Traces::Wanted& wanted : traces_->list)
    if (wanted.query.matches(names)) told.traces.push_back(wanted.id);
  told.id = shown_sid(slot);
  told.key = id;
  told.jid = jid_of(slot);
  told.event = event;
  told.rid = details.rid;
  told.text = details.text;
  told.server = details.server;
  told.xml = xml;
  tell_trace(*traces_, std::move(told));
}

void Shard::trace_begin(std::uint64_t id, Slot& slot) {
  mark_traced(id, slot);
  if (!slot.traced) return;
  const bool web = std::holds_alternative<Web>(slot.client_side);
  trace(id, slot, "begin", {},
        {.text = std::string(web ? "websocket" : "bosh") + " from " + to_string(slot.client.remote.address) +
                 (slot.domain.empty() ? "" : " to " + slot.domain)});
}

/// A request that has come for this session.
void Shard::trace_request(std::uint64_t id, const Slot& slot, const bosh::Body& body, Fault fault) const {
  std::string what;
  const auto add = [&](bool holds, std::string_view word) {
    if (holds) what += (what.empty() ? "" : ", ") + std::string(word);
  };
  add(body.creates(), "creation");
  add(body.restart, "restart");
  add(body.pause.has_value(), "pause");
  add(body.terminate, "terminate");
  add(fault == Fault::malformed, "malformed");
  add(fault == Fault::too_large, "too large");
  if (what.empty()) what = body.payload.empty() ? "empty" : "payload";
  trace(id, slot, "request", body.payload, {.rid = body.rid, .text = what});
}

void Shard::trace_received(std::uint64_t id, const Slot& slot, const Leg& leg,
                           const xmpp::Received& received) const {
  const std::string& server = leg.upstream->server();
  if (received.opened)
    trace(id, slot, "upstream", {},
          {.text = "stream from " + received.opened->from + ", version " +
                   (received.opened->version.empty() ? "none" : received.opened->version),
           .server = server});
  for (const xml::Element& element : received.elements)
    trace(id, slot, "from-server", element.to_string(), {.server = server});
  if (!received.reply.empty()) trace(id, slot, "to-server", received.reply, {.server = server});
  if (received.ended)
    trace(id, slot, "from-server", received.ended->error, {.text = "the stream ends", .server = server});
}

void Shard::trace_upstream(std::uint64_t id, const Slot& slot, const Leg& leg, std::string_view what) const {
  std::string text(what);
  if (const SSL* ssl = leg.upstream->tls()) text += std::string(", ") + SSL_get_version(ssl);
  trace(id, slot, "upstream", {}, {.text = std::move(text), .server = leg.upstream->server()});
}

}  // namespace boshd
