// Key sequences: who sends the next request must be who sent the first (XEP-0124 §15).
#pragma once

#include <string>
#include <string_view>

namespace bosh {

/// SHA-1 as 40 lower-case hexadecimal digits. Given by the owner, so that no core needs a library for it.
using Sha1 = std::string (*)(std::string_view);

/// The chain of one session. A session created without `newkey` has none, and ignores keys (B-164).
class KeyChain {
 public:
  KeyChain() = default;
  explicit KeyChain(std::string newkey) : expected_(std::move(newkey)) {}

  /// Takes the keys of the next request in rid order. False: it is not the client's.
  bool accept(Sha1, std::string_view key, std::string_view newkey);

 private:
  std::string expected_;  // hash of the next key, as the client wrote it; empty: no keys
};

}  // namespace bosh
