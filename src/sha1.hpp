// SHA-1, where a protocol asks for it: key sequences of BOSH (XEP-0124 §15).
#pragma once

#include <string>
#include <string_view>

namespace boshd {

/// As 40 lower-case hexadecimal digits.
std::string sha1_hex(std::string_view);

}  // namespace boshd
