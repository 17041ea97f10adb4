// A session of which every step is checked against what BOSH promises, whatever happens to it. It can be
// copied in the middle, to go on in different ways.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bosh/session.hpp"

namespace sim {

class CheckedSession {
 public:
  struct Kind {
    std::string name;
    unsigned hold;
    std::chrono::seconds wait;
    bool open;  // the creation is answered, features and all
    bool acks = false;
    bool streams = false;  // more than one at a time
  };
  explicit CheckedSession(const Kind&);

  // Events. Each says whether it can happen now; if not, nothing has happened.
  bool send_next();       // the lowest rid that was never sent, as far as the window goes
  bool send_one_ahead();  // the one after it
  bool repeat_oldest();   // the lowest rid without an answer, on another connection
  bool repeat_newest();   // the highest
  bool repeat_answered();
  bool send_pause();
  bool send_terminate();
  bool send_addition();  // of a stream
  bool send_closing();   // of the last stream that was added
  bool send_faulty();
  bool lose_oldest();  // the connection of the lowest rid without an answer
  bool lose_newest();
  bool server_opens();
  bool server_speaks();
  bool server_takes_no_more();
  bool server_takes_more();
  bool server_speaks_on_another();
  bool server_ends_another();
  bool server_ends();
  bool shut_down();
  bool deadline_comes();
  bool moment_passes();

  bool ended() const { return ended_.has_value(); }

 private:
  struct Request {  // not answered yet
    std::uint64_t exchange;
    std::uint64_t rid;
    bool lost;
    bosh::Time since;  // the first time this rid came
  };
  struct Letter {  // what the server said on one stream and nobody got
    bosh::StreamId stream;
    std::string text;
    bool end;
  };

  template <class Event>
  bool happens(Event&&);
  enum class Wish { nothing, pause, terminate, addition, closing };
  bool send(std::uint64_t rid, Wish wish = Wish::nothing);
  bool speaks(bosh::StreamId, std::string_view);
  bool lose(const Request*);
  bool end(bool at_once);
  const Request* open_request(std::uint64_t rid, bool alive) const;
  bool in_window(std::uint64_t rid) const;
  std::uint64_t lowest_never_sent() const;
  std::uint64_t highest_sent() const;

  bosh::Body body_of(std::uint64_t rid) const;
  Wish wish_of(std::uint64_t rid) const;
  bool names_the_first(std::uint64_t rid) const;
  std::string due_to_server(std::uint64_t rid) const;
  std::size_t queued_bytes() const;

  void carry_out(const bosh::Answer&, bool last_words);
  void server_gets(std::string_view);
  void others_get(const bosh::Forward&);
  void give_up(std::uint64_t rid);
  std::uint64_t next_unforwarded() const;
  void check_first_answer(const Request&, const std::string& body, bool last_words);
  void check_end(const bosh::Ended&) const;
  void check() const;

  Kind kind_;
  bosh::Time now_{std::chrono::hours(1)};
  bosh::Session session_;
  std::uint64_t exchanges_ = 0;
  std::vector<bool> sent_;                 // by rid
  std::vector<std::string> answered_;      // by rid; empty: not yet
  std::vector<Request> open_;              // oldest first
  std::vector<Letter> queued_;             // the oldest first
  std::map<std::uint64_t, Wish> wishes_;   // by rid
  std::vector<bosh::StreamId> extra_;      // open ones besides the first
  std::optional<bosh::StreamId> closing_;  // that of these which the client closes
  std::string also_;                       // what others got of the text that the first gets next
  std::uint64_t next_forward_;
  std::uint64_t next_answer_;
  bosh::Time last_data_{};
  bool header_told_ = false;
  bool features_told_ = false;
  bool room_ = true;
  bool reading_ = true;
  bool terminate_sent_ = false;
  std::uint64_t pause_ = 0;  // its rid
  std::uint64_t acked_ = 0;
  unsigned repeats_ = 0;  // since the last new request
  bool over_ = false;     // the server's side is
  bool ringing_ = false;
  bool faulty_ = false;
  // In this event somebody who is there was told …
  bool told_nothing_ = false;   // … nothing,
  bool told_terminal_ = false;  // … that it is the end.
  std::optional<bosh::End> ended_;
};

}  // namespace sim
