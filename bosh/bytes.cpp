#include "bosh/bytes.hpp"

#include <algorithm>

namespace bosh {

Bytes::Bytes(std::initializer_list<std::string_view> pieces) {
  for (const std::string_view piece : pieces) size_ += piece.size();
  auto memory = std::make_shared_for_overwrite<char[]>(size_);
  char* at = memory.get();
  for (const std::string_view piece : pieces) at = std::ranges::copy(piece, at).out;
  data_ = std::move(memory);
}

Bytes Bytes::lasting(std::string_view text) {
  Bytes bytes;
  bytes.data_ = {std::shared_ptr<const char[]>(), text.data()};
  bytes.size_ = text.size();
  return bytes;
}

}  // namespace bosh
