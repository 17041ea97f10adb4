// Compression of WebSocket messages without context takeover (RFC 7692 §7.2): each stands alone, and nothing
// is kept between two of them but one compressor and one decompressor a thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "websocket/frames.hpp"

namespace boshd {

/// A websocket::Inflate.
std::optional<websocket::CloseCode> inflate_message(std::string_view compressed, std::size_t limit,
                                                    std::string& inflated);

/// With a window of 2^bits bytes, 9 to 15. Empty when that fails.
std::string deflate_message(std::string_view, unsigned bits);

}  // namespace boshd
