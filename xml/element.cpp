#include "xml/element.hpp"

#include <algorithm>

#include "xml/escape.hpp"

namespace xml {

const std::string* Root::find(std::string_view wanted, std::string_view wanted_ns) const {
  const auto found = std::ranges::find_if(
      attributes, [&](const Attribute& a) { return a.name == wanted && a.ns == wanted_ns; });
  return found == attributes.end() ? nullptr : &found->value;
}

void Element::append_to(std::string& out) const {
  constexpr std::string_view declaration = " xmlns=''";
  std::size_t size = bytes.size() + (lacks_ns ? declaration.size() + ns.size() : 0);
  for (const Edit& edit : edits) size += edit.insert.size();
  out.reserve(out.size() + size);
  std::size_t from = 0;
  if (lacks_ns) {
    from = name_end();
    out += bytes.substr(0, from);
    append_attribute(out, "xmlns", ns);
  }
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
