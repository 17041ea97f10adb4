// A world under one seed: a client, the network, boshd's session and an XMPP server, on a clock that jumps
// from event to event. Everything that happens is drawn from the seed, so the seed alone brings a run back.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "bosh/session.hpp"
#include "xmpp/stream.hpp"

namespace sim {

using bosh::Time;
using Duration = std::chrono::milliseconds;

/// A rule that was broken; what() tells which, the log how it came to it.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How a client behaves when an answer fails to come, and what it asks for.
struct Manners {
  std::string name;
  unsigned hold;
  unsigned in_flight;                 // requests open at most
  bool keeps_window;                  // no rid further on than `requests`, not only no more open
  bool polls_apart;                   // one channel sends, another polls
  std::vector<Duration> retry_after;  // pauses before it repeats a rid; the last one again and again
  bool reloads;                       // its page may reload: connections die, the rid goes on
};
Manners strophe_manners();
Manners stanza_manners();

struct Faults {
  double lose_request = 0;
  double lose_answer = 0;
  double reset = 0;      // the connection of a held request dies, and boshd sees it
  double reload = 0;     // chance at each stanza of the server
  double stall = 0;      // the server takes nothing for a while; chance at each stanza of the client
  Duration slowest{20};  // a message takes up to this long
};

struct Outcome {
  std::uint64_t events = 0;
  bool overtaken = false;                 // a stanza arrived before an earlier one
  std::uint64_t lost_to_a_dead_page = 0;  // answers that were on their way to a page that had gone unseen
};

/// Runs one schedule to its end: both sides have all stanzas, or a rule is broken. `log` gets a line an
/// event.
class World {
 public:
  World(std::uint64_t seed, Manners, Faults, unsigned stanzas, std::vector<std::string>* log = nullptr);
  Outcome run();

 private:
  struct Request {
    std::uint64_t rid;
    std::string payload;  // as the client wrote it
    unsigned tries = 0;
    std::uint64_t exchange = 0;  // of the latest try; 0: between two tries
    bool polling = false;
  };
  struct Server {
    unsigned sent = 0;
    unsigned got = 0;
  };

  void at(Duration in, std::function<void()>);
  void note(const std::string&);
  bool chance(double);
  Duration some(Duration most);

  // The client.
  void client_step();
  void transmit(Request&);
  void retry_later(std::uint64_t rid, std::uint64_t exchange);
  void client_hears(std::uint64_t exchange, std::uint64_t rid, const std::string& body);
  void hand_up(const std::string& body);
  void reload();
  void excuse(const std::string& body);

  // The network and boshd.
  void boshd_gets(std::uint64_t exchange, const Request&);
  void boshd_sees_loss(std::uint64_t exchange);
  void apply(bosh::Effects&);
  void ring();
  void check();

  // The server.
  void server_speaks();
  void server_writes(const std::string& bytes);
  void server_stalls();
  void server_gets(const std::string& stanzas);

  std::mt19937_64 random_;
  Manners manners_;
  Faults faults_;
  unsigned stanzas_;
  std::vector<std::string>* log_;
  bosh::Settings settings_;
  Duration wait_{};
  Time now_{std::chrono::hours(1)};
  std::multimap<Time, std::function<void()>> events_;
  Outcome outcome_;

  std::optional<bosh::Session> session_;
  std::optional<bosh::End> ended_;
  std::uint64_t last_exchange_ = 0;
  std::map<std::uint64_t, std::uint64_t> open_;  // exchange → rid, as boshd has them
  std::map<std::uint64_t, Time> received_;       // when boshd got each
  std::set<std::uint64_t> reported_lost_;
  Server server_;
  bool reading_ = true;
  bool room_ = true;
  xml::Pool pool_{1, 1};
  xml::Batch batch_;
  inline static const xml::Limits limits_;
  xmpp::Stream stream_{"a", "", limits_};

  std::uint64_t next_rid_ = 0;
  unsigned requests_ = 2;                       // the window
  std::vector<Request> waiting_;                // the client's, in rid order
  std::map<std::uint64_t, std::string> heard_;  // answers that wait for those of lower rids
  std::uint64_t next_answer_ = 0;
  Time page_ready_{};
  std::uint64_t first_valid_exchange_ = 0;  // those before belong to a dead page
  unsigned sent_ = 0;                       // what the user has written so far …
  unsigned next_client_stanza_ = 0;         // … and what of it went into requests
  unsigned heard_stanzas_ = 0;
  unsigned arrived_ = 0;  // the next stanza by order of arrival
  std::set<std::uint64_t> arrived_rids_;
  std::list<std::string> under_way_;  // answers that have left boshd
  std::set<unsigned> excused_;        // stanzas that were answered to a dead page
};

}  // namespace sim
