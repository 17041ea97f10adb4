// What a reader of whole documents tells of one, and what it should tell: the same as a reader that has never
// seen another.
#pragma once

#include <string>
#include <string_view>

#include "xml/parser.hpp"

namespace tests {

/// All that a reader tells of a document.
inline std::string told(xml::Parser& parser, xml::Error error, std::string_view document) {
  std::string text(xml::to_string(error));
  if (parser.root_opened()) {
    const xml::Root& root = parser.root();
    text += "\nroot " + root.ns + "|" + root.name + " " + std::to_string(parser.root_begin()) + "-" +
            std::to_string(parser.root_end());
    for (const xml::Attribute& a : root.attributes) text += " " + a.ns + "|" + a.name + "=" + a.value;
  }
  if (parser.root_closed()) text += "\nclosed";
  for (xml::Found& child : parser.found()) {
    child.element.bytes = document.substr(child.begin, child.end - child.begin);
    text += "\n" + std::to_string(child.begin) + " " + child.element.ns + "|" + child.element.name + " " +
            child.element.to_string();
  }
  return text;
}

/// What a parser of its own makes of a document.
inline std::string alone(std::string_view document, const xml::Options& options) {
  xml::Parser parser(42);
  parser.begin();
  const xml::Error error = parser.feed(options, document, true);
  return told(parser, error, document);
}

}  // namespace tests
