// A shard's requests: whose they are, and their way to their session.
#include <utility>

#include "bosh/reply.hpp"
#include "src/log.hpp"
#include "src/shard.hpp"

namespace boshd {

namespace {

constexpr std::chrono::seconds proxy_patience{55};  // many proxies wait for 60 s

Time now() {
  return std::chrono::steady_clock::now();
}

bosh::Response terminal(bosh::Condition condition, bool legacy, std::string content = {}) {
  const unsigned status = legacy ? bosh::legacy_status(condition) : 200;
  if (status != 200) return {{}, {}, status};
  return {bosh::terminal_reply({condition, std::move(content)})};
}

RequestOutcome outcome_of(bosh::Condition condition) {
  switch (condition) {
    case bosh::Condition::item_not_found:
      return RequestOutcome::item_not_found;
    case bosh::Condition::bad_request:
    case bosh::Condition::improper_addressing:
      return RequestOutcome::bad_request;
    default:
      return RequestOutcome::refused;
  }
}

RequestOutcome outcome_of(bosh::Taken taken) {
  switch (taken) {
    case bosh::Taken::new_one:
      break;
    case bosh::Taken::repeated:
      return RequestOutcome::replayed;
    case bosh::Taken::outside:
      return RequestOutcome::item_not_found;
    case bosh::Taken::too_active:
      return RequestOutcome::refused;
  }
  return RequestOutcome::ok;
}

/// A sentence for people, as a child of a terminal body.
std::string text_element(std::string_view text) {
  return "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>" + std::string(text) + "</text>";
}

}  // namespace

void Shard::on_bosh_request(Http& http, std::uint32_t number, HttpRequest&& request, bool too_large,
                            std::string_view rest) {
  const Client client = client_of(http.peer(), request);
  const auto parse = too_large        ? bosh::parse_body_start
                     : request.script ? bosh::parse_slice
                                      : bosh::parse_body;
  bosh::ParsedBody parsed = parse(pool_, request.body, body_limits_);
  Delivery delivery;
  delivery.arrival.exchange = {http.id(), number};
  delivery.arrival.direct = !client.proxied;
  delivery.script = request.script;
  delivery.tls = client.tls;
  delivery.bytes = request.body.size();
  const bool to_session = parsed.root_read && !parsed.body.sid.empty();
  examine(http, request, client, Doctor::Kind::bosh, !to_session);
  if (client.proxied || http.listen()->proxy_protocol) {
    http.came_by_proxy(number, now());
    delivery.arrival.patience = patience_behind(http.proxy());
  }
  if (too_large && !to_session) {
    count(RequestOutcome::bad_request);
    return http.answer(number, {{}, {}, 413});
  }
  if (!too_large && !parsed.fault.empty() && !to_session)
    return refuse(delivery.arrival.exchange, bosh::Condition::bad_request, parsed.fault, parsed.body.legacy);
  if (!to_session) return create(http, delivery.arrival, client, request, std::move(parsed.body));
  if (too_large)
    delivery.fault = Fault::too_large;
  else if (!parsed.fault.empty())
    delivery.fault = Fault::malformed;
  const auto sid = parse_sid(parsed.body.sid, config_->node);
  delivery.body = std::move(parsed.body);
  if (!sid || sid->shard >= all_.size()) return answer_stranger(delivery);
  delivery.sid = *sid;
  hand_over(http, number, std::move(delivery), rest);
}

void Shard::examine(const Http& http, const HttpRequest& request, const Client& client, Doctor::Kind kind,
                    bool opens) {
  const bool by_header = http.listen()->proxy_protocol;
  if (!doctor_.looks_at(request, by_header || client.proxied, kind, opens, config_->proxy.header)) return;
  const bool trusted = by_header || is_in(http.proxy(), config_->proxy.trusted);
  doctor_.on_request({http.proxy(), trusted, by_header}, request, kind, opens, *config_, now());
}

/// How long a request may be held that came through this proxy.
std::chrono::seconds Shard::patience_behind(const Address& proxy) const {
  if (!config_->proxy.adapt_wait || !findings_.has_cuts()) return proxy_patience;
  return std::min(
      proxy_patience,
      findings_.patience_behind(proxy, std::chrono::system_clock::now()).value_or(proxy_patience));
}

/// `legacy`: the request is a creation without `ver` (B-079).
void Shard::refuse(bosh::Exchange exchange, bosh::Condition condition, std::string_view why, bool legacy) {
  count(outcome_of(condition));
  log(LogLevel::debug, "request-refused", {{"condition", bosh::to_string(condition)}, {"why", why}});
  reply({exchange, terminal(condition, legacy)});
}

void Shard::note_access(const AccessEntry& entry, unsigned status, std::size_t bytes,
                        const std::optional<Sid>& sid) {
  access_lines_.add(entry, status, bytes, sid ? shown(to_string(*sid, config_->node)) : "");
}

Admission::Verdict Shard::admit(const Client& client) {
  Admission::Verdict verdict = admission_.admit(client.remote.address, now());
  if (verdict.refusal != Refusal::none) counters_.not_begun_for(verdict.refusal).add();
  // That all are refused while the daemon drains was told once.
  if (verdict.refusal != Refusal::none && verdict.refusal != Refusal::draining)
    log(LogLevel::warning, "session-refused",
        {{"reason", to_string(verdict.refusal)}, {"client", to_string(client.remote.address)}});
  return verdict;
}

void Shard::create(Http& http, const bosh::Arrival& arrival, const Client& client, const HttpRequest& request,
                   bosh::Body&& body) {
  if (stopping_) {
    counters_.not_begun_for(Refusal::draining).add();
    count(RequestOutcome::refused);
    return http.answer(arrival.exchange.number, {{}, {}, 503});
  }
  if (body.to.empty()) return refuse(arrival.exchange, bosh::Condition::improper_addressing, "no 'to'");
  const Asked asked{request.origin, request.target, body.route};
  Way way = find_way(body.to, asked);
  if (!way.servers) {
    const bool page = way.refused == EndReason::origin_refused;
    counters_.not_begun[page ? not_begun_origin_refused : not_begun_host_unknown].add();
    return refuse(arrival.exchange, *condition_of(way.refused), to_string(way.refused));
  }
  Admission::Verdict verdict = admit(client);
  count(verdict.refusal == Refusal::none ? RequestOutcome::ok : RequestOutcome::refused);
  if (is_overload(verdict.refusal)) return http.answer(arrival.exchange.number, {{}, {}, 503});
  if (verdict.refusal != Refusal::none)
    return reply({arrival.exchange, terminal(bosh::Condition::policy_violation, body.legacy,
                                             text_element(explain(verdict.refusal)))});
  const Time time = now();
  const Sid sid = random_sid(index_);
  // A client that knows how long a proxy lets it wait can tell when an answer is lost.
  if (const auto most = static_cast<std::uint64_t>(arrival.patience.count());
      arrival.patience < proxy_patience)
    body.wait = std::min(body.wait.value_or(most), most);
  const std::uint64_t id = sessions_.emplace(Slot{
      .client_side =
          Bosh{bosh::Session(settings_, to_string(sid, config_->node), body, time),
               request.script ? std::make_unique<bosh::Slices>(pool_, body_limits_) : nullptr, sid},
      .legs = {},
      .domain = body.to,
      .client = {client.remote, client.local, client.tls},
      .place = std::move(verdict.place),
      .created = time,
  });
  by_sid_.emplace(sid, id);
  http.belongs_to(arrival.exchange.number, sid);
  Slot& slot = *sessions_.find(id);
  counters_.begun_by(Transport::bosh).add();
  note_domain(slot, way.domain);
  slot.figures.requests = 1;
  slot.figures.bytes_in = request.body.size();
  if (traces_) trace_begin(id, slot);
  if (slot.traced) trace_request(id, slot, body, Fault::none);
  open_leg(id, slot, 0, std::move(way), body.to, body.language, asked);
  std::get<Bosh>(slot.client_side).session.on_request(time, arrival, std::move(body), effects_);
  apply(id);
}

/// To its session: here, there with the whole connection, or there as a message if the connection serves
/// several.
void Shard::hand_over(Http& http, std::uint32_t number, Delivery&& delivery, std::string_view rest) {
  const Sid sid = delivery.sid;
  if (sid.shard != index_ && delivery.arrival.direct && http.may_move(number)) {
    HttpContext context = http.take_context(number);
    const std::uint64_t id = http.id();
    Move move{http.release(),      http.peer(),       http.listen(),    std::move(context),
              std::move(delivery), std::string(rest), http.take_proxy()};
    on_http_closed(id);
    return send(sid.shard, std::move(move));
  }
  http.belongs_to(number, sid);
  if (sid.shard == index_)
    deliver(std::move(delivery));
  else
    send(sid.shard, std::move(delivery));
}

void Shard::deliver(Delivery&& delivery) {
  const auto found = by_sid_.find(delivery.sid);
  if (found == by_sid_.end()) return answer_stranger(delivery);
  const std::uint64_t id = found->second;
  // Who has seen the session's secrets on a plain line may be anybody: nothing is said, and nothing ends
  // (B-208).
  Slot& slot = *sessions_.find(id);
  if (slot.client.tls && !delivery.tls) {
    count(RequestOutcome::refused);
    return reply({delivery.arrival.exchange, {{}, {}, 0}});
  }
  Bosh& bosh = std::get<Bosh>(slot.client_side);
  if (delivery.script != (bosh.slices != nullptr))
    return refuse(delivery.arrival.exchange, bosh::Condition::item_not_found,
                  "the session has another syntax");
  if (slot.traced) trace_request(id, slot, delivery.body, delivery.fault);
  bosh::Session& session = bosh.session;
  const bosh::Exchange exchange = delivery.arrival.exchange;
  ++slot.figures.requests;
  slot.figures.bytes_in += delivery.bytes;
  if (delivery.fault != Fault::none) count(RequestOutcome::bad_request);
  switch (delivery.fault) {
    case Fault::none:
      take_request(slot, session, std::move(delivery));
      break;
    case Fault::malformed:
      session.on_faulty_request(exchange, delivery.body.rid, {bosh::Condition::bad_request, {}},
                                bosh::End::bad_request, effects_);
      break;
    case Fault::too_large:
      session.on_faulty_request(
          exchange, delivery.body.rid,
          {bosh::Condition::policy_violation,
           text_element("The request is larger than " + std::to_string(config_->limits.max_request) +
                        " bytes (max_request).")},
          bosh::End::request_too_large, effects_);
      break;
  }
  apply(id);
}

/// A request that is as it should be.
void Shard::take_request(Slot& slot, bosh::Session& session, Delivery&& delivery) {
  const unsigned elements = delivery.body.elements;
  const bosh::Taken taken = session.on_request(now(), delivery.arrival, std::move(delivery.body), effects_);
  count(outcome_of(taken));
  if (taken == bosh::Taken::repeated) ++slot.figures.replays;
  if (taken == bosh::Taken::new_one) count_stanzas_in(slot, elements);
}

/// A request whose session isn't here, or not any more (B-153, B-186, B-187).
void Shard::answer_stranger(const Delivery& delivery) {
  const bosh::Exchange to = delivery.arrival.exchange;
  if (delivery.fault == Fault::too_large) {
    count(RequestOutcome::bad_request);
    return reply({to, {{}, {}, 413}});
  }
  if (delivery.fault == Fault::malformed) return refuse(to, bosh::Condition::bad_request, "malformed");
  if (const auto* farewell = farewells_.find(delivery.sid)) {
    count(RequestOutcome::item_not_found);
    return reply({to, *farewell});
  }
  refuse(to, bosh::Condition::item_not_found, "no such session");
}

void Shard::reply(Reply&& reply) {
  const unsigned shard = shard_of(reply.to.connection);
  if (shard != index_) return send(shard, std::move(reply));
  if (auto* http = connections_.find(reply.to.connection))
    (*http)->answer(reply.to.number, reply.response, reply.since);
}

void Shard::on_lost(const Lost& lost) {
  if (lost.sid.shard != index_) return send(lost.sid.shard, lost);
  const auto found = by_sid_.find(lost.sid);
  if (found == by_sid_.end()) return;
  const std::uint64_t id = found->second;
  bosh::Session& session = std::get<Bosh>(sessions_.find(id)->client_side).session;
  if (session.on_lost(now(), lost.exchange, effects_)) counters_.polls_cut.add();
  apply(id);
}

}  // namespace boshd
