// `ws_echo --port N [--deflate]`: a WebSocket server of boshd's own connections that sends back what it gets,
// for conformance suites. Port 0 is any free one; it prints "listening PORT".
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "src/handshake.hpp"
#include "src/http_request.hpp"
#include "src/websocket.hpp"

using namespace boshd;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t max_message = std::size_t{16} << 20U;

class Echo {
 public:
  Echo(std::uint16_t port, bool deflate)
      : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), port)),
        timer_(io_),
        scratch_(std::size_t{64} * 1024),
        host_{io_,
              scratch_,
              max_message,
              std::chrono::seconds(30),
              std::chrono::seconds(30),
              [this](std::uint64_t id, const WebEvent& event) { on_event(id, event); }},
        deflate_(deflate) {}

  void run() {
    std::cout << "listening " << acceptor_.local_endpoint().port() << std::endl;
    accept();
    tick();
    io_.run();
  }

 private:
  struct Visitor {
    std::unique_ptr<Connection> connection;
    RequestReader reader{HttpLimits{}};
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (!error) {
        auto visitor = std::make_shared<Visitor>();
        visitor->connection = std::make_unique<Connection>(Connection::Socket(std::move(socket)));
        wait(visitor);
      }
      accept();
    });
  }

  void wait(const std::shared_ptr<Visitor>& visitor) {
    visitor->connection->when_readable([this, visitor](boost::system::error_code error) {
      if (!error) greet(visitor);
    });
  }

  void greet(const std::shared_ptr<Visitor>& visitor) {
    const auto [outcome, bytes] = visitor->connection->read(scratch_);
    if (outcome == Connection::Outcome::again) return wait(visitor);
    if (outcome != Connection::Outcome::done) return;
    const std::string_view got(scratch_.data(), bytes);
    const std::size_t used = visitor->reader.read(got);
    if (visitor->reader.state() == RequestReader::State::reading) return wait(visitor);
    const bool whole = visitor->reader.state() == RequestReader::State::complete;
    const HttpRequest& request = visitor->reader.request();
    HttpContext context = make_context(request, {});
    context.keep_alive = false;
    const Handshake made = whole ? shake_hands(request, context, {}, {.xmpp = false, .compression = deflate_})
                                 : Handshake{simple_response(context, 400, {})};
    if (!made.accepted) {
      visitor->connection->write(made.response);
      return visitor->connection->finish_writing();
    }
    const std::uint64_t id = ++last_id_;
    boost::intrusive_ptr<WebSocket> socket(
        new WebSocket(host_, std::move(*visitor->connection), made.deflate_bits));
    sockets_.emplace(id, socket);
    socket->start(id, made.response, std::string(got.substr(used)));
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
      socket->leave(violation->code);
      sockets_.erase(id);
    } else if (std::holds_alternative<WebGone>(event)) {
      sockets_.erase(id);
    }
  }

  void tick() {
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait([this](boost::system::error_code) {
      for (const auto& [id, socket] : std::map(sockets_)) socket->on_time(std::chrono::steady_clock::now());
      tick();
    });
  }

  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  std::vector<char> scratch_;
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
