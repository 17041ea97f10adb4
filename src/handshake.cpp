#include "src/handshake.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "src/sha1.hpp"
#include "src/text.hpp"

namespace boshd {

namespace {

constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view upgrade_line = "Upgrade: websocket\r\n";
constexpr unsigned widest_window = 15;
constexpr unsigned narrowest_window = 9;  // zlib can't do with 8 (W-109)

bool lists(std::string_view list, std::string_view wanted, bool any_case) {
  while (!list.empty()) {
    const std::string_view item = trim(cut(list, ","));
    if (any_case ? equal_ignoring_case(item, wanted) : item == wanted) return true;
  }
  return false;
}

/// base64 of 16 bytes.
bool is_key(std::string_view key) {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  key.remove_suffix(2);
  // The last digit stands for two bits of the sixteenth byte and for four that are 0.
  if (std::string_view("AQgw").find(key.back()) == key.npos) return false;
  return std::ranges::all_of(key, [](char c) { return is_digit(c) || is_letter(c) || c == '+' || c == '/'; });
}

/// A window as RFC 7692 §7.1.2 writes it; none: it is no such number.
std::optional<unsigned> window(std::string_view value) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  if (error != std::errc() || end != value.data() + value.size() || value.front() == '0') return std::nullopt;
  if (bits < 8 || bits > widest_window) return std::nullopt;
  return bits;
}

/// `cut` that passes by separators in quotes.
std::string_view cut_outside_quotes(std::string_view& text, char separator) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size() && (quoted || text[end] != separator); ++end) {
    if (text[end] == '"') quoted = !quoted;
    if (quoted && text[end] == '\\') ++end;
  }
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::string without_quotes(std::string_view value) {
  if (value.size() < 2 || !value.starts_with('"') || !value.ends_with('"')) return std::string(value);
  std::string plain;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\') ++i;
    plain += value[i];
  }
  return plain;
}

/// What is agreed to of one offer; none: it is declined (W-101..W-109).
std::optional<unsigned> accept_offer(std::string_view parameters) {
  unsigned bits = widest_window;
  std::array<bool, 4> seen{};
  const auto once = [&](std::size_t which) { return !std::exchange(seen[which], true); };
  while (!parameters.empty()) {
    auto parameter = cut_outside_quotes(parameters, ';');
    const auto name = trim(cut(parameter, "="));
    const auto value = without_quotes(trim(parameter));
    if (name == "server_no_context_takeover") {
      if (!once(0) || !value.empty()) return std::nullopt;
    } else if (name == "client_no_context_takeover") {
      if (!once(1) || !value.empty()) return std::nullopt;
    } else if (name == "server_max_window_bits") {
      const auto most = window(value);
      if (!once(2) || !most || *most < narrowest_window) return std::nullopt;
      bits = *most;
    } else if (name == "client_max_window_bits") {
      if (!once(3) || (!value.empty() && !window(value))) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return bits;
}

struct Agreement {
  unsigned bits = 0;
  std::string line;
};

/// The first offer that can be kept. No context is taken over, so that nothing is remembered of a message
/// (W-111).
Agreement agree(std::string_view offers) {
  while (!offers.empty()) {
    auto offer = cut_outside_quotes(offers, ',');
    if (trim(cut_outside_quotes(offer, ';')) != "permessage-deflate") continue;
    const auto bits = accept_offer(offer);
    if (!bits) continue;
    std::string line =
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
        "client_no_context_takeover";
    if (*bits < widest_window) line += "; server_max_window_bits=" + std::to_string(*bits);
    return {*bits, line + "\r\n"};
  }
  return {};
}

Handshake refuse(HttpContext context, unsigned status, std::string_view why, std::string_view extra = {}) {
  context.keep_alive &= status == 426;
  return {simple_response(context, status, why, extra), false, 0};
}

}  // namespace

bool wants_websocket(const HttpRequest& request) {
  return lists(request.upgrade, "websocket", true) && request.connection_upgrade;
}

Handshake shake_hands(const HttpRequest& request, const HttpContext& context, const OriginVerdict& origin,
                      const HandshakeRules& rules) {
  if (!wants_websocket(request))  // W-012
    return refuse(context, 426, "This is a WebSocket endpoint (RFC 7395); ask for an upgrade to websocket.\n",
                  upgrade_line);
  if (request.version < 11 || !request.body.empty())
    return refuse(context, 400, "A WebSocket begins with a GET of HTTP/1.1 without a body.\n");
  if (!origin.allowed) return refuse(context, 403, "This origin is not allowed here.\n");
  if (request.websocket_version != "13")
    return refuse(context, 426, "Only version 13 of WebSocket is spoken here.\n",
                  "Sec-WebSocket-Version: 13\r\n" + std::string(upgrade_line));
  if (!is_key(request.websocket_key))
    return refuse(context, 400, "Sec-WebSocket-Key must be 16 bytes in base64.\n");
  const bool xmpp = lists(request.websocket_protocol, "xmpp", false);
  if (rules.xmpp && !xmpp)
    return refuse(context, 400, "The client must offer the subprotocol xmpp (Sec-WebSocket-Protocol).\n");
  Handshake made;
  made.accepted = true;
  made.response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  made.response += "Sec-WebSocket-Accept: " + sha1_base64(request.websocket_key + std::string(guid)) + "\r\n";
  if (xmpp) made.response += "Sec-WebSocket-Protocol: xmpp\r\n";
  if (rules.compression) {
    const Agreement agreement = agree(request.websocket_extensions);
    made.deflate_bits = agreement.bits;
    made.response += agreement.line;
  }
  made.response += "\r\n";
  return made;
}

}  // namespace boshd
