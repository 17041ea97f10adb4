#include "tests/integration/web_client.hpp"

#include <array>

namespace integration {

namespace {

constexpr std::array<char, 4> mask{'\x37', '\xfa', '\x21', '\x3d'};

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

void append_number(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned shift = bytes * 8; shift > 0; shift -= 8)
    out += static_cast<char>(value >> (shift - 8) & 0xffU);
}

}  // namespace

unsigned Frame::code() const {
  return payload.size() < 2 ? 0 : static_cast<unsigned>(big_endian(payload.substr(0, 2)));
}

std::string client_frame(unsigned first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  const bool small = payload.size() < 126;
  const bool middling = payload.size() <= 0xffff;
  out += static_cast<char>(0x80U | (small ? payload.size() : middling ? 126U : 127U));
  if (!small) append_number(out, payload.size(), middling ? 2 : 8);
  out.append(mask.data(), mask.size());
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
  return out;
}

std::string close_payload(unsigned code, std::string_view why) {
  std::string out;
  append_number(out, code, 2);
  return out + std::string(why);
}

std::string WebClient::request(std::string_view headers) {
  std::string out = "GET /xmpp-websocket HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n";
  out += "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  out += "Sec-WebSocket-Key: EBESExQVFhcYGRobHB0eHw==\r\n";
  return out + std::string(headers) + "\r\n";
}

WebClient::WebClient(std::uint16_t port, std::string_view headers, std::string_view more)
    : wire(Wire::connect(port)) {
  wire.send(request(headers) + std::string(more));
  handshake = wire.read_until("\r\n\r\n");
  if (!handshake.starts_with("HTTP/1.1 101 ")) throw Failure("no WebSocket: " + excerpt(handshake));
}

Frame WebClient::frame() {
  Frame frame;
  const std::string start = wire.read(2);
  frame.first = static_cast<unsigned char>(start[0]);
  std::uint64_t length = static_cast<unsigned char>(start[1]);
  if (length > 127) throw Failure("a masked frame of the server");
  if (length > 125) length = big_endian(wire.read(length == 126 ? 2 : 8));
  frame.payload = wire.read(length);
  return frame;
}

std::string WebClient::hears() {
  Frame got = frame();
  if (got.first == 0x81) return std::move(got.payload);
  if (got.is_close()) return "close " + std::to_string(got.code());
  return "frame " + std::to_string(got.first) + ": " + got.payload;
}

std::string WebClient::hears_to_end() {
  std::string all;
  std::string line;
  do {
    line = hears();
    all += line + "\n";
  } while (!line.starts_with("close"));
  const std::string rest = wire.read_to_end();
  return rest.empty() ? all : all + "and " + std::to_string(rest.size()) + " bytes";
}

WebSession::WebSession(Bridge& bridge) : client(bridge.daemon) {
  client.say(web_open);
  server = bridge.server.accept();
  server_saw = read_stream_start(server);
  server.send(stream_start() + std::string(features));
  const std::string opened = client.hears();
  if (!opened.starts_with("<open ")) throw Failure("no <open/>: " + excerpt(opened));
  client.hears();
}

}  // namespace integration
