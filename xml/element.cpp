#include "xml/element.hpp"

#include <algorithm>

namespace xml {

const std::string* Root::find(std::string_view wanted, std::string_view wanted_ns) const {
  const auto found = std::ranges::find_if(
      attributes, [&](const Attribute& a) { return a.name == wanted && a.ns == wanted_ns; });
  return found == attributes.end() ? nullptr : &found->value;
}

void Element::append_to(std::string& out) const {
  std::size_t from = 0;
  for (const Edit& edit : edits) {
    out += bytes.substr(from, edit.at - from);
    out += edit.insert;
    from = edit.at + edit.erase;
  }
  out += bytes.substr(from);
}

std::string Element::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

}  // namespace xml
