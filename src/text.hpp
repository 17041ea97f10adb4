// ASCII text as protocols and configuration have it: no locale, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace boshd {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Without the blanks and tabs at both ends.
constexpr std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes what stands before the separator off the front of `text`, and the separator; all of it when there is
/// none.
constexpr std::string_view cut(std::string_view& text, std::string_view separator) {
  const auto at = text.find(separator);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + separator.size());
  return part;
}

/// Whether two texts are the same but for the case of ASCII letters.
constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

/// Letters, digits and some marks.
class Alphabet {
 public:
  constexpr explicit Alphabet(std::string_view marks) {
    for (std::size_t byte = 0; byte < has_.size(); ++byte) {
      const auto c = static_cast<char>(byte);
      has_[byte] = is_digit(c) || is_letter(c) || marks.find(c) != std::string_view::npos;
    }
  }
  /// How many bytes at the start of the text belong to it.
  constexpr std::size_t span(std::string_view text) const {
    std::size_t size = 0;
    while (size < text.size() && has_[static_cast<unsigned char>(text[size])]) ++size;
    return size;
  }
  /// Whether the text is of it alone, and not empty.
  constexpr bool spells(std::string_view text) const { return !text.empty() && span(text) == text.size(); }

 private:
  std::array<bool, 256> has_{};
};

/// A name in the sense of HTTP: of a method, a field, a coding (RFC 9110 §5.6.2).
inline constexpr Alphabet token_alphabet("!#$%&'*+-.^_`|~");

constexpr bool is_token(std::string_view text) {
  return token_alphabet.spells(text);
}

/// The name of a field, with which its line begins; empty when there is none or no colon follows at once. So
/// it is for a folded line (RFC 9112 §5).
constexpr std::string_view field_name(std::string_view line) {
  const auto size = token_alphabet.span(line);
  return size < line.size() && line[size] == ':' ? line.substr(0, size) : std::string_view();
}

}  // namespace boshd
