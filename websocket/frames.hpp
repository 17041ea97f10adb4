// WebSocket frames (RFC 6455 §5, RFC 7692 §7) of a server: bytes in, messages out, and the other way round.
// No socket in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Why a connection ends, as a Close frame says it (RFC 6455 §7.4.1). `none` and `lost` are never on the
/// wire.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  none = 1005,
  lost = 1006,
  invalid_data = 1007,
  policy_violation = 1008,
  too_big = 1009,
  internal_error = 1011,
};

/// Undoes the compression of one message (RFC 7692 §7.2.2) into at most `limit` bytes; what is wrong with it,
/// if anything is.
using Inflate = std::optional<CloseCode> (*)(std::string_view compressed, std::size_t limit,
                                             std::string& inflated);

/// The next thing in the bytes.
struct Event {
  enum class Kind : std::uint8_t { nothing, text, binary, ping, pong, close, violation };
  Kind kind = Kind::nothing;
  std::string_view payload{};        // until the next call
  CloseCode code = CloseCode::none;  // of close: the peer's; of violation: what it is to get
};

/// Takes a client's frames apart. Between two messages it holds no memory beside itself.
class FrameReader {
 public:
  /// `inflate`: set if compression was agreed upon.
  explicit FrameReader(std::size_t message_limit, Inflate inflate = nullptr)
      : message_limit_(message_limit), inflate_(inflate) {}

  /// Takes the next event out of the front of the bytes, which it unmasks in their place; `nothing` when all
  /// are used up. After `close` and `violation` there is nothing more.
  Event next(std::span<char>& bytes);

 private:
  static constexpr std::size_t longest_header = 14;

  bool read_header(std::span<char>& bytes);
  bool collect(std::span<char>& bytes, std::size_t wanted);
  std::optional<CloseCode> begin_frame();
  std::optional<CloseCode> check_start() const;
  std::span<char> take_payload(std::span<char>& bytes);
  Event end_frame(std::string_view payload);
  Event control(std::string_view payload);
  Event message(std::string_view payload);
  Event violate(CloseCode);
  Opcode opcode() const { return static_cast<Opcode>(header_[0] & 0x0f); }
  bool is_control() const { return (header_[0] & 0x08) != 0; }
  bool is_final() const { return (header_[0] & 0x80) != 0; }
  bool is_compressed() const { return (header_[0] & 0x40) != 0; }

  std::size_t message_limit_;
  Inflate inflate_;
  std::string message_;  // what came of it so far
  std::string control_;  // of a control frame that came in pieces
  std::uint64_t payload_left_ = 0;
  std::uint32_t frames_ = 0;  // of the present message
  std::array<unsigned char, longest_header> header_{};
  std::uint8_t header_size_ = 0;  // so much of it is there
  bool in_payload_ = false;
  std::uint8_t mask_at_ = 0;
  Opcode message_opcode_ = Opcode::continuation;  // continuation: none has begun
  bool message_compressed_ = false;
  bool message_told_ = false;
  bool control_told_ = false;
  bool over_ = false;
};

/// The frame header of a server (RFC 6455 §5.2): the whole message in one frame, not masked. Appends to
/// `out`.
void append_frame_header(std::string& out, Opcode, std::size_t payload, bool compressed = false);

/// A whole Close frame; `none` has no payload. `why` is cut to what fits.
std::string close_frame(CloseCode, std::string_view why = {});

/// Whether the bytes are UTF-8 (RFC 3629): no surrogates, nothing longer than needed.
bool is_utf8(std::string_view);

}  // namespace websocket
