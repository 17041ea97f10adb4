// XML as a person may see it who looks for a fault: what people and programs told each other in confidence is
// covered.
#pragma once

#include <string>
#include <string_view>

namespace boshd {

struct Unmasked {
  bool bodies = false;   // the texts of elements
  bool secrets = false;  // SASL, passwords, tokens
};

/// Covers texts and secrets by "…(N)", N bytes long they were. What is left shows the structure: names,
/// namespaces, attributes, mechanisms, errors. Session ids stay covered in any case. The XML may be cut off
/// anywhere; a tag that is cut off loses its attributes.
std::string mask(std::string_view xml, Unmasked);

}  // namespace boshd
