#include "src/shard.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "src/coding.hpp"
#include "src/listener.hpp"
#include "src/log.hpp"
#include "src/sha1.hpp"

namespace boshd {

namespace {

constexpr std::size_t scratch_bytes = 64 * 1024;
constexpr std::chrono::seconds shutdown_time{2};          // for all that is under way when the daemon stops
constexpr std::chrono::milliseconds newcomers_time{250};  // for their first request when it stops

Time now() {
  return std::chrono::steady_clock::now();
}

unsigned long random_salt() {
  unsigned long salt = 0;
  while (salt == 0)
    if (::getrandom(&salt, sizeof salt, 0) != sizeof salt) salt = 0;
  return salt;
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

}  // namespace boshd
