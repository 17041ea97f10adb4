// What the parts on a stanza's way cost by themselves, without sockets: nanoseconds, heap allocations and
// allocated bytes of one operation. The parsers, the stream and the sessions are here, HTTP and WebSocket
// frames in micro_wire.cpp.
//
//   cmake --preset release -DBOSHD_TESTS=ON && cmake --build --preset release --target bench_micro
//   build/release/tests/bench/bench_micro --benchmark_counters_tabular=true
//   build/release/tests/bench/bench_micro --benchmark_filter=stream --benchmark_min_time=0.1
//
// Compare times of one quiet machine only; the counters are the same on each. Debian's library warns that it
// was built as DEBUG: the loop that is measured is in its header, and built here.
#include "tests/bench/micro.hpp"

#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "bosh/body.hpp"
#include "bosh/session.hpp"
#include "websocket/session.hpp"
#include "xml/splitter.hpp"
#include "xmpp/names.hpp"
#include "xmpp/stream.hpp"

namespace {

using namespace std::chrono_literals;
using bench::measure;

constexpr std::string_view stream_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='2f6a0c9d-5b1e' from='example.org' version='1.0' "
    "xml:lang='en'>";

// --- xml::Splitter ---

/// Streams from a server that speak in turn, and the pool of their thread.
class Streams {
 public:
  explicit Streams(std::size_t count) {
    options_.inherit_language = true;
    options_.language_ns = xmpp::content_ns;
    options_.language = "en";
    for (std::size_t i = 0; i < count; ++i)
      splitters_.emplace_back().feed(pool_, options_, stream_header, batch_);
  }
  /// The next one says this; how many elements that were.
  std::size_t say(std::string_view bytes) {
    splitters_[next_].feed(pool_, options_, bytes, batch_);
    if (++next_ == splitters_.size()) next_ = 0;
    return batch_.elements.size();
  }

 private:
  xml::Options options_;
  xml::Pool pool_{1};
  xml::Batch batch_;
  std::vector<xml::Splitter> splitters_;
  std::size_t next_ = 0;
};

void say_over_and_over(benchmark::State& state, std::size_t streams, std::string_view bytes,
                       std::size_t elements) {
  Streams server(streams);
  measure(state, [&] { return server.say(bytes) == elements; });
}

void stream_at_work(benchmark::State& state) {
  say_over_and_over(state, 1, bench::server_message, 1);
}
BENCHMARK(stream_at_work);

void stream_at_work_four_in_a_read(benchmark::State& state) {
  std::string four;
  for (int i = 0; i < 4; ++i) four += bench::server_message;
  say_over_and_over(state, 1, four, 4);
}
BENCHMARK(stream_at_work_four_in_a_read);

void stream_at_work_20_kilobytes(benchmark::State& state) {
  const std::string text(20'000, 'x');
  say_over_and_over(state, 1, "<message from='juliet@example.org'><body>" + text + "</body></message>", 1);
}
BENCHMARK(stream_at_work_20_kilobytes);

/// More streams than the pool keeps warm, so that each finds its parser gone to another.
void stream_at_rest(benchmark::State& state) {
  constexpr std::size_t more_than_warm = 192;
  say_over_and_over(state, more_than_warm, bench::server_message, 1);
}
BENCHMARK(stream_at_rest);

// --- bosh::parse_body ---

void parse(benchmark::State& state, const std::string& body) {
  xml::Pool pool(1);
  const xml::Limits limits;
  measure(state, [&] { return bosh::parse_body(pool, body, limits).fault.empty(); });
}

void body_of_a_poll(benchmark::State& state) {
  parse(state, bench::strophe_body({}));
}
BENCHMARK(body_of_a_poll);

void body_with_message(benchmark::State& state) {
  parse(state, bench::strophe_body(bench::client_message));
}
BENCHMARK(body_with_message);

void body_that_creates(benchmark::State& state) {
  parse(state,
        "<body rid='1573741819' xmlns='http://jabber.org/protocol/httpbind' to='example.org' xml:lang='en' "
        "wait='60' hold='1' content='text/xml; charset=utf-8' ver='1.6' xmpp:version='1.0' "
        "xmlns:xmpp='urn:xmpp:xbosh'/>");
}
BENCHMARK(body_that_creates);

// --- xmpp::Stream ---

/// A stream to a server that knows its client, and what was read of it last.
struct Server {
  xml::Pool pool{1};
  xml::Batch batch;
  xml::Limits limits;
  xmpp::Stream stream{"example.org", "en", limits};

  Server() {
    constexpr std::string_view features =
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";
    stream.open();
    say(std::string(stream_header) + std::string(features));
    say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    stream.restart("en");
    say(std::string(stream_header) + std::string(features));
  }
  /// How many elements of it are for the client.
  std::size_t say(std::string_view bytes) { return stream.receive(pool, bytes, batch).elements.size(); }
};

void stream_receives_message(benchmark::State& state) {
  Server server;
  measure(state, [&] { return server.say(bench::server_message) == 1 && server.stream.authenticated(); });
}
BENCHMARK(stream_receives_message);

void stream_sends_message(benchmark::State& state) {
  Server server;
  std::string message(bench::client_message);
  measure(state, [&] {
    message = server.stream.send(std::move(message));
    return message.size() == bench::client_message.size();
  });
}
BENCHMARK(stream_sends_message);

// --- bosh::Session ---

bosh::Body creation() {
  bosh::Body body;
  body.rid = 1;
  body.version = bosh::own_version;
  body.hold = 1;
  return body;
}

/// A session after the login of its client. Its clock goes on by a millisecond with each request.
class Bosh {
 public:
  Bosh() {
    server_.say(bench::server_message);
    session_.on_request(now_, {}, creation(), effects_);
    session_.on_upstream_open(now_, 0, {"example.org", "2f6a0c9d-5b1e", "1.0"}, effects_);
    echo();
  }
  /// A request with a message, or none.
  void ask(std::uint64_t connection, bool with_message) {
    bosh::Body body;
    body.rid = ++rid_;
    body.sid = "s";  // its owner has read it; the session only asks whether there is one
    body.talks = with_message;
    if (with_message) body.payload = std::move(message_);
    bosh::Arrival arrival;
    arrival.exchange = {connection, static_cast<std::uint32_t>(rid_)};
    session_.on_request(now_ += 1ms, arrival, std::move(body), effects_);
  }
  void echo() { session_.on_upstream(now_, 0, server_.batch.elements, effects_); }
  /// How many effects there were. The message goes round: what came out is what the client says next, so that
  /// its bytes are not counted as the session's.
  std::size_t apply() {
    for (bosh::Effect& effect : effects_)
      if (auto* forward = std::get_if<bosh::Forward>(&effect)) message_ = std::move(forward->stanzas);
    const std::size_t count = effects_.size();
    effects_.clear();
    return count;
  }
  std::size_t held() const { return session_.held(); }

 private:
  Server server_;
  bosh::Settings settings_;
  bosh::Time now_{1h};
  bosh::Session session_{settings_, std::string(bench::sid), creation(), now_};
  bosh::Effects effects_;
  std::uint64_t rid_ = 1;
  std::string message_{bench::client_message};
};

/// A poll is held; the message makes way for itself, its echo is answered, and the client polls again.
void bosh_echo_on_two_requests(benchmark::State& state) {
  Bosh bosh;
  bosh.ask(0, false);
  bosh.apply();
  measure(state, [&] {
    bosh.ask(1, true);
    bosh.echo();
    bosh.ask(0, false);
    return bosh.apply() == 3 && bosh.held() == 1;
  });
}
BENCHMARK(bosh_echo_on_two_requests);

/// Nothing is held until the message comes, whose own answer brings the echo.
void bosh_echo_on_one_request(benchmark::State& state) {
  Bosh bosh;
  bosh.apply();
  measure(state, [&] {
    bosh.ask(0, true);
    bosh.echo();
    return bosh.apply() == 2 && bosh.held() == 0;
  });
}
BENCHMARK(bosh_echo_on_one_request);

// --- websocket::Session ---

/// A session that is open, and what is there for it from its server.
struct Web {
  Server server;
  websocket::Settings settings;
  websocket::Time now{1h};
  xml::Pool pool{1};
  websocket::Session session{settings, std::string(bench::sid), now};
  websocket::Effects effects;

  Web() {
    server.say(bench::server_message);
    hear("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>");
    session.on_upstream_open({"example.org", "2f6a0c9d-5b1e", "1.0", "en"}, effects);
    echo();
  }
  void hear(std::string_view message) { session.on_message(now, pool, message, effects); }
  void echo() { session.on_upstream(server.batch.elements, effects); }
  std::size_t apply() {
    const std::size_t count = effects.size();
    effects.clear();
    return count;
  }
};

void websocket_message_in(benchmark::State& state) {
  Web web;
  web.apply();
  measure(state, [&] {
    web.hear(bench::client_message);
    return web.apply() == 1;
  });
}
BENCHMARK(websocket_message_in);

void websocket_element_out(benchmark::State& state) {
  Web web;
  web.apply();
  measure(state, [&] {
    web.echo();
    return web.apply() == 1;
  });
}
BENCHMARK(websocket_element_out);

}  // namespace

BENCHMARK_MAIN();
