// The browser's side of a WebSocket: frames as raw bytes, and an XMPP stream on top.
#pragma once

#include <string>
#include <string_view>

#include "tests/integration/client.hpp"

namespace integration {

/// One frame of boshd's.
struct Frame {
  unsigned first = 0;  // FIN, RSV and the opcode
  std::string payload;

  bool is_close() const { return first == 0x88; }
  /// Of a Close frame; 0: it has none.
  unsigned code() const;
};

/// A masked frame. `first`: FIN, RSV and the opcode.
std::string client_frame(unsigned first, std::string_view payload);
std::string close_payload(unsigned code, std::string_view why = {});

inline constexpr std::string_view web_open =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>";
inline constexpr std::string_view web_close = R"(<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />)";

class WebClient {
 public:
  static constexpr std::string_view usual = "Sec-WebSocket-Protocol: xmpp\r\n";

  /// The request with these headers beside the necessary ones.
  static std::string request(std::string_view headers = usual);
  /// Shakes hands. `more` goes out behind the request, in the same bytes.
  explicit WebClient(const Daemon& daemon, std::string_view headers = usual, std::string_view more = {})
      : WebClient(daemon.port(), headers, more) {}
  explicit WebClient(std::uint16_t port, std::string_view headers = usual, std::string_view more = {});

  void send(std::string_view bytes) { wire.send(bytes); }
  void say(std::string_view message) { send(client_frame(0x81, message)); }
  Frame frame();
  /// The next message; a Close frame is "close" and its code, others their number.
  std::string hears();
  /// Everything up to the end of the connection, a line each.
  std::string hears_to_end();

  Wire wire;
  std::string handshake;  // boshd's answer
};

/// A client and the server's end of its stream, past the opening.
class WebSession {
 public:
  explicit WebSession(Bridge&);
  WebClient client;
  Wire server;
  std::string server_saw;  // the stream header
};

}  // namespace integration
