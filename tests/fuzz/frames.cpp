// A client's WebSocket frames: the same comes of them however they are cut, and never more than the limit.
#include "websocket/frames.hpp"
#include "tests/fuzz/check.hpp"

namespace {

using fuzz::require;
using websocket::CloseCode;
using websocket::Event;

constexpr std::size_t limit = 300;

/// Doubles each byte, so that what is inflated can be too large.
std::optional<CloseCode> twice(std::string_view compressed, std::size_t most, std::string& out) {
  for (const char byte : compressed) out.append(2, byte);
  if (out.size() > most) return CloseCode::too_big;
  return std::nullopt;
}

struct Told {
  Event::Kind kind;
  std::string payload;
  CloseCode code;
  friend bool operator==(const Told&, const Told&) = default;
};

std::vector<Told> read(std::string_view input, bool compression, std::size_t piece) {
  websocket::FrameReader reader(limit, compression ? twice : nullptr);
  std::vector<Told> all;
  bool over = false;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    std::string copy(input.substr(at, piece));
    std::span<char> bytes(copy);
    for (;;) {
      const Event event = reader.next(bytes);
      if (event.kind == Event::Kind::nothing) break;
      require(!over, "something after the end");
      require(event.payload.size() <= limit, "a message above the limit");
      const bool control = event.kind == Event::Kind::ping || event.kind == Event::Kind::pong;
      require(!control || event.payload.size() <= 125, "a control frame that is too long");
      if (event.kind == Event::Kind::text)
        require(websocket::is_utf8(event.payload), "text that is not UTF-8");
      over = event.kind == Event::Kind::close || event.kind == Event::Kind::violation;
      all.push_back({event.kind, std::string(event.payload), event.code});
    }
    require(bytes.empty(), "bytes that nobody has taken");
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const bool compression = bytes[0] % 2 != 0;
  const std::size_t piece = bytes[1] % 64U + 1;
  const std::string_view input = fuzz::text(bytes + 2, size - 2);
  const auto whole = read(input, compression, input.size() + 1);
  require(whole == read(input, compression, 1), "byte by byte something else comes of it");
  require(whole == read(input, compression, piece), "in pieces something else comes of it");
  return 0;
}
