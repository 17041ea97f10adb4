#include "src/sha1.hpp"

#include <openssl/evp.h>

#include <array>

namespace boshd {

namespace {

struct Digest {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
};

Digest digest_of(std::string_view text) {
  Digest digest;
  EVP_Digest(text.data(), text.size(), digest.bytes.data(), &digest.size, EVP_sha1(), nullptr);
  return digest;
}

}  // namespace

std::string sha1_hex(std::string_view text) {
  const auto [digest, size] = digest_of(text);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += digits[digest[i] >> 4U];
    hex += digits[digest[i] & 15U];
  }
  return hex;
}

std::string sha1_base64(std::string_view text) {
  const auto [digest, size] = digest_of(text);
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

}  // namespace boshd
