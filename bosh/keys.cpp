#include "bosh/keys.hpp"

#include <algorithm>

namespace bosh {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Takes as long for any two texts of the same length (B-162).
bool equal_digests(std::string_view one, std::string_view other) {
  unsigned difference = one.size() == other.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i)
    difference |= static_cast<unsigned char>(lower(one[i]) ^ lower(other[i]));
  return difference == 0;
}

}  // namespace

bool KeyChain::accept(Sha1 sha1, std::string_view key, std::string_view newkey) {
  if (expected_.empty()) return true;
  // The text is hashed as it was received: upper-case digits hash differently.
  if (key.empty() || !equal_digests(sha1(key), expected_)) return false;
  expected_ = newkey.empty() ? key : newkey;
  return true;
}

}  // namespace bosh
