// What a trace shows of XML, whole or cut off: nothing before a secret uncovers it, and the structure stays.
#include "src/operate/mask.hpp"

#include "tests/fuzz/check.hpp"
#include "tests/fuzz/plain_reader.hpp"

namespace {

using boshd::Unmasked;
using fuzz::require;

constexpr std::string_view secret = "QJXQJX";

std::string masked(std::string_view xml, Unmasked unmasked) {
  return boshd::mask(fuzz::Exact(xml).view(), unmasked);
}

/// What a stream may hold, roughly: expat alone also reads other encodings, and declarations of documents.
void check_structure(std::string_view xml) {
  if (!xml.starts_with('<') || xml.find('\0') != xml.npos || xml.find("<!DOCTYPE") != xml.npos) return;
  const fuzz::PlainDocument plain = fuzz::read_plainly(xml);
  if (!plain.well_formed) return;
  const std::string shown = masked(xml, {});
  const fuzz::PlainDocument covered = fuzz::read_plainly(shown);
  require(covered.well_formed, "what is covered stays well-formed", shown);
  require(covered.root.name == plain.root.name, "the root stays", shown);
  require(covered.children.size() == plain.children.size(), "all children stay", shown);
}

void check_secret(std::string_view before) {
  if (before.find(secret) != before.npos) return;
  std::string xml = "<iq>";
  xml.append(before).append("<password>").append(secret).append("</password>");
  if (!fuzz::read_plainly(xml + "</iq>").well_formed) return;
  const std::string shown = masked(xml, {.bodies = true});
  require(shown.find(secret) == shown.npos, "a secret is covered whatever stands before it", shown);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input = fuzz::text(bytes, size);
  for (const Unmasked unmasked : {Unmasked{}, Unmasked{.bodies = true, .secrets = true}})
    masked(input, unmasked);
  check_structure(input);
  check_secret(input);
  return 0;
}
