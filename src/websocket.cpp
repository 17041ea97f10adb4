#include "src/websocket.hpp"

#include <algorithm>
#include <utility>

#include "src/message_deflate.hpp"

namespace boshd {

namespace {

using websocket::CloseCode;
using websocket::Opcode;
using namespace std::chrono_literals;

constexpr std::uint8_t pings_unanswered = 2;
constexpr std::chrono::seconds last_patience{10};  // after the last of them, or less
constexpr std::size_t compress_above = 256;
constexpr std::size_t pongs_wait = std::size_t{16} * 1024;
// More pings and pongs than anybody needs.
constexpr std::uint16_t most_controls = 1000;
constexpr std::chrono::seconds controls_window{10};

Time now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

WebSocket::WebSocket(WebSocketHost& host, Connection&& connection, unsigned deflate_bits)
    : host_(host),
      connection_(std::move(connection)),
      reader_(host.max_message, deflate_bits > 0 ? inflate_message : nullptr),
      deflate_bits_(static_cast<std::uint8_t>(deflate_bits)) {}

void WebSocket::start(std::uint64_t owner, std::string_view response, std::string&& rest) {
  owner_ = owner;
  last_heard_ = now();
  kept_ = std::move(rest);
  if (!connection_.watch(*this)) return finish(CloseCode::lost);
  write(response);
  plan_reading();
  if (!kept_.empty()) take_up_soon();
}

// --- Reading ---

void WebSocket::plan_reading() {
  if (!closed_) connection_.set_reading(reading_ && kept_.empty());
}

void WebSocket::on_readable() {
  const Pointer self(this);
  const auto [outcome, bytes] = connection_.read(host_.scratch);
  if (outcome == Connection::Outcome::end || outcome == Connection::Outcome::failed)
    return finish(CloseCode::lost);
  if (outcome == Connection::Outcome::done) {
    host_.counters.client_bytes_in.add(bytes);
    last_heard_ = now();
    pings_ = 0;
    consume(host_.scratch.first(bytes));
  }
  plan_reading();
}

/// Takes up what came while the owner wanted nothing, from the loop.
void WebSocket::take_up_soon() {
  host_.loop.post([self = Pointer(this)] {
    if (self->closed_ || !self->reading_) return;
    std::string kept = std::exchange(self->kept_, {});
    self->consume(kept);
    self->plan_reading();
  });
}

void WebSocket::consume(std::span<char> bytes) {
  while (!closed_ && !deaf_) {
    if (!reading_) {
      kept_.assign(bytes.begin(), bytes.end());
      return;
    }
    const websocket::Event event = reader_.next(bytes);
    if (event.kind == websocket::Event::Kind::nothing) return;
    on_event(event);
  }
}

void WebSocket::on_event(const websocket::Event& event) {
  using Kind = websocket::Event::Kind;
  switch (event.kind) {
    case Kind::text:
    case Kind::binary:
      return tell(WebMessage{event.kind == Kind::text, event.payload});
    case Kind::ping:
    case Kind::pong: {
      if (last_heard_ - controls_since_ > controls_window) {
        controls_since_ = last_heard_;
        controls_ = 0;
      }
      if (++controls_ <= most_controls) return event.kind == Kind::ping ? pong(event.payload) : void();
      deaf_ = true;
      return tell(WebViolation{CloseCode::policy_violation});
    }
    case Kind::close:
      return peer_closed(event.code);
    case Kind::violation:
      deaf_ = true;
      return tell(WebViolation{event.code});
    case Kind::nothing:
      break;
  }
}

/// Not for a peer that sends pings and does not fetch the answers (RFC 6455 §5.5.3 lets some out).
void WebSocket::pong(std::string_view payload) {
  if (close_sent_ || unsent() > pongs_wait) return;
  std::string frame;
  websocket::append_frame_header(frame, Opcode::pong, payload.size());
  frame += payload;
  write(frame);
}

void WebSocket::peer_closed(CloseCode code) {
  peer_closed_ = true;
  if (!std::exchange(close_sent_, true)) write(websocket::close_frame(code));
  if (unsent() == 0) return finish(code);
  deaf_ = true;  // the rest goes first
  tell(WebGone{code});
  owner_ = 0;
}

void WebSocket::set_reading(bool on) {
  if (reading_ == on) return;
  reading_ = on;
  plan_reading();
  if (on && !kept_.empty()) take_up_soon();
}

// --- Writing ---

void WebSocket::send(std::string_view message, bool text) {
  if (close_sent_) return;
  std::string packed;
  if (deflate_bits_ > 0 && message.size() > compress_above) packed = deflate_message(message, deflate_bits_);
  const bool compressed = !packed.empty() && packed.size() < message.size();
  if (compressed) message = packed;
  websocket::append_frame_header(outgoing_, text ? Opcode::text : Opcode::binary, message.size(), compressed);
  outgoing_ += message;
}

void WebSocket::flush() {
  if (outgoing_.empty()) return;
  write(std::exchange(outgoing_, {}));
}

void WebSocket::write(std::string_view first, std::string_view second) {
  if (closed_) return;
  if (unsent() == 0) last_written_ = now();
  host_.counters.client_bytes_out.add(first.size() + second.size());
  connection_.write(first, second);  // a failure shows again when reading
}

void WebSocket::on_writable() {
  const Pointer self(this);
  const std::size_t before = unsent();
  const auto outcome = connection_.flush();
  if (unsent() < before) last_written_ = now();
  if (outcome == Connection::Outcome::failed) return finish(CloseCode::lost);
  if (outcome == Connection::Outcome::done && peer_closed_) return close();
  finish_writing();
  tell(WebWritten{});
}

// --- The end ---

void WebSocket::leave(CloseCode code, std::string_view why) {
  owner_ = 0;
  if (closed_) return;
  if (!close_sent_) outgoing_ += websocket::close_frame(code, why);
  close_sent_ = true;
  flush();
  if (peer_closed_ && unsent() == 0) return close();
  if (deaf_) kept_.clear();
  finish_writing();
  set_reading(true);
}

/// What a peer that broke the rules still sends is thrown away until it closes: closing now would reset the
/// connection and destroy what it was told.
void WebSocket::finish_writing() {
  if (deaf_ && close_sent_ && unsent() == 0) connection_.finish_writing();
}

void WebSocket::finish(CloseCode code) {
  if (closed_) return;
  close();
  tell(WebGone{code});
  owner_ = 0;
}

void WebSocket::close() {
  if (std::exchange(closed_, true)) return;
  connection_.close();
}

void WebSocket::tell(const WebEvent& event) {
  if (owner_ != 0) host_.tell(owner_, event);
}

// --- Time ---

Time WebSocket::deadline() const {
  if (closed_) return Time::max();
  Time due = Time::max();
  if (unsent() > 0) due = last_written_ + host_.stall;
  if (host_.ping == 0s) return due;
  const Time heard = pings_ < pings_unanswered
                         ? last_heard_ + host_.ping * (pings_ + 1)
                         : last_heard_ + host_.ping * pings_unanswered + std::min(host_.ping, last_patience);
  return std::min(due, heard);
}

/// A peer that does not read, or gives no sign of life, is gone.
void WebSocket::on_time(Time time) {
  if (closed_ || time < deadline()) return;
  if (unsent() > 0 && time >= last_written_ + host_.stall) {
    deaf_ = true;
    return owner_ != 0 ? tell(WebStalled{}) : close();
  }
  if (pings_ >= pings_unanswered) return finish(CloseCode::lost);
  ++pings_;
  if (close_sent_) return;
  std::string frame;
  websocket::append_frame_header(frame, Opcode::ping, 0);
  write(frame);
}

}  // namespace boshd
