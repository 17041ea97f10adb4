// A WebSocket of a client over its connection (RFC 6455): messages in, messages out.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "src/connection.hpp"
#include "src/deadlines.hpp"
#include "src/operate/counters.hpp"
#include "websocket/frames.hpp"

namespace boshd {

// What an owner is told of its WebSocket.

/// A whole message; until the call returns.
struct WebMessage {
  bool text;
  std::string_view bytes;
};
/// The peer broke the rules, and is to be left with this code. Nothing more is read.
struct WebViolation {
  websocket::CloseCode code;
};
/// The peer has taken nothing of what waits for it for too long, and is to be left.
struct WebStalled {};
/// Some of what waited has been written.
struct WebWritten {};
/// It is over: by the peer's code, or `lost`. The last that is told.
struct WebGone {
  websocket::CloseCode code;
};
using WebEvent = std::variant<WebMessage, WebViolation, WebStalled, WebWritten, WebGone>;

/// What all WebSockets of a thread share. It outlives them.
struct WebSocketHost {
  Loop& loop;
  Counters& counters;
  std::span<char> scratch;  // memory to read into
  std::size_t max_message;
  std::chrono::seconds ping;   // 0: none
  std::chrono::seconds stall;  // so long a peer may take nothing of what waits for it
  std::function<void(std::uint64_t owner, const WebEvent&)> tell;
};

/// Idle it owns no buffer. Events are told from the loop only, never from within a call.
class WebSocket final : public boost::intrusive_ref_counter<WebSocket, boost::thread_unsafe_counter>,
                        private Watcher {
 public:
  /// `deflate_bits`: as agreed in the handshake.
  WebSocket(WebSocketHost&, Connection&&, unsigned deflate_bits);

  /// Writes the answer to the handshake and begins. `rest`: what came behind the request (W-011).
  void start(std::uint64_t owner, std::string_view response, std::string&& rest);
  /// Takes a message; flush writes all that were taken.
  void send(std::string_view message, bool text = true);
  void flush();
  /// Bytes that the peer has not fetched.
  std::size_t unsent() const { return connection_.unsent(); }
  /// Back-pressure: whether the peer is read.
  void set_reading(bool);
  /// The owner is done: closes with this code and waits for the peer to close, too. Nothing is told any more.
  void leave(websocket::CloseCode, std::string_view why = {});
  void close();

  void on_time(Time now);
  Time deadline() const;

 private:
  using Pointer = boost::intrusive_ptr<WebSocket>;

  void on_readable() override;
  void on_writable() override;
  void plan_reading();
  void consume(std::span<char> bytes);
  void on_event(const websocket::Event&);
  void pong(std::string_view payload);
  void peer_closed(websocket::CloseCode);
  void write(std::string_view first, std::string_view second = {});
  void take_up_soon();
  void finish_writing();
  void finish(websocket::CloseCode);
  void tell(const WebEvent&);

  WebSocketHost& host_;
  Connection connection_;
  std::uint64_t owner_ = 0;  // 0 once it has left
  websocket::FrameReader reader_;
  std::string kept_;      // bytes that came while nothing was to be read
  std::string outgoing_;  // until flush
  Time last_heard_{};
  Time last_written_{};  // when some of unsent() went
  Time controls_since_{};
  std::uint16_t controls_ = 0;  // control frames since then
  std::uint8_t pings_ = 0;      // without a sign of life
  std::uint8_t deflate_bits_;
  bool reading_ = true;
  bool close_sent_ = false;
  bool peer_closed_ = false;
  bool deaf_ = false;  // after a violation
  bool closed_ = false;
};

}  // namespace boshd
