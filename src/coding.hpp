// Content codings of HTTP (RFC 9110 §8.4): compressed requests in, compressed answers out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace boshd {

/// What request bodies may be compressed with, as BOSH tells it (XEP-0124 §7.2) and as HTTP does.
inline constexpr std::string_view codings_of_bosh = "gzip,deflate";
inline constexpr std::string_view codings_of_http = "gzip, deflate";

enum class Coding { identity, gzip, deflate };

/// What a Content-Encoding means; none: one that isn't known here, or several.
std::optional<Coding> parse_coding(std::string_view content_encoding);

struct Decoded {
  enum class Outcome { whole, broken, too_large };
  Outcome outcome = Outcome::broken;
  std::string bytes;  // the first `limit` of them when too_large, none when broken
};
/// Never makes more than `limit` bytes, whatever comes in.
Decoded decode(Coding, std::string_view bytes, std::size_t limit);

/// The bytes in gzip's format, quickly rather than small. Empty when that fails.
std::string gzip(std::string_view bytes);

/// Whether a client takes gzip, by its Accept-Encoding (RFC 9110 §12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace boshd
