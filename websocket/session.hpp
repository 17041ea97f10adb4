// An XMPP session over WebSocket (RFC 7395) as plain data and transitions: what happened goes in, effects
// come out. Frames are below it, the XMPP stream to the server behind it.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "websocket/frames.hpp"
#include "xml/element.hpp"
#include "xml/splitter.hpp"
#include "xmpp/header.hpp"

namespace websocket {

using Time = std::chrono::steady_clock::time_point;

/// Why a session ended, as far as it can know. The owner has the reason of `told`.
enum class End : std::uint8_t {
  client_closed,      // by <close/>
  client_lost,        // its connection broke, or was closed without a word (RFC 7395 §3.6)
  not_opened,         // no <open/> came in time
  bad_message,        // not one whole XML element, or not one that may stand here
  bad_frames,         // against RFC 6455
  message_too_large,  // above the limit
  overactive,         // more frames than anybody needs
  client_stalled,     // it does not take what is there for it
  told,               // by on_upstream_end or end()
};

// What the owner is to do. Applied in order after the call has returned.

/// Give the client this message.
struct Send {
  std::string message;
};
/// Open the XMPP stream.
struct Open {
  std::string to;
  std::string language;
};
/// Write this whole element to the XMPP server.
struct Forward {
  std::string element;
};
/// Open the XMPP stream anew on the same connection (RFC 7395 §3.7).
struct Restart {
  std::string language;
};
/// The client has closed its stream: close that to the server, and go on reading until it is closed there.
struct Close {};
/// The session is over: told exactly once, the last effect. The WebSocket is closed with this code.
struct Ended {
  End end;
  CloseCode code;
};
using Effect = std::variant<Send, Open, Forward, Restart, Close, Ended>;
using Effects = std::vector<Effect>;

/// How the XMPP side parts: with a whole stream error, or with none in good order.
struct Farewell {
  std::string error;
  CloseCode code = CloseCode::normal;
};

/// One for many sessions, and it outlives them.
struct Settings {
  xml::Limits limits;  // of one message
  std::chrono::seconds open_timeout{30};
  std::chrono::seconds close_timeout{5};
  std::string see_other_uri;  // where clients are sent when the daemon stops; may be empty
};

/// One session, from the handshake to its end.
class Session {
 public:
  /// `id`: for the `<open/>` of streams that never reach a server.
  Session(const Settings&, std::string id, Time now);

  void on_message(Time now, xml::Pool&, std::string_view, Effects&);
  /// The client broke the rules of frames, and is to get this code.
  void on_violation(CloseCode, Effects&);
  /// The client takes nothing of what is there for it.
  void on_stalled(Effects&);
  /// The client's connection is over.
  void on_lost(Effects&);

  /// At the beginning, and after each restart.
  void on_upstream_open(const xmpp::Header&, Effects&);
  void on_upstream(std::span<const xml::Element>, Effects&);
  void on_upstream_end(Time now, Farewell, Effects&);
  /// The daemon stops. `at_once`: nobody waits for the client's own <close/>.
  void end(Time now, Farewell, bool at_once, Effects&);

  void on_time(Time now, Effects&);
  Time deadline() const { return due_; }

  const std::string& id() const { return id_; }
  bool ended() const { return state_ == State::ended; }

 private:
  enum class State : std::uint8_t {
    expecting,  // the client's <open/>
    opening,    // the server's header
    open,
    finishing,   // the client has closed; the server may still have something to say
    hanging_up,  // both have closed the stream; the client is to close the WebSocket
    closing,     // we have closed; the client may still have something to say
    ended,
  };

  void on_element(Time now, const xml::Root&, std::string_view element, Effects&);
  void on_open(const xml::Root&, Effects&);
  void on_close(Time now, Effects&);
  void refuse(std::string_view condition, End, CloseCode, Effects&, std::string_view text = {});
  void say_last(const std::string& error, const std::string& close, Effects&);
  void part(Time now, Farewell&&, const std::string& close, Effects&);
  void finish(End, CloseCode, Effects&);

  const Settings* settings_;
  std::string id_;
  std::string from_;  // what the client calls itself
  State state_ = State::expecting;
  bool streams_ = false;                // there is a server
  bool answered_ = false;               // an <open/> of ours is out
  bool restarts_ = false;               // the server's next header is awaited
  bool featured_ = false;               // elements came behind the latest header
  CloseCode code_ = CloseCode::normal;  // while closing
  Time due_;
};

}  // namespace websocket
