#include "src/http.hpp"

#include <algorithm>
#include <utility>

#include "src/coding.hpp"
#include "src/discovery.hpp"
#include "src/log/log.hpp"
#include "src/routes.hpp"
#include "src/script.hpp"
#include "src/shard.hpp"

namespace boshd {

namespace {

// Requests that wait on one connection; a client that sends more of them is not read for the time being
// (D-089).
constexpr std::size_t most_pipelined = 4;
constexpr std::chrono::seconds drain_time{2};
constexpr std::chrono::seconds write_stall_time{30};
constexpr std::string_view bosh_type = "text/xml; charset=utf-8";
constexpr std::string_view script_type = "text/javascript; charset=utf-8";

Time now() {
  return std::chrono::steady_clock::now();
}

/// The status in a response's first line, which we have written.
unsigned status_of(std::string_view response) {
  constexpr std::string_view before = "HTTP/1.1 ";
  unsigned status = 0;
  for (const char digit : response.substr(before.size(), 3))
    status = status * 10 + static_cast<unsigned>(digit - '0');
  return status;
}

}  // namespace

Http::Http(Shard& shard, Connection&& connection, const Peer& peer, std::shared_ptr<const Listen> listen)
    : shard_(shard), connection_(std::move(connection)), peer_(peer), listen_(std::move(listen)) {}

void Http::start(std::uint64_t id) {
  id_ = id;
  if (!connection_.watch(*this)) return close();
  if (listen_->proxy_protocol)
    proxy_reader_ = std::make_unique<ProxyHeaderReader>();
  else if (listen_->tls)
    start_tls();
  plan_deadline();
  plan_reading();
}

void Http::start_tls() {
  connection_.start_tls(shard_.server_tls().accept());
  peer_.tls = true;
}

/// What belongs to the header is taken, and nothing behind it: that may be TLS.
void Http::read_proxy_header() {
  const std::span<char> scratch = shard_.scratch();
  const auto [outcome, bytes] = connection_.peek(scratch);
  if (outcome == Connection::Outcome::end || outcome == Connection::Outcome::failed) return close();
  if (outcome == Connection::Outcome::done) {
    const std::size_t used = proxy_reader_->read(std::string_view(scratch.data(), bytes));
    connection_.read(scratch.first(used));
  }
  if (proxy_reader_->state() == ProxyHeaderReader::State::failed) {
    log(LogLevel::warning, "proxy-header-refused",
        {{"peer", to_string(peer_.remote.address)},
         {"hint", "does the proxy send one? if not, set proxy_protocol = false for this listener"}});
    return close();
  }
  if (proxy_reader_->state() == ProxyHeaderReader::State::complete) {
    const ProxyOrigin origin = proxy_reader_->origin();
    proxy_reader_.reset();
    proxy_ = std::make_unique<Address>(peer_.remote.address);
    if (origin.source) peer_.remote = *origin.source;
    if (origin.destination) peer_.local = *origin.destination;
    peer_.tls = origin.tls;
    if (listen_->tls) start_tls();
    plan_deadline();
  }
}

void Http::start_moved(std::uint64_t id, HttpContext&& first, const Sid& sid, std::string&& rest) {
  id_ = id;
  if (!connection_.watch(*this)) return close();
  last_ = !first.keep_alive;
  pending_.push_back({next_number_++, std::move(first), sid, false, {}, {}, proxy_ ? now() : Time{}, {}});
  shard_.counters().held_requests.add();
  kept_ = std::move(rest);
  if (!kept_.empty()) finish_soon();
  plan_reading();
}

/// Not while something that was read waits for its turn, nor behind the end.
void Http::plan_reading() {
  if (!closed_) connection_.set_reading(!ended_ && kept_.empty());
}

void Http::on_readable() {
  const Pointer self(this);
  readable();
  plan_reading();
}

void Http::on_writable() {
  const Pointer self(this);
  if (!connection_.handshake_done()) return readable();
  after_write(connection_.flush());
  plan_deadline();
}

void Http::readable() {
  if (proxy_reader_) return read_proxy_header();
  const bool was_ready = connection_.handshake_done();
  const std::span<char> scratch = shard_.scratch();
  const auto [outcome, bytes] = connection_.read(scratch);
  shard_.counters().client_bytes_in.add(bytes);
  switch (outcome) {
    case Connection::Outcome::end:
      return peer_finished();
    case Connection::Outcome::failed:
      note_cuts();
      return close();
    case Connection::Outcome::done:
      if (!last_) consume(std::string_view(scratch.data(), bytes));
      break;
    case Connection::Outcome::again:
      break;
  }
  if (!was_ready && !reader_ && connection_.handshake_done()) plan_deadline();
}

void Http::consume(std::string_view bytes) {
  while (!bytes.empty() && !last_ && !closed_) {
    if (pending_.size() >= most_pipelined || connection_.unsent() > 0) {
      kept_ += bytes;
      return;
    }
    if (!step(bytes)) return;
  }
}

/// Reads on in the present request; false when nothing more can be done with the bytes.
bool Http::step(std::string_view& bytes) {
  const LimitSettings& limits = shard_.config().limits;
  const bool first = !reader_;
  if (first)
    reader_ = std::make_unique<RequestReader>(
        HttpLimits{limits.max_header, 100, limits.max_request, access_log_is_on()});
  bytes.remove_prefix(reader_->read(bytes));
  switch (reader_->state()) {
    case RequestReader::State::reading:
      if (!reader_->started())
        reader_.reset();
      else if (first)
        set_deadline(now() + limits.request_timeout);
      return false;
    case RequestReader::State::continue_first:
      if (first) set_deadline(now() + limits.request_timeout);
      continue_owed_ = true;
      send_continue();
      return !bytes.empty();
    case RequestReader::State::failed:
      refuse(reader_->status());
      return false;
    case RequestReader::State::complete:
    case RequestReader::State::too_large:
      break;
  }
  const bool too_large = reader_->state() == RequestReader::State::too_large;
  HttpRequest request = std::move(reader_->request());
  reader_.reset();
  continue_owed_ = false;
  take(std::move(request), too_large, bytes);
  if (closed_) return false;
  plan_deadline();
  return true;
}

void Http::take(HttpRequest&& request, bool too_large, std::string_view rest) {
  const OriginVerdict origin = shard_.check_page(request.origin);
  HttpContext context = make_context(request, origin);
  context.keep_alive &= !too_large && !retiring_;  // what is left of too large a body is not read
  last_ |= !context.keep_alive;
  const std::uint32_t number = next_number_++;
  const Address client = shard_.client_of(peer_, request).remote.address;
  context.access = access_entry(request, client);
  Route found;
  if (!shard_.may_ask(client)) {
    // No 4xx: to a client that would be the end of its session.
    shard_.counters().requests_that(RequestOutcome::refused).add();
    found.response =
        simple_response(context, 503, "Too many requests of your address.\n", "Retry-After: 1\r\n");
  } else if (auto body = listen_->script_syntax ? script_body(request, listen_->bosh_path) : std::nullopt) {
    request.body = std::move(*body);
    found.bosh = request.script = context.script = true;
  } else if (is_host_meta(request)) {
    const Endpoints endpoints = endpoints_of(shard_.config(), *listen_, shard_.client_of(peer_, request));
    found.response = host_meta_response(request, context, endpoints);
  } else {
    found = route(request, context, origin,
                  {listen_->bosh_path, listen_->websocket_path, shard_.config().websocket.compression});
  }
  if (found.origin_refused) shard_.counters().not_begun[not_begun_origin_refused].add();
  if (!request.websocket_key.empty() && path_of(request.target) == path_of(listen_->websocket_path))
    shard_.examine(*this, request, shard_.client_of(peer_, request), Doctor::Kind::websocket, true);
  if (found.websocket && pending_.empty()) {
    Admission::Verdict verdict = shard_.admit(shard_.client_of(peer_, request));
    if (verdict.refusal == Refusal::none)
      return become_websocket(request, found, std::move(verdict.place), rest);
    found.response = simple_response(context, is_overload(verdict.refusal) ? 503 : 429,
                                     std::string(explain(verdict.refusal)) + "\n", "Retry-After: 60\r\n");
  } else if (found.websocket)
    found.response = simple_response(context, 400, "Earlier requests on this connection wait for answers.\n");
  pending_.push_back({number, std::move(context), std::nullopt, false, {}, {}, {}});
  if (found.bosh && !too_large) too_large = unpack(request);
  if (found.bosh)
    shard_.on_bosh_request(*this, number, std::move(request), too_large, rest);
  else
    answer_raw(number, std::move(found.response));
}

/// Gives the connection away, and ends here.
void Http::become_websocket(const HttpRequest& request, const Route& found, Admission::Place&& place,
                            std::string_view rest) {
  closed_ = true;
  shard_.on_websocket(*this, std::move(connection_), request, found, std::move(place), rest);
  shard_.on_http_closed(id_);
}

/// Undoes the body's content coding (B-014). True: it is too large then, and only its start is left. A body
/// that can't be read is empty, which is as bad a request.
bool Http::unpack(HttpRequest& request) const {
  const Coding coding = parse_coding(request.content_encoding).value_or(Coding::identity);
  if (coding == Coding::identity) return false;
  Decoded decoded = decode(coding, request.body, shard_.config().limits.max_request);
  const bool too_large = decoded.outcome == Decoded::Outcome::too_large;
  request.body = std::move(decoded.bytes);
  if (too_large) request.body.resize(std::min(request.body.size(), RequestReader::kept_of_too_large));
  return too_large;
}

void Http::refuse(unsigned status) {
  HttpContext context;
  if (reader_ && reader_->head_complete())
    context = make_context(reader_->request(), shard_.check_page(reader_->request().origin));
  else
    context.allowed_origin = shard_.check_page({}).header;
  context.access = access_entry(reader_ ? reader_->request() : HttpRequest{}, peer_.remote.address);
  context.keep_alive = false;
  reader_.reset();
  last_ = true;
  const std::uint32_t number = next_number_++;
  std::string response = simple_response(context, status, {});
  pending_.push_back({number, std::move(context), std::nullopt, false, {}, {}, {}});
  answer_raw(number, std::move(response));
  plan_deadline();
}

void Http::answer(std::uint32_t number, const bosh::Response& response, Time since) {
  Pending* pending = find(number);
  if (!pending) return;
  pending->since = since;
  if (response.status == 0) return shard_.loop().post([self = Pointer(this)] { self->close(); });
  if (!response.body) {
    const std::string_view extra = response.status == 503 ? "Retry-After: 5\r\n" : "";
    return answer_raw(number, simple_response(pending->context, response.status, {}, extra));
  }
  pending->body = response.body;
  std::string extra;
  if (pending->context.script) {
    pending->body = bosh::Bytes(script_call(*response.body));
    extra = "Pragma: no-cache\r\n";
  }
  const std::size_t gzip_above = shard_.config().limits.gzip_above;
  if (gzip_above > 0 && response.body.size() > gzip_above) {
    extra += "Vary: Accept-Encoding\r\n";
    if (pending->context.gzip) pack(*pending, extra);
  }
  const std::string_view usual = pending->context.script ? script_type : bosh_type;
  append_head(pending->head, pending->context, response.status,
              response.content_type ? *response.content_type : usual, pending->body.size(), extra);
  mark_ready(*pending);
  send_ready();
}

/// Compresses an answer if that makes it smaller (B-013).
void Http::pack(Pending& pending, std::string& headers) {
  std::string packed = gzip(*pending.body);
  if (packed.empty() || packed.size() >= pending.body.size()) return;
  pending.body = bosh::Bytes(packed);
  headers += "Content-Encoding: gzip\r\n";
}

void Http::answer_raw(std::uint32_t number, std::string&& response) {
  Pending* pending = find(number);
  if (!pending) return;
  pending->head = std::move(response);
  mark_ready(*pending);
  send_ready();
}

void Http::mark_ready(Pending& request) {
  if (request.sid && !request.ready) shard_.counters().held_requests.take();
  request.ready = true;
}

void Http::send_ready() {
  auto next = pending_.begin();
  Connection::Outcome outcome = Connection::Outcome::done;
  for (; next != pending_.end() && next->ready && outcome != Connection::Outcome::failed; ++next) {
    outcome = connection_.write(next->head, *next->body);
    note_access(*next);
    if (next->came != Time{} && shard_.doctor().suspects_cuts())
      shard_.doctor().on_answer(proxy(), now() - next->came, now());
  }
  if (next == pending_.begin()) return;
  const Time time = now();
  for (auto sent = pending_.begin(); sent != next; ++sent) note_sent(*sent, time);
  pending_.erase(pending_.begin(), next);
  after_write(outcome);
  send_continue();
  plan_deadline(time);
}

void Http::note_sent(const Pending& answer, Time time) const {
  Counters& counters = shard_.counters();
  counters.client_bytes_out.add(answer.head.size() + answer.body.size());
  if (answer.since != Time{}) counters.stanza_delay.add(time - answer.since);
}

/// Its line in the access log. What isn't ready never gets an answer.
void Http::note_access(const Pending& request) const {
  if (!request.context.access) return;
  if (!request.ready) return shard_.note_access(*request.context.access, status_unanswered, 0, request.sid);
  // A whole response brings its body behind the head.
  const std::size_t head = request.head.find("\r\n\r\n") + 4;
  const unsigned status = status_of(request.head);
  shard_.note_access(*request.context.access, status, request.head.size() - head + request.body.size(),
                     request.sid);
}

/// `100 Continue` (D-075) takes its turn behind the answers to earlier requests.
void Http::send_continue() {
  if (!pending_.empty() || !std::exchange(continue_owed_, false)) return;
  after_write(connection_.write("HTTP/1.1 100 Continue\r\n\r\n"));
}

// Nothing here may reach the shard at once: an answer is given in the middle of a session's effects.
void Http::after_write(Connection::Outcome outcome) {
  if (outcome == Connection::Outcome::again) return;
  if (outcome == Connection::Outcome::done && !(pending_.empty() && last_) && kept_.empty()) return;
  finish_soon();
}

/// Goes on when the present work is done: with what was kept, or towards the end.
void Http::finish_soon() {
  shard_.loop().post([self = Pointer(this)] {
    if (self->closed_ || self->connection_.unsent() > 0) return;
    if (!self->last_) {
      const std::string kept = std::exchange(self->kept_, {});
      self->consume(kept);
      return self->plan_reading();
    }
    if (!self->pending_.empty() || self->draining_) return;
    if (self->ended_) return self->close();
    // The peer may still be sending: closing now would reset the connection and destroy the answer (D-070).
    self->connection_.finish_writing();
    self->draining_ = true;
    self->kept_.clear();
    self->plan_deadline();
    self->plan_reading();
  });
}

/// A proxy that ends connections while requests are held is not patient enough.
void Http::note_cuts() const {
  for (const Pending& request : pending_)
    if (request.sid && !request.ready && request.came != Time{})
      shard_.doctor().on_cut(proxy(), now() - request.came, shard_.config(), now());
}

/// The peer sends no more. It may still read: each request that waits is answered, but with nothing that
/// could get lost (D-073).
void Http::peer_finished() {
  note_cuts();
  ended_ = last_ = true;
  reader_.reset();
  if (pending_.empty() && connection_.unsent() == 0) return close();
  std::vector<Lost> lost;
  for (const Pending& pending : pending_)
    if (pending.sid && !pending.ready) lost.push_back({{id_, pending.number}, *pending.sid});
  for (const Lost& request : lost) shard_.on_lost(request);
  finish_soon();
}

void Http::close() {
  if (std::exchange(closed_, true)) return;
  connection_.close();
  const std::vector<Pending> pending = std::exchange(pending_, {});
  const Pointer self(this);
  shard_.on_http_closed(id_);
  for (const Pending& request : pending) {
    note_access(request);
    if (!request.sid || request.ready) continue;
    shard_.counters().held_requests.take();
    shard_.on_lost({{id_, request.number}, *request.sid});
  }
}

bool Http::may_move(std::uint32_t number) const {
  return number == 0 && pending_.size() == 1 && connection_.unsent() == 0 && !ended_;
}

Connection::Released Http::release() {
  closed_ = true;
  pending_.clear();
  return connection_.release();
}

HttpContext Http::take_context(std::uint32_t number) {
  return std::move(find(number)->context);
}

void Http::belongs_to(std::uint32_t number, const Sid& sid) {
  Pending* pending = find(number);
  if (!pending) return;
  if (!pending->sid && !pending->ready) shard_.counters().held_requests.add();
  pending->sid = sid;
}

void Http::came_by_proxy(std::uint32_t number, Time time) {
  if (Pending* pending = find(number)) pending->came = time;
}

bool Http::retire(bool patient) {
  retiring_ = true;
  kept_.clear();
  for (Pending& pending : pending_) pending.context.keep_alive = false;
  if (reader_) return false;  // what has begun to come still gets its answer
  if (patient && next_number_ == 0 && !closed_) return true;
  last_ = true;
  if (pending_.empty() && connection_.unsent() == 0) close();
  return false;
}

void Http::on_time(Time time) {
  if (closed_ || time < deadline_) return;
  // Clients take a 4xx for the end of their session, and repeat a request whose connection breaks: once it
  // may be a session's, it is cut in silence.
  if (reader_ && !last_ && !reader_->head_complete()) return refuse(408);
  close();
}

/// `time`: now, when it is at hand.
void Http::plan_deadline(std::optional<Time> time) {
  const auto in = [&](std::chrono::seconds patience) { set_deadline((time ? *time : now()) + patience); };
  if (proxy_reader_ || !connection_.handshake_done())
    in(shard_.config().limits.request_timeout);
  else if (draining_)
    in(drain_time);
  else if (connection_.unsent() > 0)
    in(write_stall_time);
  else if (reader_)
    return;  // set when its first byte came
  else if (!pending_.empty())
    deadline_ = Time::max();
  else
    in(shard_.config().limits.idle_timeout);
}

void Http::set_deadline(Time deadline) {
  deadline_ = deadline;
  shard_.plan(id_, deadline, queued);
}

Http::Pending* Http::find(std::uint32_t number) {
  const auto found = std::ranges::find(pending_, number, &Pending::number);
  return found == pending_.end() ? nullptr : &*found;
}

}  // namespace boshd
