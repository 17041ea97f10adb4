// A shard's sessions over WebSocket: what comes from their clients, and what they want done.
#include <utility>

#include "src/log/log.hpp"
#include "src/shard.hpp"

namespace boshd {

namespace {

Time now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

void Shard::on_websocket(const Http& http, Connection&& connection, const HttpRequest& request,
                         const Route& route, Admission::Place&& place, std::string_view rest) {
  const Time time = now();
  const Sid sid = random_sid(index_);
  const Client client = client_of(http.peer(), request);
  boost::intrusive_ptr<WebSocket> socket(new WebSocket(web_host_, std::move(connection), route.deflate_bits));
  const std::uint64_t id = sessions_.emplace(Slot{
      .client_side = Web{websocket::Session(web_settings_, to_string(sid, config_->node), time), socket,
                         Asked{request.origin, request.target, {}}},
      .legs = {},
      .domain = {},
      .client = {client.remote, client.local, client.tls},
      .place = std::move(place),
      .created = time,
  });
  socket->start(id, route.response, std::string(rest));
  if (const auto entry = access_entry(request, client.remote.address)) note_access(*entry, 101, 0, sid);
  Slot& slot = *sessions_.find(id);
  counters_.begun_by(Transport::websocket).add();
  if (traces_) trace_begin(id, slot);
  session_deadlines_.set(id, due(slot), slot.queued);
}

void Shard::on_web_event(std::uint64_t id, const WebEvent& event) {
  Slot* slot = sessions_.find(id);
  if (!slot) return;
  websocket::Session& session = std::get<Web>(slot->client_side).session;
  if (const auto* message = std::get_if<WebMessage>(&event)) {
    if (slot->traced)
      trace(id, *slot, "request", message->text ? message->bytes : std::string_view(),
            {.text = message->text ? "message" : "binary message"});
    ++slot->figures.requests;
    slot->figures.bytes_in += message->bytes.size();
    if (message->text)
      session.on_message(now(), pool_, message->bytes, web_effects_);
    else
      session.on_violation(websocket::CloseCode::unsupported_data, web_effects_);  // W-016
    keep_house();
  } else if (const auto* violation = std::get_if<WebViolation>(&event)) {
    session.on_violation(violation->code, web_effects_);
  } else if (std::holds_alternative<WebStalled>(event)) {
    session.on_stalled(web_effects_);
  } else if (std::holds_alternative<WebGone>(event)) {
    session.on_lost(web_effects_);
  }
  apply(id);
}

/// Whether the servers are read: not while a client does not fetch what is there for it (W-099).
void Shard::check_client_room(Slot& slot) {
  Web& web = std::get<Web>(slot.client_side);
  const std::size_t limit = config_->limits.client_queue;
  const bool room = web.room ? web.socket->unsent() <= limit : web.socket->unsent() <= limit / 2;
  if (room == std::exchange(web.room, room)) return;
  for (Leg& leg : slot.legs) leg.upstream->set_reading(room);
}

// --- Effects ---

void Shard::carry_out(std::uint64_t id, Slot& slot, websocket::Send&& send) {
  if (slot.traced) trace(id, slot, "answer", send.message, {});
  slot.figures.bytes_out += send.message.size();
  std::get<Web>(slot.client_side).socket->send(send.message);
}

void Shard::carry_out(std::uint64_t id, Slot& slot, websocket::Open&& open) {
  slot.domain = open.to;
  const Asked asked = std::exchange(std::get<Web>(slot.client_side).asked, {});
  Way way = find_way(open.to, asked);
  if (!way.servers) return tell_end(slot, 0, way.refused);
  note_domain(slot, way.domain);
  open_leg(id, slot, 0, std::move(way), open.to, open.language, asked);
}

void Shard::carry_out(std::uint64_t id, Slot& slot, websocket::Forward&& forward) {
  count_stanzas_in(slot, 1);
  send_upstream(id, slot, 0, std::move(forward.element));
}

void Shard::carry_out(std::uint64_t id, Slot& slot, websocket::Restart&& restart) {
  if (Leg* leg = find_leg(slot, 0)) write_upstream(id, slot, *leg, leg->stream.restart(restart.language));
}

void Shard::carry_out(std::uint64_t id, Slot& slot, websocket::Close&&) {
  if (Leg* leg = find_leg(slot, 0)) write_upstream(id, slot, *leg, leg->stream.finish());
}

/// A server that keeps sessions (XEP-0198) takes a client that is lost for lost (W-065).
void Shard::finish(std::uint64_t id, const websocket::Ended& ended) {
  Slot& slot = *sessions_.find(id);
  for (Leg& leg : slot.legs) {
    if (leg.stream.managed() && ended.end != websocket::End::client_closed)
      leg.upstream->drop();
    else
      take_leave(leg, leg.stream.close());
  }
  note_end(id, slot, reason_of(ended.end, slot.told));
  const boost::intrusive_ptr<WebSocket> socket = std::get<Web>(slot.client_side).socket;
  socket->leave(ended.code);
  leaving_.push_back({socket, now() + leaving_time});
  forget(id);
}

}  // namespace boshd
