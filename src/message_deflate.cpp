#include "src/message_deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace boshd {

namespace {

using websocket::CloseCode;

constexpr int widest_window = 15;
constexpr std::string_view tail("\x00\x00\xff\xff", 4);  // what a sender leaves out (RFC 7692 §7.2.1)

/// zlib takes pointers to bytes it does not change.
void give(z_stream& stream, std::string_view bytes) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
}

struct Inflater {
  Inflater() { ready = inflateInit2(&stream, -widest_window) == Z_OK; }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// False when it is broken; stops above the limit.
  bool take(std::string_view bytes, std::size_t limit, std::string& out);

  z_stream stream{};
  bool ready = false;
};

bool Inflater::take(std::string_view bytes, std::size_t limit, std::string& out) {
  std::array<char, 16 * 1024> buffer;
  give(stream, bytes);
  while (out.size() <= limit) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = buffer.size();
    const int status = inflate(&stream, Z_SYNC_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
    if (status == Z_BUF_ERROR) return true;  // it can't go on without more
    // A block may say that it is the last, and others follow (RFC 7692 §7.2.3.4).
    if (status == Z_STREAM_END ? inflateReset(&stream) != Z_OK : status != Z_OK) return false;
    if (stream.avail_in == 0 && stream.avail_out > 0) return true;
  }
  return true;
}

struct Deflater {
  explicit Deflater(unsigned window) : bits(window) {
    constexpr int memory = 8;
    ready = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -static_cast<int>(window), memory,
                         Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  unsigned bits;
  z_stream stream{};
  bool ready = false;
};

}  // namespace

std::optional<CloseCode> inflate_message(std::string_view compressed, std::size_t limit,
                                         std::string& inflated) {
  thread_local Inflater inflater;
  inflated.clear();
  if (!inflater.ready || inflateReset(&inflater.stream) != Z_OK) return CloseCode::internal_error;
  const bool right = inflater.take(compressed, limit, inflated) && inflater.take(tail, limit, inflated);
  if (inflated.size() > limit) return CloseCode::too_big;
  if (!right) return CloseCode::invalid_data;
  return std::nullopt;
}

std::string deflate_message(std::string_view message, unsigned bits) {
  thread_local std::optional<Deflater> deflater;
  if (!deflater || deflater->bits != bits) deflater.emplace(bits);
  z_stream& stream = deflater->stream;
  if (!deflater->ready || deflateReset(&stream) != Z_OK) return {};
  std::string out(deflateBound(&stream, message.size()) + tail.size() + 8, '\0');
  give(stream, message);
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_SYNC_FLUSH);
  out.resize(out.size() - stream.avail_out);
  if (status != Z_OK || stream.avail_in > 0 || !out.ends_with(tail)) return {};
  out.resize(out.size() - tail.size());
  return out;
}

}  // namespace boshd
