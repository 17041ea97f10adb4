// A fake XMPP server for the benchmark: lets anybody in by SASL ANONYMOUS, then sends every byte back. It
// does next to nothing for a stanza and keeps some sixty bytes for a session, so that it is never what is
// measured.
//
//   bench_server [PORT]     prints the port it listens on
//
// A stanza with <push rate='N'/> in it makes it send N stanzas a second on each stream that has asked for it;
// each says when it was written.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/net.hpp"

namespace bench {
namespace {

constexpr std::string_view header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' "
    "id='bench' from='bench.local' version='1.0'>";
constexpr std::string_view login_features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>"
    "</mechanisms></stream:features>";
constexpr std::string_view bind_features =
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";
constexpr std::string_view success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
constexpr std::string_view bound =
    "<iq type='result' id='bind'><bind "
    "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>someone@bench.local/bench</jid>"
    "</bind></iq>";

/// What a client says in its login, one after the other, and what it gets for it.
struct Step {
  std::string_view awaited;
  std::string_view end;  // of what is awaited
  std::string_view answer;
};
constexpr std::array login{Step{"<stream:stream", ">", login_features}, Step{"<auth", ">", success},
                           Step{"<stream:stream", ">", bind_features}, Step{"<bind", "</iq>", bound}};

class Stream;
std::vector<char> buffer(256 * 1024);
std::vector<Stream*> pushed;
std::uint64_t push_rate = 0;

class Stream final : public Handler {
 public:
  explicit Stream(int descriptor) : descriptor_(descriptor) {}

  void on_event(std::uint32_t) override {
    if (unsent_ && !flush()) return;
    ssize_t got = 0;
    do {
      got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return close();
      take({buffer.data(), static_cast<std::size_t>(got)});
    } while (static_cast<std::size_t>(got) == buffer.size());
  }

  void write(std::string_view bytes) {
    if (unsent_) {
      *unsent_ += bytes;
      return;
    }
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return;
    unsent_ = std::make_unique<std::string>(bytes.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent)));
  }

 private:
  void take(std::string_view bytes) {
    if (step_ < login.size()) return log_in(bytes);
    write(bytes);
    if (bytes.find("<push") == bytes.npos) return;
    push_rate = number_in(between(bytes, "rate='", "'"));
    pushed.push_back(this);
  }

  void log_in(std::string_view bytes) {
    if (!partial_) partial_ = std::make_unique<std::string>();
    *partial_ += bytes;
    const Step& step = login[step_];
    const auto begin = partial_->find(step.awaited);
    if (begin == partial_->npos || partial_->find(step.end, begin) == partial_->npos) return;
    partial_.reset();
    const bool opens = step.awaited == "<stream:stream";
    write(std::string(opens ? header : "") + std::string(step.answer));
    ++step_;
  }

  bool flush() {
    const std::string rest = std::move(*unsent_);
    unsent_.reset();
    write(rest);
    return !unsent_;
  }

  void close() {
    std::erase(pushed, this);
    ::close(descriptor_);
    delete this;
  }

  int descriptor_;
  unsigned step_ = 0;
  std::unique_ptr<std::string> partial_;  // of the login
  std::unique_ptr<std::string> unsent_;
};

class Listener final : public Handler {
 public:
  Listener(Loop& loop, int descriptor) : loop_(loop), descriptor_(descriptor) {}
  void on_event(std::uint32_t) override {
    for (int peer = accept_from(descriptor_); peer >= 0; peer = accept_from(descriptor_))
      loop_.add(peer, EPOLLIN | EPOLLOUT | EPOLLET, *new Stream(peer));
  }

 private:
  Loop& loop_;
  int descriptor_;
};

/// Sends what is due, spread over the streams.
class Pusher final : public Handler {
 public:
  explicit Pusher(Loop& loop) : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    const timespec tick{0, 1'000'000};
    const itimerspec each{tick, tick};
    ::timerfd_settime(timer_, 0, &each, nullptr);
    loop.add(timer_, EPOLLIN, *this);
  }
  void on_event(std::uint32_t) override {
    std::uint64_t ticks = 0;
    if (::read(timer_, &ticks, sizeof ticks) != sizeof ticks || pushed.empty()) return;
    due_ += static_cast<double>(ticks) * static_cast<double>(push_rate * pushed.size()) / 1000.0;
    for (; due_ >= 1; due_ -= 1) push_next();
  }

 private:
  void push_next() {
    if (next_ >= pushed.size()) {
      next_ = 0;
      ++round_;
    }
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
    pushed[next_++]->write("<message from='bench.local' id='bench-" + std::to_string(round_) + "' at='" +
                           std::to_string(now.count()) +
                           "'><body>A sentence of the length that people write.</body></message>");
  }
  int timer_;
  double due_ = 0;
  std::size_t next_ = 0;
  std::uint64_t round_ = 0;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  Loop loop;
  const int descriptor = listen_on(argc > 1 ? static_cast<std::uint16_t>(std::atoi(argv[1])) : 0);
  Listener listener(loop, descriptor);
  loop.add(descriptor, EPOLLIN, listener);
  const Pusher pusher(loop);
  std::cout << "listening on " << port_of(descriptor) << std::endl;
  loop.run();
}
