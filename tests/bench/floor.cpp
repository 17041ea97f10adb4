// The floor of the benchmark: a relay between HTTP or WebSocket and XMPP streams that does the system calls
// and next to nothing else. It believes whatever it gets, parses no XML, forgets nobody, and knows only what
// bench_load says. What boshd costs is told in multiples of it.
//
//   bench_floor SERVER_PORT     prints the port it listens on
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/net.hpp"

namespace bench {
namespace {

constexpr std::string_view stream_header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='bench.local' "
    "version='1.0'>";
constexpr std::string_view response_head =
    "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/xml; charset=utf-8\r\n"
    "Cache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: ";
constexpr std::string_view body_start = "<body xmlns='http://jabber.org/protocol/httpbind'>";
constexpr std::string_view body_end = "</body>";
constexpr std::string_view upgraded =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Protocol: xmpp\r\nSec-WebSocket-Accept: bench\r\n\r\n";

class Client;
class Upstream;
Loop loop;
std::uint16_t server_port = 0;
std::vector<char> buffer(256 * 1024);
std::vector<Upstream*> sessions;

void write_all(int descriptor, std::string_view first, std::string_view second = {},
               std::string_view third = {}) {
  std::array<iovec, 3> pieces{};
  std::size_t total = 0;
  for (std::size_t i = 0; const std::string_view piece : {first, second, third}) {
    pieces[i++] = {const_cast<char*>(piece.data()), piece.size()};
    total += piece.size();
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  const ssize_t sent = ::sendmsg(descriptor, &message, MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(total) && errno != EPIPE && errno != ECONNRESET)
    fail("the floor only knows loads whose writes never block");
}

/// What has come; empty at the end.
std::span<char> read_some(int descriptor) {
  const ssize_t got = ::recv(descriptor, buffer.data(), buffer.size(), 0);
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// The XMPP side of a session, and the requests that wait.
class Upstream final : public Handler {
 public:
  explicit Upstream(Client* web = nullptr) : descriptor_(connect_to(server_port)), web_(web) {
    loop.add(descriptor_, EPOLLIN, *this);
    pollfd ready{descriptor_, POLLOUT, 0};
    ::poll(&ready, 1, -1);
    write(stream_header);
  }
  void on_event(std::uint32_t) override;
  void write(std::string_view bytes) { write_all(descriptor_, bytes); }
  void hold(Client*);
  void lose(Client*);
  void end() { ::close(std::exchange(descriptor_, -1)); }

 private:
  void answer_oldest(std::string_view content);

  int descriptor_;
  Client* web_;
  std::array<Client*, 4> held_{};
  unsigned holds_ = 0;
  std::string waiting_;
};

class Client final : public Handler {
 public:
  explicit Client(int descriptor) : descriptor_(descriptor) {}
  void on_event(std::uint32_t) override {
    if (descriptor_ < 0) return;
    const std::span<char> bytes = read_some(descriptor_);
    if (bytes.empty()) return close();
    if (web_)
      take_frames(bytes);
    else
      take_request({bytes.data(), bytes.size()});
  }
  void answer(std::string_view content) const {
    const std::string size = std::to_string(body_start.size() + content.size() + body_end.size());
    std::array<char, 512> head;
    char* at = head.data();
    for (const std::string_view piece :
         {response_head, std::string_view(size), std::string_view("\r\n\r\n"), body_start})
      at = std::copy(piece.begin(), piece.end(), at);
    write_all(descriptor_, {head.data(), static_cast<std::size_t>(at - head.data())}, content, body_end);
  }
  void send_frame(std::string_view text) const {
    std::array<char, 4> head{static_cast<char>(0x81), static_cast<char>(text.size())};
    if (text.size() > 125) {
      head[1] = 126;
      head[2] = static_cast<char>(text.size() >> 8U);
      head[3] = static_cast<char>(text.size() & 0xffU);
    }
    write_all(descriptor_, {head.data(), text.size() > 125 ? 4UL : 2UL}, text);
  }

 private:
  void take_request(std::string_view request);
  void take_frames(std::span<char> bytes);
  void close();

  int descriptor_;
  bool web_ = false;
  Upstream* session_ = nullptr;
};

void Upstream::on_event(std::uint32_t) {
  const std::span<char> bytes = read_some(descriptor_);
  const std::string_view text(bytes.data(), bytes.size());
  if (text.empty()) {
    end();
  } else if (web_) {
    web_->send_frame(text);
  } else if (holds_ > 0) {
    answer_oldest(text);
  } else {
    waiting_ += text;
  }
}

void Upstream::answer_oldest(std::string_view content) {
  const Client* oldest = held_[0];
  std::copy(held_.begin() + 1, held_.begin() + holds_--, held_.begin());
  oldest->answer(content);
}

void Upstream::hold(Client* client) {
  held_[holds_++] = client;
  if (!waiting_.empty())
    answer_oldest(std::exchange(waiting_, {}));
  else if (holds_ > 1)
    answer_oldest({});
}

void Upstream::lose(Client* client) {
  const auto end = std::remove(held_.begin(), held_.begin() + holds_, client);
  holds_ = static_cast<unsigned>(end - held_.begin());
}

void Client::take_request(std::string_view request) {
  const auto at = request.find("\r\n\r\n");
  if (at == request.npos) fail("the floor only knows requests that come in one piece");
  if (request.starts_with("GET")) {
    web_ = true;
    return write_all(descriptor_, upgraded);
  }
  const std::string_view body = request.substr(at + 4);
  const std::string_view sid = between(body, " sid='", "'");
  if (sid.empty()) {
    session_ = new Upstream;
    sessions.push_back(session_);
    return answer("<created sid='" + std::to_string(sessions.size() - 1) + "'/>");
  }
  if (!session_) session_ = sessions[number_in(sid)];
  const auto tag_end = body.find('>');
  if (body.substr(0, tag_end).find("xmpp:restart") != body.npos)
    session_->write(stream_header);
  else if (body[tag_end - 1] != '/')
    session_->write(body.substr(tag_end + 1, body.size() - tag_end - 1 - body_end.size()));
  if (body.substr(0, tag_end).find("terminate") != body.npos) return answer({});
  session_->hold(this);
}

/// One after the other, each whole: what bench_load writes at once arrives at once here.
void Client::take_frames(std::span<char> bytes) {
  while (!bytes.empty()) {
    std::size_t size = static_cast<unsigned char>(bytes[1]) & 0x7fU;
    std::size_t head = 2;
    if (size == 126) {
      size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[2])) << 8U |
             static_cast<unsigned char>(bytes[3]);
      head = 4;
    }
    if (bytes.size() < head + 4 + size) fail("the floor only knows frames that come in one piece");
    const std::span<char> payload = bytes.subspan(head + 4, size);
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ bytes[head + i % 4]);
    bytes = bytes.subspan(head + 4 + size);
    const std::string_view text(payload.data(), size);
    if (!session_)
      session_ = new Upstream(this);
    else
      session_->write(text.starts_with("<open") ? stream_header : text);
  }
}

void Client::close() {
  ::close(std::exchange(descriptor_, -1));
  if (session_ && web_) session_->end();
  if (session_ && !web_) session_->lose(this);
}

class Listener final : public Handler {
 public:
  explicit Listener(int descriptor) : descriptor_(descriptor) {}
  void on_event(std::uint32_t) override {
    for (int peer = accept_from(descriptor_); peer >= 0; peer = accept_from(descriptor_))
      loop.add(peer, EPOLLIN, *new Client(peer));
  }

 private:
  int descriptor_;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  if (argc != 2) fail("usage: bench_floor SERVER_PORT");
  server_port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const int descriptor = listen_on(0);
  Listener listener(descriptor);
  loop.add(descriptor, EPOLLIN, listener);
  std::cout << "listening on " << port_of(descriptor) << std::endl;
  loop.run();
}
