// XMPP servers inside the test: one that the test itself plays, and one that echoes.
#pragma once

#include <expat.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "tests/integration/wire.hpp"

namespace integration {

inline constexpr std::string_view features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism>"
    "</mechanisms></stream:features>";
inline constexpr std::string_view stream_end = "</stream:stream>";

/// The server's stream header.
std::string stream_start(std::string_view id = "stream-1", std::string_view from = "example.org");

/// Listens on a free port of 127.0.0.1 or on a Unix socket. The test accepts each connection and says on it
/// what a server would say.
class FakeServer {
 public:
  FakeServer() : FakeServer("127.0.0.1", 0) {}
  /// On another address of this machine; port 0 is a free one.
  FakeServer(const std::string& ip, std::uint16_t port);
  /// On a Unix socket: what one end has written the other can read at once, so such a server proves orders.
  explicit FakeServer(const std::string& path);

  /// As `upstream.server` wants it.
  const std::string& address() const { return address_; }
  std::uint16_t port() const { return port_; }
  /// The next connection.
  Wire accept() const;
  /// Whether a connection waits to be accepted.
  bool has_connection() const;
  int descriptor() const { return listener_.get(); }
  /// From now on connections are refused; the port stays taken, so that nobody else answers there.
  void stop();

 private:
  Descriptor listener_;
  std::string address_;
  std::uint16_t port_ = 0;
};

/// Reads boshd's stream header, up to its '>'.
std::string read_stream_start(Wire&);
/// The next message, whole, without declarations of jabber:client.
std::string read_message(Wire&);

/// Whether bytes that come in pieces are the start of a well-formed document, with namespaces.
class XmlCheck {
 public:
  XmlCheck();
  /// False from the first fault on. `last`: and it is whole.
  bool feed(std::string_view bytes, bool last = false);

 private:
  std::unique_ptr<XML_ParserStruct, void (*)(XML_ParserStruct*)> parser_;
};

/// Opens every stream and sends every message back, on a thread of its own. Sees to it that what boshd writes
/// on a stream is one well-formed document (rule: no input may open or close anything in the other side's
/// document).
class EchoServer {
 public:
  EchoServer();
  ~EchoServer();
  const std::string& address() const { return listener_.address(); }
  /// How many streams boshd has closed with a footer.
  unsigned footers() const { return footers_; }
  unsigned connections() const { return connections_; }
  /// How many streams were not well-formed.
  unsigned malformed() const { return malformed_; }

 private:
  struct Stream {
    Wire wire;
    XmlCheck check;
    std::string unread;
    bool opened = false;
  };
  void run();
  void take_connection();
  bool serve(Stream&);

  FakeServer listener_;
  Descriptor poller_;
  Descriptor stop_;
  std::map<int, Stream> streams_;
  std::atomic<unsigned> footers_ = 0;
  std::atomic<unsigned> connections_ = 0;
  std::atomic<unsigned> malformed_ = 0;
  std::thread thread_;
};

}  // namespace integration
