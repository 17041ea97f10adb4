#include "src/login.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <vector>

#include "src/text.hpp"

namespace boshd {

namespace {

constexpr std::size_t longest_part = 4096;  // the name stands near the beginning
constexpr std::size_t longest_name = 256;

/// The beginning of a message.
std::string decode(std::string_view base64) {
  base64 = trim(base64).substr(0, longest_part);
  if (base64.empty() || base64.size() % 4 != 0) return {};
  std::vector<unsigned char> bytes(base64.size() / 4 * 3);
  const int size = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                                   static_cast<int>(base64.size()));
  if (size < 0) return {};
  const auto padding = static_cast<std::size_t>(std::ranges::count(base64.substr(base64.size() - 2), '='));
  return {bytes.begin(), bytes.begin() + size - static_cast<std::ptrdiff_t>(padding)};
}

/// Of PLAIN: authzid NUL authcid NUL password. Of SCRAM: gs2-header n=name,r=nonce.
std::string name_in(std::string_view message) {
  const auto first = message.find('\0');
  if (first != message.npos) {
    message.remove_prefix(first + 1);
    return std::string(cut(message, std::string_view("\0", 1)));
  }
  const auto at = message.find(",n=");
  if (at == message.npos) return {};
  message.remove_prefix(at + 3);
  return std::string(cut(message, ","));
}

/// What stands behind the start tag of the first element of this name.
std::string_view inside(std::string_view elements, std::string_view start) {
  for (auto at = elements.find(start); at != elements.npos; at = elements.find(start, at + 1)) {
    const std::string_view rest = elements.substr(at + start.size());
    if (rest.substr(0, 1).find_first_of(" \t\r\n>") == rest.npos) continue;  // a longer name
    const auto end = rest.find('>');
    return end == rest.npos ? std::string_view() : rest.substr(end + 1);
  }
  return {};
}

}  // namespace

std::string account_in(std::string_view elements) {
  for (const std::string_view start : {"<auth", "<response", "<initial-response"}) {
    const std::string_view text = inside(elements, start);
    std::string name = name_in(decode(text.substr(0, text.find('<'))));
    std::ranges::transform(name, name.begin(), lower);
    if (!name.empty() && name.size() <= longest_name) return name;
  }
  return {};
}

}  // namespace boshd
