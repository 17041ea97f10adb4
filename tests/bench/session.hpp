// A client's session of the load generator: BOSH with two connections, or a WebSocket. It logs in by SASL
// ANONYMOUS and then says what it is told.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tests/bench/wire.hpp"

namespace bench {

/// What all sessions of a run have in common.
struct Terms {
  Loop& loop;
  Target target;
  std::string domain;
  std::string route;
  bool websocket = false;
  bool always_held = true;  // BOSH: a request waits at the server while another one brings a stanza
};

class Session {
 public:
  /// What its owner wants to know.
  struct Events {
    std::function<void(Session&)> ready;                         // it has logged in
    std::function<void(Session&, std::string_view text)> heard;  // stanzas; behind the login
    std::function<void(Session&, std::string_view why)> lost;
  };

  Session(const Terms&, const Events&, std::uint32_t number);

  void start();
  /// One stanza, after `ready`.
  void send(std::string_view stanza);
  /// Signs off.
  void leave();

  std::uint32_t number() const { return number_; }
  const std::string& jid() const { return jid_; }

  // The owner's.
  std::uint64_t sent = 0;
  std::uint64_t got = 0;
  std::deque<Clock::time_point> under_way;  // when the stanzas that are out should have left

 private:
  enum class Step { created, features, sasl, restarted, bound, ready };
  struct Line {
    std::optional<Wire> wire;
    bool busy = false;
  };

  void say(std::string_view stanza);
  void restart();
  void take(std::string_view text);
  void log_in(std::string_view text);
  void lose(std::string_view why);
  void hang_up();

  // BOSH.
  void request(std::string_view attributes, std::string_view payload);
  void ask(std::string_view attributes, std::string_view payload);
  void hold_one();
  void on_http(Line&, std::string& bytes);
  void on_body(std::string_view body);
  std::uint32_t source() const;

  // WebSocket.
  void on_frames(std::string& bytes);
  void frame(std::string_view text);

  const Terms& terms_;
  const Events& events_;
  std::uint32_t number_;
  Step step_ = Step::created;
  std::array<Line, 2> lines_;
  std::string sid_;
  std::uint64_t rid_;
  std::deque<std::string> waiting_;  // requests for which no connection is free
  std::string jid_;
  bool upgraded_ = false;
  bool leaving_ = false;
  bool lost_ = false;
};

}  // namespace bench
