#include "websocket/frames.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace websocket {

namespace {

constexpr std::size_t longest_control = 125;
constexpr std::uint8_t mask_bytes = 4;
// A message may come in many frames, but not in ever so many that hold next to nothing.
constexpr std::uint32_t frames_allowed = 1024;
constexpr std::size_t bytes_for_another_frame = 16;

/// Turns `mask` so that its first byte is the one for the next byte of the payload.
std::array<char, 8> turned(const unsigned char* mask, std::uint8_t by) {
  std::array<char, 8> wide{};
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<char>(mask[(by + i) % mask_bytes]);
  return wide;
}

void unmask(std::span<char> bytes, const unsigned char* mask, std::uint8_t at) {
  const auto wide = turned(mask, at);
  std::uint64_t key = 0;
  std::memcpy(&key, wide.data(), sizeof key);
  std::size_t i = 0;
  for (; i + sizeof key <= bytes.size(); i += sizeof key) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    word ^= key;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  for (; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ wide[i % wide.size()]);
}

std::uint64_t big_endian(const unsigned char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8U | bytes[i];
  return value;
}

/// How many bytes hold the length behind the first two, by the seven bits in there.
std::size_t length_bytes(unsigned short_length) {
  if (short_length == 126) return 2;
  return short_length == 127 ? 8 : 0;
}

/// Those that may be on the wire (RFC 6455 §7.4, and what was registered since).
bool may_be_sent(unsigned code) {
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);
}

}  // namespace

Event FrameReader::next(std::span<char>& bytes) {
  if (std::exchange(message_told_, false)) message_ = {};
  if (std::exchange(control_told_, false)) control_ = {};
  if (over_) bytes = {};
  while (!bytes.empty()) {
    if (!in_payload_) {
      if (!read_header(bytes)) return {};
      if (const auto fault = begin_frame()) return violate(*fault);
    }
    const std::span<char> part = take_payload(bytes);
    const std::string_view view(part.data(), part.size());
    std::string& kept = is_control() ? control_ : message_;
    const bool whole = payload_left_ == 0 && (is_control() || is_final()) && kept.empty();
    if (!whole) kept += view;
    if (payload_left_ > 0) return {};
    in_payload_ = false;
    const Event event = end_frame(whole ? view : std::string_view(kept));
    if (event.kind != Event::Kind::nothing) return event;
  }
  return {};
}

/// Collects the header; whether it is whole, or as much of it as has to be refused.
bool FrameReader::read_header(std::span<char>& bytes) {
  if (!collect(bytes, 2)) return false;
  return check_start() || collect(bytes, 2 + length_bytes(header_[1] & 0x7fU) + mask_bytes);
}

bool FrameReader::collect(std::span<char>& bytes, std::size_t wanted) {
  const std::size_t missing = wanted - std::min<std::size_t>(wanted, header_size_);
  const std::size_t take = std::min(missing, bytes.size());
  std::memcpy(header_.data() + header_size_, bytes.data(), take);
  header_size_ = static_cast<std::uint8_t>(header_size_ + take);
  bytes = bytes.subspan(take);
  return take == missing;
}

/// What is wrong with the first two bytes (RFC 6455 §5.2, §5.4, §5.5).
std::optional<CloseCode> FrameReader::check_start() const {
  const bool begins = opcode() == Opcode::text || opcode() == Opcode::binary;
  const bool known = begins || opcode() == Opcode::continuation || opcode() == Opcode::close ||
                     opcode() == Opcode::ping || opcode() == Opcode::pong;
  const bool reserved = (header_[0] & 0x30) != 0 || (is_compressed() && (!inflate_ || !begins));
  const bool masked = (header_[1] & 0x80) != 0;
  if (reserved || !known || !masked) return CloseCode::protocol_error;
  if (is_control() && (!is_final() || (header_[1] & 0x7fU) > longest_control))
    return CloseCode::protocol_error;
  const bool under_way = message_opcode_ != Opcode::continuation;
  if (!is_control() && begins == under_way) return CloseCode::protocol_error;
  return std::nullopt;
}

std::optional<CloseCode> FrameReader::begin_frame() {
  if (const auto fault = check_start()) return fault;
  const std::size_t extended = length_bytes(header_[1] & 0x7fU);
  const std::uint64_t length = extended == 0 ? header_[1] & 0x7fU : big_endian(&header_[2], extended);
  const bool minimal = extended == 0 || length > (extended == 2 ? 125U : 0xffffU);
  if (!minimal || length >> 63U != 0) return CloseCode::protocol_error;
  if (!is_control()) {
    if (opcode() != Opcode::continuation) {
      message_opcode_ = opcode();
      message_compressed_ = is_compressed();
      frames_ = 0;
    }
    if (length > message_limit_ - message_.size()) return CloseCode::too_big;
    if (++frames_ > frames_allowed + message_.size() / bytes_for_another_frame)
      return CloseCode::policy_violation;
  }
  payload_left_ = length;
  mask_at_ = 0;
  in_payload_ = true;
  return std::nullopt;
}

std::span<char> FrameReader::take_payload(std::span<char>& bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size()));
  const std::span<char> part = bytes.first(size);
  unmask(part, &header_[header_size_ - mask_bytes], mask_at_);
  mask_at_ = static_cast<std::uint8_t>((mask_at_ + size) % mask_bytes);
  payload_left_ -= size;
  bytes = bytes.subspan(size);
  return part;
}

Event FrameReader::end_frame(std::string_view payload) {
  header_size_ = 0;
  if (is_control()) return control(payload);
  if (!is_final()) return {};
  return message(payload);
}

Event FrameReader::control(std::string_view payload) {
  Event event{opcode() == Opcode::ping ? Event::Kind::ping : Event::Kind::pong, payload};
  if (opcode() == Opcode::close) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(payload.data());
    event = {Event::Kind::close, {}, CloseCode::none};
    if (payload.size() == 1) return violate(CloseCode::protocol_error);
    if (payload.size() > 1) {
      const auto code = static_cast<unsigned>(big_endian(bytes, 2));
      if (!may_be_sent(code)) return violate(CloseCode::protocol_error);
      if (!is_utf8(payload.substr(2))) return violate(CloseCode::invalid_data);
      event.code = static_cast<CloseCode>(code);
    }
    over_ = true;
  }
  control_told_ = true;
  return event;
}

Event FrameReader::message(std::string_view payload) {
  Event event{message_opcode_ == Opcode::text ? Event::Kind::text : Event::Kind::binary, payload};
  message_opcode_ = Opcode::continuation;
  message_told_ = true;
  if (message_compressed_) {
    std::string inflated;
    if (const auto fault = inflate_(payload, message_limit_, inflated)) return violate(*fault);
    message_ = std::move(inflated);
    event.payload = message_;
  }
  if (event.kind == Event::Kind::text && !is_utf8(event.payload)) return violate(CloseCode::invalid_data);
  return event;
}

Event FrameReader::violate(CloseCode code) {
  over_ = true;
  return {Event::Kind::violation, {}, code};
}

void append_frame_header(std::string& out, Opcode opcode, std::size_t payload, bool compressed) {
  out += static_cast<char>(0x80U | (compressed ? 0x40U : 0U) | static_cast<unsigned>(opcode));
  const auto append_length = [&](unsigned bytes) {
    for (unsigned shift = bytes * 8; shift > 0; shift -= 8)
      out += static_cast<char>(payload >> (shift - 8) & 0xffU);
  };
  if (payload <= longest_control) {
    out += static_cast<char>(payload);
  } else if (payload <= 0xffff) {
    out += static_cast<char>(126);
    append_length(2);
  } else {
    out += static_cast<char>(127);
    append_length(8);
  }
}

std::string close_frame(CloseCode code, std::string_view why) {
  std::string out;
  if (code == CloseCode::none) {
    append_frame_header(out, Opcode::close, 0);
    return out;
  }
  why = why.substr(0, longest_control - 2);
  append_frame_header(out, Opcode::close, why.size() + 2);
  out += static_cast<char>(static_cast<unsigned>(code) >> 8U);
  out += static_cast<char>(static_cast<unsigned>(code) & 0xffU);
  out += why;
  return out;
}

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at < end) {
    std::uint64_t word = 0;
    if (end - at >= 8) {
      std::memcpy(&word, at, sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        at += 8;
        continue;
      }
    }
    const unsigned char first = *at++;
    if (first < 0x80) continue;
    // How many follow, and between what the first of them must be.
    unsigned more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf)
      more = 1;
    else if (first >= 0xe0 && first <= 0xef)
      more = 2;
    else if (first >= 0xf0 && first <= 0xf4)
      more = 3;
    else
      return false;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
    for (; more > 0; --more, low = 0x80, high = 0xbf)
      if (at == end || *at < low || *at++ > high) return false;
  }
  return true;
}

}  // namespace websocket
