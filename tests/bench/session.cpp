#include "tests/bench/session.hpp"

#include <zlib.h>

#include <algorithm>
#include <utility>

namespace bench {

namespace {

constexpr std::string_view http_end = "\r\n\r\n";
// As browsers send it, without the longest lines.
constexpr std::string_view browser_lines =
    "\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, "
    "like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36\r\nOrigin: http://chat.bench.local\r\nAccept: */*\r\n"
    "Accept-Encoding: gzip, deflate\r\nAccept-Language: en\r\n";
constexpr std::uint32_t first_source = 0x7f100001;  // 127.16.0.1: each session has an address of its own

/// The value of an attribute, in either kind of quotes.
std::string_view attribute(std::string_view text, std::string_view name) {
  const auto at = text.find(" " + std::string(name) + "=");
  if (at == text.npos) return {};
  const std::string_view value = text.substr(at + name.size() + 2);
  return between(value, value.substr(0, 1), value.substr(0, 1));
}

/// What gzip has packed; it knows its length itself.
std::string unpacked(std::string_view packed) {
  constexpr int gzip_format = 15 + 16;
  std::uint32_t size = 0;  // its last four bytes; zlib checks that they are right
  for (std::size_t i = 1; i <= 4 && packed.size() >= 18; ++i)
    size = size << 8U | static_cast<unsigned char>(packed[packed.size() - i]);
  std::string bytes(size, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = size;
  const bool whole = inflateInit2(&stream, gzip_format) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END;
  inflateEnd(&stream);
  if (!whole) fail("a response is packed, but not by gzip");
  return bytes;
}

/// A whole HTTP response at the front of the bytes.
struct Response {
  std::string body;
  std::size_t size;
};
std::optional<Response> read_response(std::string_view bytes) {
  const auto head_end = bytes.find(http_end);
  if (head_end == bytes.npos) return std::nullopt;
  std::string head(bytes.substr(0, head_end + 2));
  std::ranges::transform(head, head.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::size_t begin = head_end + http_end.size();
  const std::string_view length = between(head, "content-length: ", "\r");
  if (!length.empty()) {
    const std::size_t size = number_in(length);
    if (bytes.size() < begin + size) return std::nullopt;
    const std::string_view body = bytes.substr(begin, size);
    const bool packed = head.find("\r\ncontent-encoding: gzip\r") != head.npos;
    return Response{packed ? unpacked(body) : std::string(body), begin + size};
  }
  // In chunks. What rivals send is one chunk and the last.
  const auto end = bytes.find("0\r\n\r\n", begin);
  if (end == bytes.npos) return std::nullopt;
  return Response{std::string(bytes.substr(begin, end - begin)), end + 5};
}

}  // namespace

Session::Session(const Terms& terms, const Events& events, std::uint32_t number)
    : terms_(terms), events_(events), number_(number), rid_(1'000'000 + std::uint64_t{number} * 1'000'000) {}

void Session::start() {
  if (!terms_.websocket)
    return ask((terms_.route.empty() ? "" : " route='" + terms_.route + "'") + " to='" + terms_.domain +
                   "' hold='1' wait='60' ver='1.6' content='text/xml; charset=utf-8' xml:lang='en'"
                   " xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'",
               {});
  lines_[0].wire.emplace(terms_.loop, terms_.target, source(),
                         [this](std::string& bytes) { on_frames(bytes); });
  lines_[0].wire->say("GET " + terms_.target.path + " HTTP/1.1\r\nHost: " + terms_.target.host +
                      std::string(browser_lines) +
                      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n");
}

std::uint32_t Session::source() const {
  return first_source + number_;
}

void Session::lose(std::string_view why) {
  if (!std::exchange(lost_, true)) events_.lost(*this, why);
}

// --- The login ---

void Session::take(std::string_view text) {
  if (step_ == Step::ready) return events_.heard(*this, text);
  log_in(text);
}

void Session::log_in(std::string_view text) {
  const auto has = [&](std::string_view part) { return text.find(part) != text.npos; };
  if (step_ <= Step::features && has("ANONYMOUS")) {
    step_ = Step::sasl;
    say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
  } else if (step_ == Step::sasl && has("<success")) {
    step_ = Step::restarted;
    restart();
  } else if (step_ == Step::restarted && has("xmpp-bind")) {
    step_ = Step::bound;
    say("<iq xmlns='jabber:client' type='set' id='bind'><bind "
        "xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  } else if (step_ == Step::bound && has("<jid>")) {
    jid_ = between(text, "<jid>", "</jid>");
    step_ = Step::ready;
    events_.ready(*this);
  }
}

void Session::restart() {
  if (terms_.websocket)
    return frame("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" + terms_.domain +
                 "' version='1.0'/>");
  request(" to='" + terms_.domain + "' xml:lang='en' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'", {});
}

void Session::send(std::string_view stanza) {
  if (!terms_.websocket && terms_.always_held) hold_one();
  say(stanza);
}

void Session::say(std::string_view stanza) {
  terms_.websocket ? frame(stanza) : request({}, stanza);
}

void Session::leave() {
  leaving_ = true;
  if (!terms_.websocket) return request(" type='terminate'", {});
  frame("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
}

/// As a page that is closed.
void Session::hang_up() {
  for (Line& line : lines_)
    if (line.wire) line.wire->hang_up();
}

// --- BOSH ---

void Session::request(std::string_view attributes, std::string_view payload) {
  ask(" sid='" + sid_ + "'" + std::string(attributes), payload);
}

void Session::ask(std::string_view attributes, std::string_view payload) {
  std::string body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='" + std::to_string(rid_++) + "'";
  body += attributes;
  if (payload.empty()) {
    body += "/>";
  } else {
    body += '>';
    body += payload;
    body += "</body>";
  }
  std::string text = "POST " + terms_.target.path + " HTTP/1.1\r\nHost: " + terms_.target.host;
  text += browser_lines;
  text += "Content-Type: text/xml; charset=UTF-8\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n\r\n" + body;
  const auto free = std::ranges::find(lines_, false, &Line::busy);
  if (free == lines_.end()) {
    waiting_.push_back(std::move(text));
    return;
  }
  if (!free->wire)
    free->wire.emplace(terms_.loop, terms_.target, source(),
                       [this, free](std::string& bytes) { on_http(*free, bytes); });
  free->busy = true;
  free->wire->say(text);
}

/// The client's long poll.
void Session::hold_one() {
  if (!leaving_ && std::ranges::none_of(lines_, &Line::busy)) request({}, {});
}

void Session::on_http(Line& line, std::string& bytes) {
  while (const auto response = read_response(bytes)) {
    if (!bytes.starts_with("HTTP/1.1 200")) return lose(std::string_view(bytes).substr(0, bytes.find('\r')));
    line.busy = false;
    bytes.erase(0, response->size);
    if (!waiting_.empty()) {
      line.busy = true;
      line.wire->say(waiting_.front());
      waiting_.pop_front();
    }
    on_body(response->body);
  }
  if (line.wire->closed() && !leaving_) lose("the connection was closed");
}

void Session::on_body(std::string_view body) {
  const std::string_view tag = body.substr(0, body.find('>'));
  if (tag.find("terminate") != tag.npos) return leaving_ ? hang_up() : lose(body);
  if (step_ == Step::created) {
    sid_ = attribute(body, "sid");
    step_ = Step::features;
  }
  take(body);
  hold_one();
}

// --- WebSocket ---

void Session::frame(std::string_view text) {
  constexpr std::array<char, 4> mask{0x11, 0x22, 0x33, 0x44};
  std::string bytes{static_cast<char>(0x81)};
  if (text.size() <= 125) {
    bytes += static_cast<char>(0x80U | text.size());
  } else if (text.size() <= 0xffff) {
    bytes += static_cast<char>(0x80U | 126U);
    bytes += static_cast<char>(text.size() >> 8U);
    bytes += static_cast<char>(text.size() & 0xffU);
  } else {
    bytes += static_cast<char>(0x80U | 127U);
    for (unsigned shift = 64; shift > 0; shift -= 8)
      bytes += static_cast<char>(text.size() >> (shift - 8) & 0xffU);
  }
  bytes.append(mask.data(), mask.size());
  for (std::size_t i = 0; i < text.size(); ++i) bytes += static_cast<char>(text[i] ^ mask[i % mask.size()]);
  lines_[0].wire->say(bytes);
}

void Session::on_frames(std::string& bytes) {
  if (!std::exchange(upgraded_, upgraded_ || bytes.find(http_end) != bytes.npos) && upgraded_) {
    if (!bytes.starts_with("HTTP/1.1 101")) return lose(std::string_view(bytes).substr(0, bytes.find('\r')));
    bytes.erase(0, bytes.find(http_end) + http_end.size());
    frame("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" + terms_.domain + "' version='1.0'/>");
  }
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at]));
  };
  while (upgraded_ && bytes.size() >= 2) {
    const std::uint64_t opcode = byte(0) & 0x0fU;
    const std::size_t length_bytes = byte(1) == 126 ? 2 : byte(1) == 127 ? 8 : 0;
    std::size_t size = length_bytes == 0 ? byte(1) : 0;
    if (bytes.size() < 2 + length_bytes) return;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8U | byte(2 + i);
    if (bytes.size() < 2 + length_bytes + size) return;
    const std::string text = bytes.substr(2 + length_bytes, size);
    bytes.erase(0, 2 + length_bytes + size);
    if (opcode == 8 || text.starts_with("<close")) return leaving_ ? hang_up() : lose(text);
    if (opcode == 1) take(text);
  }
  if (lines_[0].wire->closed() && !leaving_) lose("the connection was closed");
}

}  // namespace bench
