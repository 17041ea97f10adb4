#include "src/shard.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "bosh/reply.hpp"
#include "src/coding.hpp"
#include "src/listener.hpp"
#include "src/log.hpp"
#include "src/sha1.hpp"

namespace boshd {

namespace {

constexpr std::size_t scratch_bytes = 64 * 1024;
constexpr std::chrono::seconds shutdown_time{2};          // for all that is under way when the daemon stops
constexpr std::chrono::milliseconds newcomers_time{250};  // for their first request when it stops
constexpr std::chrono::seconds proxy_patience{55};        // many proxies wait for 60 s

Time now() {
  return std::chrono::steady_clock::now();
}

unsigned long random_salt() {
  unsigned long salt = 0;
  while (salt == 0)
    if (::getrandom(&salt, sizeof salt, 0) != sizeof salt) salt = 0;
  return salt;
}

bosh::Response terminal(bosh::Condition condition, bool legacy, std::string content = {}) {
  const unsigned status = legacy ? bosh::legacy_status(condition) : 200;
  if (status != 200) return {{}, {}, status};
  return {bosh::terminal_reply({condition, std::move(content)})};
}

bosh::Settings session_settings(const Config& config) {
  bosh::Settings settings;
  settings.wait = config.session.wait;
  settings.hold = config.session.hold;
  settings.inactivity = config.session.inactivity;
  settings.polling = config.session.polling;
  settings.max_pause = config.session.max_pause;
  settings.streams = config.session.streams;
  settings.accept = codings_of_bosh;
  settings.sha1 = sha1_hex;
  settings.cache_bytes = config.limits.response_cache;
  settings.queue_bytes = config.limits.client_queue;
  return settings;
}

xml::Limits body_limits(const LimitSettings& settings) {
  xml::Limits limits;
  limits.element_bytes = limits.token_bytes = settings.max_request;
  limits.depth = settings.max_depth;
  return limits;
}

xml::Limits stream_limits(const LimitSettings& settings) {
  xml::Limits limits;
  limits.element_bytes = settings.max_stanza;
  limits.depth = settings.max_depth;
  return limits;
}

websocket::Settings websocket_settings(const Config& config) {
  websocket::Settings settings;
  settings.limits = body_limits(config.limits);
  settings.see_other_uri = config.websocket.see_other_uri;
  return settings;
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

Shard::Shard(unsigned index, std::shared_ptr<const Config> config, std::shared_ptr<const TlsFiles> tls,
             const std::vector<std::unique_ptr<Shard>>& all, Admission& admission, Findings& findings)
    : index_(index),
      config_(std::move(config)),
      all_(all),
      scratch_(scratch_bytes),
      pool_(random_salt()),
      web_host_{loop_,
                counters_,
                scratch_,
                0,
                {},
                {},
                [this](std::uint64_t id, const WebEvent& event) { on_web_event(id, event); }},
      connections_(index),
      sessions_(index),
      farewells_(config_->session.inactivity),
      tls_(std::move(tls)),
      server_tls_(tls_->server),
      connector_host_(loop_, counters_, {config_, &config_->upstream}),
      admission_(admission),
      findings_(findings),
      doctor_(
          [this](Diagnosis&& found) { findings_.add(std::move(found), std::chrono::system_clock::now()); }),
      access_lines_(loop_),
      requests_(config_->limits.requests_per_second, config_->proxy.trusted),
      http_deadlines_(loop_, [this](Time time, std::uint64_t id, Time at) { http_rung(time, id, at); }),
      session_deadlines_(loop_, [this](Time time, std::uint64_t id, Time at) { session_rung(time, id, at); }),
      house_timer_(loop_) {
  take_settings();
}

// --- Configuration ---

/// Sessions and connections look at these very objects, so all of them go by the new values from now on; but
/// what was agreed with a client (`wait`, `hold`, …) stays.
void Shard::take_settings() {
  const Config& config = *config_;
  settings_ = session_settings(config);
  body_limits_ = body_limits(config.limits);
  stream_limits_ = stream_limits(config.limits);
  web_settings_ = websocket_settings(config);
  web_host_.max_message = config.limits.max_request;
  web_host_.ping = config.websocket.ping;
  web_host_.stall = config.websocket.stall_timeout;
  any_origin_ = config.cors.everyone();
  routes_.clear();
  for (const Server& server : config.upstream.routes) {
    Servers alone = config.upstream.usual;
    alone.list = {server};
    routes_.push_back(std::make_shared<const Servers>(std::move(alone)));
  }
}

void Shard::take(Reloaded&& reloaded) {
  config_ = std::move(reloaded.config);
  tls_ = std::move(reloaded.tls);
  if (!tls_->server->certificates().empty()) server_tls_ = tls_->server;
  take_settings();
  farewells_.set_life(config_->session.inactivity);
  connector_host_.upstream = {config_, &config_->upstream};
  requests_.change(config_->limits.requests_per_second, config_->proxy.trusted);
  if (stopping_) return;
  for (auto& [id, served] : served_)
    if (std::ranges::find(reloaded.listeners, id, &Reloaded::Listener::id) == reloaded.listeners.end())
      served.acceptor->retire(*served.listen);
  for (Reloaded::Listener& listener : reloaded.listeners)
    serve(listener.id, listener.descriptor, std::move(listener.listen));
}

// --- The thread ---

void Shard::run() {
  outbox_.resize(all_.size());
  connector_host_.failed = [this](const std::string& server, const std::string& reason) {
    note_failure(server, "connect", reason);
  };
  loop_.run();
  shut_down();
  loop_.run_for(shutdown_time);
  access_lines_.flush();
}

void Shard::stop() {
  loop_.stop();
}

void Shard::shut_down() {
  stopping_ = true;
  access_lines_.stop();
  served_.clear();
  for (const std::uint64_t id : sessions_.ids()) {
    Slot& slot = *sessions_.find(id);
    slot.told = EndReason::shutdown;
    if (auto* bosh = std::get_if<Bosh>(&slot.client_side))
      bosh->session.end(now(), {bosh::Condition::system_shutdown, {}}, true, effects_);
    else
      std::get<Web>(slot.client_side)
          .session.end(now(), farewell_of(EndReason::shutdown, {}), true, web_effects_);
    apply(id);
  }
  connector_host_.resolver.stop();
  http_deadlines_.stop();
  session_deadlines_.stop();
  house_timer_.cancel();
  // Who has just connected is not sent away without an answer: his next request may find the next process.
  if (retire_connections(true)) house_timer_.start_in(newcomers_time, [this] { retire_connections(false); });
}

/// Whether some wait for their first request.
bool Shard::retire_connections(bool patient) {
  bool waiting = false;
  for (const std::uint64_t id : connections_.ids())
    if (const auto* http = connections_.find(id))
      waiting |= boost::intrusive_ptr<Http>(*http)->retire(patient);
  return waiting;
}

// --- Mail: one post a turn and destination ---

void Shard::send(unsigned shard, Mail&& mail) {
  std::vector<Mail>& box = outbox_[shard];
  box.push_back(std::move(mail));
  if (box.size() > 1) return;
  loop_.post([this, shard] { all_[shard]->post(std::exchange(outbox_[shard], {})); });
}

void Shard::post(std::vector<Mail>&& mails) {
  // A function that is kept must be one that can be copied.
  loop_.send([this, all = std::make_shared<std::vector<Mail>>(std::move(mails))] {
    for (Mail& mail : *all) receive(std::move(mail));
  });
}

void Shard::ask(std::function<void(Shard&)> question) {
  loop_.send([this, asked = std::move(question)] { asked(*this); });
}

void Shard::receive(Mail&& mail) {
  if (auto* delivery = std::get_if<Delivery>(&mail))
    deliver(std::move(*delivery));
  else if (auto* answer = std::get_if<Reply>(&mail))
    reply(std::move(*answer));
  else if (auto* lost = std::get_if<Lost>(&mail))
    on_lost(*lost);
  else if (auto* move = std::get_if<Move>(&mail))
    adopt(std::move(*move));
  else if (auto* reloaded = std::get_if<Reloaded>(&mail))
    take(std::move(*reloaded));
}

// --- Connections ---

void Shard::serve(ListenerId id, int listening_descriptor, std::shared_ptr<const Listen> listen) {
  Served& served = served_[id];
  served.listen = std::move(listen);
  if (served.acceptor) return served.acceptor->resume(*served.listen);
  served.acceptor = std::make_unique<Acceptor>(loop_, listening_descriptor,
                                               [this, &served](int descriptor, const Peer& peer) {
                                                 welcome(Connection(loop_, descriptor), peer, served.listen);
                                               });
}

void Shard::welcome(Connection&& connection, const Peer& peer, const std::shared_ptr<const Listen>& listen) {
  if (listen->proxy_protocol && !is_in(peer.remote.address, config_->proxy.trusted)) {
    log(LogLevel::warning, "connection-refused",
        {{"peer", to_string(peer.remote.address)},
         {"why", "not in proxy.trusted, and proxy_protocol = true"}});
    return;
  }
  const boost::intrusive_ptr<Http> http(new Http(*this, std::move(connection), peer, listen));
  const std::uint64_t id = connections_.emplace(http);
  count_connections();
  http->start(id);
}

void Shard::adopt(Move&& move) {
  const boost::intrusive_ptr<Http> http(
      new Http(*this, Connection(loop_, move.socket.descriptor, std::move(move.socket.ssl)), move.peer,
               std::move(move.listen)));
  const std::uint64_t id = connections_.emplace(http);
  count_connections();
  http->set_proxy(std::move(move.proxy));
  http->start_moved(id, std::move(move.context), move.first.sid, std::move(move.rest));
  move.first.arrival.exchange = {id, 0};
  deliver(std::move(move.first));
  if (stopping_) http->retire();
}

// --- Requests ---

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
