#include "src/domain.hpp"

#include <idn2.h>

#include <algorithm>
#include <memory>

#include "src/address.hpp"
#include "src/text.hpp"

namespace boshd {

std::optional<std::string> ascii_domain(std::string_view domain) {
  const bool bracketed = domain.starts_with('[') && domain.ends_with(']');
  if (const auto literal = parse_ip(bracketed ? domain.substr(1, domain.size() - 2) : domain))
    return to_string(*literal);
  if (domain.find('\0') != domain.npos) return {};
  char* made = nullptr;
  if (idn2_to_ascii_8z(std::string(domain).c_str(), &made, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
    return {};
  const std::unique_ptr<char, void (*)(void*)> guard(made, idn2_free);
  std::string name(made);
  std::ranges::transform(name, name.begin(), lower);
  if (name.ends_with('.')) name.pop_back();  // now that all kinds of full stops are the same
  const bool labels = !name.starts_with('.') && !name.ends_with('.') && name.find("..") == name.npos;
  const bool plain = std::ranges::all_of(
      name, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; });
  if (name.empty() || !labels || !plain || name.size() > 253) return {};
  return name;
}

}  // namespace boshd
