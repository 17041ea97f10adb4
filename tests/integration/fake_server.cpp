#include "tests/integration/fake_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "tests/integration/client.hpp"

namespace integration {

namespace {

constexpr int backlog = 4096;

Descriptor listen_at(int family, const sockaddr* address, socklen_t size) {
  Descriptor listener(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(listener.get(), address, size) != 0 || ::listen(listener.get(), backlog) != 0)
    throw Failure("listen: " + std::string(std::strerror(errno)));
  return listener;
}

}  // namespace

std::string stream_start(std::string_view id, std::string_view from) {
  std::string out = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' ";
  out += "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='";
  out += std::string(id) + "' from='" + std::string(from) + "'>";
  return out;
}

FakeServer::FakeServer(const std::string& ip, std::uint16_t port) {
  sockaddr_storage address{};
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address);
  const bool is_v4 = ::inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) != 1) throw Failure("no address: " + ip);
  plain->sa_family = is_v4 ? AF_INET : AF_INET6;
  v4->sin_port = htons(port);  // where that of IPv6 is, too
  socklen_t size = is_v4 ? sizeof *v4 : sizeof *v6;
  listener_ = listen_at(plain->sa_family, plain, size);
  ::getsockname(listener_.get(), plain, &size);
  port_ = ntohs(v4->sin_port);
  address_ = (is_v4 ? ip : "[" + ip + "]") + ":" + std::to_string(port_);
}

FakeServer::FakeServer(const std::string& path) : address_("unix:" + path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Failure("too long for a socket: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  listener_ = listen_at(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address);
}

Wire FakeServer::accept() const {
  if (!wait_readable(listener_.get())) throw Failure("boshd does not connect to the server");
  return Wire(Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

bool FakeServer::has_connection() const {
  return is_readable(listener_.get());
}

void FakeServer::stop() {
  ::shutdown(listener_.get(), SHUT_RDWR);
}

std::string read_stream_start(Wire& wire) {
  std::string start = wire.read_until("<stream:stream ");
  return start + wire.read_until(">");
}

std::string read_message(Wire& wire) {
  return without_namespace(wire.read_until("</message>"));
}

XmlCheck::XmlCheck() : parser_(XML_ParserCreateNS("UTF-8", '\x01'), XML_ParserFree) {}

bool XmlCheck::feed(std::string_view bytes, bool last) {
  return XML_Parse(parser_.get(), bytes.data(), static_cast<int>(bytes.size()), last) == XML_STATUS_OK;
}

EchoServer::EchoServer() : poller_(::epoll_create1(EPOLL_CLOEXEC)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  rlimit descriptors{};  // each stream takes one
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
  for (const int descriptor : {listener_.descriptor(), stop_.get()}) {
    epoll_event event{EPOLLIN, {.fd = descriptor}};
    ::epoll_ctl(poller_.get(), EPOLL_CTL_ADD, descriptor, &event);
  }
  thread_ = std::thread([this] { run(); });
}

EchoServer::~EchoServer() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

void EchoServer::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = ::epoll_wait(poller_.get(), events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
      if (descriptor == stop_.get()) return;
      if (descriptor == listener_.descriptor())
        take_connection();
      else if (!serve(streams_.at(descriptor)))
        streams_.erase(descriptor);
    }
  }
}

void EchoServer::take_connection() {
  Wire wire = listener_.accept();
  const int descriptor = wire.descriptor();
  epoll_event event{EPOLLIN, {.fd = descriptor}};
  ::epoll_ctl(poller_.get(), EPOLL_CTL_ADD, descriptor, &event);
  streams_[descriptor].wire = std::move(wire);
  ++connections_;
}

/// False when the stream is over.
bool EchoServer::serve(Stream& stream) {
  const auto bytes = stream.wire.read_available();
  if (!bytes) return false;
  if (!stream.check.feed(*bytes)) {
    ++malformed_;
    return false;
  }
  stream.unread += *bytes;
  std::string reply;
  const auto take_to = [&](std::string_view mark) {
    const auto found = stream.unread.find(mark);
    if (found == std::string::npos) return std::string();
    std::string taken = stream.unread.substr(0, found + mark.size());
    stream.unread.erase(0, taken.size());
    return taken;
  };
  if (!stream.opened && !take_to("<stream:stream ").empty() && !take_to(">").empty()) {
    stream.opened = true;
    reply = stream_start() + std::string(features);
  }
  for (std::string text = take_to("</message>"); !text.empty(); text = take_to("</message>")) reply += text;
  const bool over = stream.unread.ends_with(stream_end);
  if (over) {
    ++footers_;
    reply += stream_end;
  }
  try {
    stream.wire.send(reply);
  } catch (const Failure&) {  // boshd dropped it
    return false;
  }
  return !over;
}

}  // namespace integration
