// `ws_echo --port N [--deflate]`: a WebSocket server of boshd's own connections that sends back what it gets,
// for conformance suites. Port 0 is any free one; it prints "listening PORT".
#include <charconv>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "src/handshake.hpp"
#include "src/http_request.hpp"
#include "src/listener.hpp"
#include "src/websocket.hpp"

using namespace boshd;

namespace {

constexpr std::size_t max_message = std::size_t{16} << 20U;

class Echo {
 public:
  Echo(std::uint16_t port, bool deflate)
      : listening_(open_listener({.port = port}, 1)),
        acceptor_(loop_, listening_.descriptors.front(),
                  [this](int descriptor, const Peer&) { new Visitor(*this, descriptor); }),
        timer_(loop_),
        scratch_(std::size_t{64} * 1024),
        host_{loop_,
              counters_,
              scratch_,
              max_message,
              std::chrono::seconds(30),
              std::chrono::seconds(30),
              [this](std::uint64_t id, const WebEvent& event) { on_event(id, event); }},
        deflate_(deflate) {}

  void run() {
    const std::string& address = listening_.address;
    std::cout << "listening " << address.substr(address.rfind(':') + 1) << std::endl;
    tick();
    loop_.run();
  }

 private:
  /// A connection until its handshake.
  class Visitor final : public Watcher {
   public:
    Visitor(Echo& echo, int descriptor) : echo_(echo), connection_(echo.loop_, descriptor) {
      if (!connection_.watch(*this)) return;
      connection_.set_reading(true);
    }
    void on_readable() override {
      if (greet()) delete this;
    }
    void on_writable() override { connection_.flush(); }

   private:
    /// Whether it is done with.
    bool greet() {
      const auto [outcome, bytes] = connection_.read(echo_.scratch_);
      if (outcome == Connection::Outcome::again) return false;
      if (outcome != Connection::Outcome::done) return true;
      const std::string_view got(echo_.scratch_.data(), bytes);
      const std::size_t used = reader_.read(got);
      if (reader_.state() == RequestReader::State::reading) return false;
      const bool whole = reader_.state() == RequestReader::State::complete;
      const HttpRequest& request = reader_.request();
      HttpContext context = make_context(request, {});
      context.keep_alive = false;
      const Handshake made =
          whole ? shake_hands(request, context, {}, {.xmpp = false, .compression = echo_.deflate_})
                : Handshake{simple_response(context, 400, {})};
      if (made.accepted) {
        echo_.begin(std::move(connection_), made, std::string(got.substr(used)));
        return true;
      }
      connection_.write(made.response);
      connection_.finish_writing();
      return true;
    }

    Echo& echo_;
    Connection connection_;
    RequestReader reader_{HttpLimits{}};
  };

  void begin(Connection&& connection, const Handshake& made, std::string&& rest) {
    const std::uint64_t id = ++last_id_;
    boost::intrusive_ptr<WebSocket> socket(new WebSocket(host_, std::move(connection), made.deflate_bits));
    sockets_.emplace(id, socket);
    socket->start(id, made.response, std::move(rest));
  }

  void on_event(std::uint64_t id, const WebEvent& event) {
    const boost::intrusive_ptr<WebSocket> socket = sockets_.at(id);
    if (const auto* message = std::get_if<WebMessage>(&event)) {
      socket->send(message->bytes, message->text);
      socket->flush();
    } else if (std::holds_alternative<WebStalled>(event)) {
      socket->close();
      sockets_.erase(id);
    } else if (const auto* violation = std::get_if<WebViolation>(&event)) {
      socket->leave(violation->code);  // it stays, to hear the peer's end
    } else if (std::holds_alternative<WebGone>(event)) {
      sockets_.erase(id);
    }
  }

  void tick() {
    timer_.start_in(std::chrono::seconds(1), [this] {
      for (const auto& [id, socket] : std::map(sockets_)) socket->on_time(std::chrono::steady_clock::now());
      tick();
    });
  }

  Loop loop_;
  Listening listening_;
  Acceptor acceptor_;
  Timer timer_;
  std::vector<char> scratch_;
  Counters counters_;
  WebSocketHost host_;
  bool deflate_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, boost::intrusive_ptr<WebSocket>> sockets_;
};

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  bool deflate = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--deflate") {
      deflate = true;
    } else if (word == "--port" && i + 1 < argc) {
      const std::string_view value = argv[++i];
      std::from_chars(value.data(), value.data() + value.size(), port);
    } else {
      std::cerr << "usage: ws_echo --port N [--deflate]\n";
      return 2;
    }
  }
  try {
    Echo(port, deflate).run();
  } catch (const std::exception& error) {
    std::cerr << "ws_echo: " << error.what() << "\n";
    return 1;
  }
}
