// SHA-1, where a protocol asks for it: key sequences of BOSH (XEP-0124 §15), WebSocket's handshake.
#pragma once

#include <string>
#include <string_view>

namespace boshd {

/// As 40 lower-case hexadecimal digits.
std::string sha1_hex(std::string_view text);
/// The same in base64 (RFC 6455 §4.2.2).
std::string sha1_base64(std::string_view);

}  // namespace boshd
