// What the fuzz targets share: rules that end the run when they are broken, and input in pieces.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

inline void require(bool holds, std::string_view rule, const std::string& details = {}) {
  if (holds) return;
  std::fprintf(stderr, "BROKEN: %.*s\n%s\n", static_cast<int>(rule.size()), rule.data(), details.c_str());
  std::abort();
}

inline std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// Bytes up to the next mark. A mark is a byte from `first_mark` on; no UTF-8 text has one.
struct Piece {
  std::string_view bytes;
  unsigned char mark = 0;  // 0: the input ends here
};

inline std::vector<Piece> pieces(std::string_view input, unsigned char first_mark) {
  std::vector<Piece> found;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < input.size(); ++i) {
    const auto byte = static_cast<unsigned char>(input[i]);
    if (byte < first_mark) continue;
    found.push_back({input.substr(begin, i - begin), byte});
    begin = i + 1;
  }
  found.push_back({input.substr(begin), 0});
  return found;
}

/// A copy that ends where its memory does, so that reading past it, or after it is gone, is seen.
class Exact {
 public:
  explicit Exact(std::string_view text) : bytes_(text.begin(), text.end()) {}
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

}  // namespace fuzz
