#include "src/coding.hpp"

#include <zlib.h>

#include <algorithm>

#include "src/text.hpp"

namespace boshd {

namespace {

constexpr int window = 15;
constexpr int gzip_format = window + 16;
constexpr int raw_format = -window;

/// zlib takes pointers to bytes it does not change.
Bytef* input(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

Decoded inflate_as(int format, std::string_view bytes, std::size_t limit) {
  Decoded decoded;
  z_stream stream{};
  if (inflateInit2(&stream, format) != Z_OK) return decoded;
  stream.next_in = input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  int status = Z_OK;
  constexpr std::size_t step = 16 * 1024;
  while (status == Z_OK && decoded.bytes.size() <= limit) {
    const std::size_t had = decoded.bytes.size();
    const std::size_t room = std::min(step, limit + 1 - had);  // one more shows that there is more
    if (room == 0) break;
    decoded.bytes.resize(had + room);
    stream.next_out = reinterpret_cast<Bytef*>(decoded.bytes.data() + had);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    decoded.bytes.resize(had + room - stream.avail_out);
  }
  const bool all_read = stream.avail_in == 0;
  inflateEnd(&stream);
  if (decoded.bytes.size() > limit) {
    decoded.bytes.resize(limit);
    decoded.outcome = Decoded::Outcome::too_large;
  } else if (status == Z_STREAM_END && all_read) {
    decoded.outcome = Decoded::Outcome::whole;
  } else {
    decoded.bytes.clear();
  }
  return decoded;
}

/// The weight behind a name: 0 forbids.
bool is_zero(std::string_view parameters) {
  const auto q = parameters.find("q=");
  if (q == parameters.npos) return false;
  const std::string_view value = trim(parameters.substr(q + 2));
  return value.starts_with('0') && value.find_first_of("123456789") == value.npos;
}

}  // namespace

std::optional<Coding> parse_coding(std::string_view name) {
  name = trim(name);
  if (name.empty() || equal_ignoring_case(name, "identity")) return Coding::identity;
  if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip")) return Coding::gzip;
  if (equal_ignoring_case(name, "deflate")) return Coding::deflate;
  return std::nullopt;
}

Decoded decode(Coding coding, std::string_view bytes, std::size_t limit) {
  if (coding == Coding::gzip) return inflate_as(gzip_format, bytes, limit);
  Decoded decoded = inflate_as(window, bytes, limit);
  // Some clients mean the bare format by `deflate` (RFC 9110 §8.4.1.2).
  if (decoded.outcome == Decoded::Outcome::broken) decoded = inflate_as(raw_format, bytes, limit);
  return decoded;
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int memory = 8;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_format, memory, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) out.clear();
  return out;
}

bool accepts_gzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    std::string_view parameters = cut(accept_encoding, ",");
    const std::string_view name = trim(cut(parameters, ";"));
    const bool allowed = !is_zero(parameters);
    if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip")) return allowed;
    if (name == "*") any = allowed;
  }
  return any;
}

}  // namespace boshd
