// One session on a clock that only the test moves, with what it answered, forwarded and said.
#pragma once

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bosh/session.hpp"
#include "src/sha1.hpp"

namespace tests {

using namespace std::chrono_literals;

struct Answered {
  std::uint64_t connection;
  std::string body;
  friend bool operator==(const Answered&, const Answered&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Answered& answered) {
  return out << answered.connection << ": " << answered.body;
}

/// Requests come on connections of their own, named by number. Each step's effects replace the last one's.
class Fixture {
 public:
  static constexpr std::uint64_t first_rid = 1000;
  static constexpr std::string_view features = "<stream:features><f/></stream:features>";

  Fixture() {
    settings.polling = 0s;  // most tests don't care how often a client asks
    settings.sha1 = boshd::sha1_hex;
  }

  bosh::Settings settings;
  bosh::Time now{1h};
  std::optional<bosh::Session> session;
  std::vector<Answered> answers;
  std::vector<std::optional<std::chrono::nanoseconds>> delays;  // of these answers; none: nothing of a server
  bosh::Taken taken{};                                          // of the latest request
  std::optional<std::chrono::nanoseconds> waited;               // the request that was lost just now
  std::string forwarded;
  std::vector<std::string> said;  // "restart", "read", "pause", in order
  std::optional<bosh::End> ended;
  std::string undelivered;

  /// The creation request, on connection 0.
  void create(bosh::Body body = {}) {
    body.rid = first_rid;
    session.emplace(settings, "sid", body, now);
    step([&](auto& effects) { session->on_request(now, arrival(0), std::move(body), effects); });
  }
  /// Created, the stream open, the creation answered a while ago.
  void open(bosh::Body body = {}) {
    create(std::move(body));
    upstream_open();
    upstream(features);
    now += 100ms;
  }
  /// With so many requests held: rids 1001…, connections 1….
  void open_holding(unsigned count, bosh::Body body = {}) {
    open(std::move(body));
    for (unsigned i = 1; i <= count; ++i) request(first_rid + i, i);
  }

  void request(std::uint64_t rid, std::uint64_t connection, std::string payload = {}) {
    bosh::Body body;
    body.rid = rid;
    body.sid = "sid";
    body.payload = std::move(payload);
    request(std::move(body), connection);
  }
  void request(bosh::Body body, std::uint64_t connection) {
    step([&](auto& effects) {
      taken = session->on_request(now, arrival(connection), std::move(body), effects);
    });
  }
  void terminate(std::uint64_t rid, std::uint64_t connection, std::string payload = {}) {
    bosh::Body body;
    body.rid = rid;
    body.terminate = true;
    body.payload = std::move(payload);
    request(std::move(body), connection);
  }
  void lose(std::uint64_t connection) {
    step([&](auto& effects) {
      const auto came = session->on_lost(now, {connection, 0}, effects);
      waited = came ? std::optional(now - *came) : std::nullopt;
    });
  }
  void upstream_open(std::string version = "1.0", bosh::StreamId stream = 0) {
    step([&](auto& effects) {
      session->on_upstream_open(now, stream, {"a.example", "id", std::move(version)}, effects);
    });
  }
  void upstream(std::string_view xml, bosh::StreamId stream = 0) {
    xml::Element element;
    element.bytes = xml;
    step([&](auto& effects) { session->on_upstream(now, stream, {&element, 1}, effects); });
  }
  void upstream_end(bosh::StreamId stream, bosh::Terminal terminal) {
    step([&](auto& effects) { session->on_upstream_end(now, stream, std::move(terminal), effects); });
  }
  void room(bool room) {
    step([&](auto& effects) { session->on_upstream_room(now, room, effects); });
  }
  void end(bosh::Terminal terminal, bool at_once = false) {
    step([&](auto& effects) { session->end(now, std::move(terminal), at_once, effects); });
  }
  void faulty(std::uint64_t rid, std::uint64_t connection) {
    step([&](auto& effects) {
      session->on_faulty_request({connection, 0}, rid, {bosh::Condition::bad_request, {}},
                                 bosh::End::bad_request, effects);
    });
  }
  /// on_time without need.
  void ring() {
    step([&](auto& effects) { session->on_time(now, effects); });
  }
  /// The clock goes on, and rings on the way as often as it has to.
  void advance(std::chrono::milliseconds by) {
    const bosh::Time until = now + by;
    answers.clear();
    delays.clear();
    while (!ended && session->deadline() <= until) {
      now = std::max(now, session->deadline());
      step([&](auto& effects) { session->on_time(now, effects); }, false);
      if (!ended) BOOST_REQUIRE(session->deadline() > now);
    }
    now = until;
  }

  bosh::Arrival arrival(std::uint64_t connection) const {
    bosh::Arrival made;
    made.exchange = {connection, 0};
    made.direct = direct;
    made.patience = patience;
    return made;
  }
  bool direct = true;
  std::chrono::seconds patience{1h};

 private:
  void note_end(const bosh::Ended& end) {
    ended = end.end;
    for (const bosh::Undelivered& left : end.undelivered) undelivered += left.stanzas;
  }
  void note_answer(const bosh::Answer& answer) {
    answers.push_back({answer.to.connection, text(answer.response)});
    delays.push_back(answer.since == bosh::Time{}
                         ? std::nullopt
                         : std::optional<std::chrono::nanoseconds>(now - answer.since));
  }
  /// An HTTP code stands for its body.
  static std::string text(const bosh::Response& response) {
    return response.body ? std::string(*response.body) : std::to_string(response.status);
  }

  template <class Step>
  void step(Step&& step, bool fresh = true) {
    BOOST_REQUIRE_MESSAGE(!ended, "an event after the end");
    bosh::Effects effects;
    step(effects);
    if (fresh) answers.clear();
    if (fresh) delays.clear();
    forwarded.clear();
    said.clear();
    for (const bosh::Effect& effect : effects) {
      BOOST_CHECK_MESSAGE(!ended, "an effect after the end");
      if (const auto* answer = std::get_if<bosh::Answer>(&effect))
        note_answer(*answer);
      else if (const auto* forward = std::get_if<bosh::Forward>(&effect))
        forwarded += (forward->stream ? std::to_string(forward->stream) + ':' : "") + forward->stanzas;
      else if (const auto* reading = std::get_if<bosh::Reading>(&effect))
        said.emplace_back(reading->on ? "read" : "pause");
      else if (const auto* end = std::get_if<bosh::Ended>(&effect))
        note_end(*end);
      else if (const auto* open = std::get_if<bosh::Open>(&effect))
        said.emplace_back("open " + std::to_string(open->stream) + " to " + open->to);
      else if (const auto* close = std::get_if<bosh::Close>(&effect))
        said.emplace_back("close " + std::to_string(close->stream));
      else if (const auto* missing = std::get_if<bosh::GaveUp>(&effect))
        said.emplace_back("gave up " + std::to_string(missing->rid));
      else if (const auto* restart = std::get_if<bosh::Restart>(&effect))
        said.emplace_back(restart->stream ? "restart " + std::to_string(restart->stream) : "restart");
    }
  }
};

inline std::string plain(std::string_view content = {}) {
  return std::string(*bosh::plain_reply(content));
}
inline std::string over(std::optional<bosh::Condition> condition = {}, std::string content = {}) {
  return std::string(*bosh::terminal_reply({condition, std::move(content)}));
}
inline const std::string repeated(*bosh::repeated_reply());

using Answers = std::vector<Answered>;

}  // namespace tests

#define CHECK_ANSWERS(fixture, ...)                                              \
  do {                                                                           \
    const ::tests::Answers expected __VA_ARGS__;                                 \
    BOOST_TEST((fixture).answers == expected, boost::test_tools::per_element()); \
  } while (false)
