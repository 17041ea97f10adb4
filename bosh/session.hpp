// A BOSH session (XEP-0124, XEP-0206) as plain data and transitions: what happened goes in, effects come out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "bosh/activity.hpp"
#include "bosh/body.hpp"
#include "bosh/cache.hpp"
#include "bosh/end.hpp"
#include "bosh/keys.hpp"
#include "bosh/outbox.hpp"
#include "bosh/reply.hpp"
#include "xml/element.hpp"

namespace bosh {

/// Names one HTTP request: a connection and the number of the request on it. Means nothing here but itself.
struct Exchange {
  std::uint64_t connection = 0;
  std::uint32_t number = 0;
  friend bool operator==(const Exchange&, const Exchange&) = default;
};

/// How a request came in.
struct Arrival {
  Exchange exchange;
  /// The client itself is at the other end, not a proxy whose connections serve many.
  bool direct = true;
  /// The longest it may be held, whatever `wait` says: a proxy in between may be less patient than the
  /// client.
  std::chrono::seconds patience{std::chrono::hours(1)};
};

// What the owner is to do. Applied in order after the call has returned, so nothing re-enters the session.

/// Answer this request.
struct Answer {
  Exchange to;
  Response response;
  /// From then on there were both: its oldest element of the server, and a request to answer with it.
  /// Time{}: it has none.
  Time since{};
};
/// Write these whole elements to the XMPP server.
struct Forward {
  StreamId stream;
  std::string stanzas;
};
/// Open the XMPP stream anew on the same connection (XEP-0206 §5).
struct Restart {
  StreamId stream;
  std::string language;
};
/// Open another stream (XEP-0124 §16.3). What becomes of it is told like all that happens to a stream.
struct Open {
  StreamId stream;
  std::string to;
  std::string language;
};
/// The client has closed this stream and goes on with others.
struct Close {
  StreamId stream;
};
/// A request that a page had begun when it was left never came; its session goes on without it.
struct GaveUp {
  std::uint64_t rid;
};
/// Stop or go on reading from the XMPP servers.
struct Reading {
  bool on;
};
/// Elements of the server that never reached the client.
struct Undelivered {
  StreamId stream;
  std::string stanzas;
};
/// The session is over: told exactly once, the last effect. `farewell` answers requests that come too late.
struct Ended {
  End end;
  Response farewell;
  std::vector<Undelivered> undelivered;
};
using Effect = std::variant<Answer, Forward, Restart, Open, Close, GaveUp, Reading, Ended>;
using Effects = std::vector<Effect>;

/// What a session may have; one for many sessions, and it outlives them.
struct Settings {
  std::chrono::seconds wait{60};
  unsigned hold = 2;
  std::chrono::seconds inactivity{90};
  std::chrono::seconds polling{2};      // 0: as often as the client likes
  std::chrono::seconds max_pause{120};  // 0: none
  unsigned streams = 1;                 // open at a time; 1: the client is told of no others
  std::string_view accept;              // content codings of requests
  Sha1 sha1 = nullptr;                  // for keys and the names of streams
  std::size_t cache_bytes = 256 * 1024;
  std::size_t queue_bytes = 1024 * 1024;
  /// After an answer with data the next one, on another connection, waits so long or for proof that the first
  /// arrived; where proof is asked for, for that alone.
  std::chrono::milliseconds order_guard{5};
};

/// What was made of a request.
enum class Taken : std::uint8_t {
  new_one,
  repeated,    // it had come before, and its answer is the old one or will come
  outside,     // its rid is none that could come now
  too_active,  // there are more of them than may be
};

/// One session, from its creation request to its end. Made by the owner, who calls one `on_…` for each thing
/// that happens, applies the effects, and calls on_time when deadline() has come (too early a call does
/// nothing). After Ended no call is made any more.
class Session {
 public:
  /// `settings` outlives the session. The creation request itself is then given to on_request.
  Session(const Settings&, std::string sid, const Body& creation, Time now);

  Taken on_request(Time now, const Arrival&, Body&&, Effects&);
  /// A request for this session that can't be used, with the terminal answer for it. It ends the session only
  /// if its rid is one the client could use next, since others may guess (B-188).
  void on_faulty_request(Exchange, std::uint64_t rid, const Terminal&, End, Effects&);
  /// The client of a waiting request is gone, or will send no more on that connection: nothing is given to
  /// it, its turn is answered with an empty body (D-073, B-095). Returns when the request had come; none:
  /// there is no such request, or that was known.
  std::optional<Time> on_lost(Time now, Exchange, Effects&);

  void on_upstream_open(Time now, StreamId, ServerHeader, Effects&);
  /// All elements of one read at once, so that they leave in one answer.
  void on_upstream(Time now, StreamId, std::span<const xml::Element>, Effects&);
  /// One XMPP stream is over. The session ends with its last stream; if it has ended already, nothing
  /// happens.
  void on_upstream_end(Time now, StreamId, Terminal, Effects&);
  /// Whether the servers take more; while not, requests with payload wait.
  void on_upstream_room(Time now, bool room, Effects&);
  /// The XMPP side is over, or the daemon stops: what is queued still goes out, then the terminal body.
  /// `at_once`: there is no time for more requests, and what does not fit into those that wait is
  /// undelivered.
  void end(Time now, Terminal, bool at_once, Effects&);

  void on_time(Time now, Effects&);
  /// When on_time is due at the latest.
  Time deadline() const;

  const std::string& sid() const { return granted_.sid; }
  std::size_t queued_bytes() const { return outbox_.bytes(); }
  std::size_t cached_bytes() const { return cache_.bytes(); }
  bool ended() const { return state_ == State::ended; }
  std::size_t held() const { return waiting_.size(); }

 private:
  enum class State : std::uint8_t {
    live,
    ending,  // only the rest of the outbox and the terminal body are left to give
    ended,
  };
  struct Stream {
    StreamId id;
    std::shared_ptr<const ServerHeader> server{};  // until the client was told
    bool ready = false;                            // its features came, or none will
    bool untold = false;  // its header came too late for the answer that should have told it
  };
  struct Waiting {
    std::uint64_t rid;
    Arrival arrival;
    Time at;
    bool lost = false;
    std::optional<StreamId> added{};  // its answer names this new stream, and says nothing else
    std::uint64_t report = 0;         // its answer tells that the one to this rid looks lost
  };
  struct Early {
    Waiting request;
    Body body;
  };

  // Requests.
  bool replay(Time now, const Arrival&, const Body&, Effects&);
  bool repeat(Time now, const Arrival&, const Body&, Effects&);
  std::uint64_t received() const;
  bool in_window(const Body&) const;
  bool too_active(Time now, const Body&);
  bool may_take(const Body&) const;
  void park(const Waiting&, Body&&);
  void take_in_order(Time now, Effects&);
  void take(Time now, const Waiting&, Body&&, Effects&);
  void act(Time now, Body&&, Effects&);
  void acknowledge(Time now, const Body&);
  bool proves_arrival(const Body&) const;
  void look_for_order(const Body&);
  std::optional<std::span<const Stream>> addressed(const Body&) const;
  void forward(std::string&& payload, std::span<const Stream> to, Effects&);
  void add_stream(Body&&, Effects&);
  void paused(Time now, std::uint64_t seconds, Effects&);
  void terminated(Time now, Effects&);

  // Answers.
  void settle(Time now, Effects&);
  bool data_may_leave(Time now) const;
  bool same_connection() const;
  bool asks_for_proof() const { return logged_in_ && granted_.hold <= 1; }
  Time gap_due() const;
  void give_up_gap(Time now, Effects&);
  Time answer_due() const;
  static bool takes_data(const Waiting& request) { return !request.lost && !request.added; }
  void hand_over(Time now, Effects&);
  void give_letter(Time now, Effects&);
  void answer_oldest(Time now, Letter&&, Effects&);
  std::shared_ptr<const ServerHeader> annotate(Time now, const Waiting&, Letter&, Notes&);
  void answer_oldest_with(Time now, Response, StreamId, Effects&, Time since = {});
  void break_off(std::optional<Exchange> culprit, const Terminal&, End, Effects&);
  void finish(End, Response farewell, Effects&);
  std::vector<Undelivered> unacknowledged() const;
  Response respond(Bytes) const;
  Response last_word(const Terminal&) const;
  std::uint64_t ack_for(std::uint64_t rid) const;
  std::uint64_t highest_answered() const;
  AnswerCache::Limits cache_limits() const;

  // Streams.
  Stream* find(StreamId);
  void close(StreamId, Terminal);
  std::string name_of(StreamId) const;

  const Settings* settings_;
  Granted granted_;
  Bytes content_type_;
  bool legacy_;
  bool acks_;  // both sides acknowledge
  State state_ = State::live;
  bool created_ = false;  // the creation response is out
  bool upstream_room_ = true;
  bool reading_ = true;
  std::vector<Stream> streams_;  // open ones
  StreamId next_stream_ = 1;
  std::uint64_t highest_;         // the highest rid that was taken; all lower ones were too
  std::vector<Waiting> waiting_;  // taken and not answered, in rid order
  std::vector<Early> early_;      // not yet taken, in rid order
  AnswerCache cache_;
  Outbox outbox_;
  KeyChain keys_;
  Activity activity_;
  std::chrono::seconds inactivity_;  // what is allowed now: less or more after a pause
  Time idle_since_;                  // when the last request was answered
  std::uint64_t acknowledged_ = 0;
  Time report_next_{};
  std::optional<Time> deserted_;  // since then the last held request is lost, and nothing came in its place
  bool logged_in_ = false;        // the client has said something that comes after the login
  // The last answer with data.
  std::uint64_t spoken_ = 0;
  bool arrived_ = true;  // it is certain that the client has it
  Time guard_until_{};
  std::uint64_t guard_connection_ = 0;
  std::shared_ptr<const Terminal> terminal_;  // while ending
};

}  // namespace bosh
