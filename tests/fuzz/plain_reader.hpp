// Another reader of XML to compare with: expat, and nothing of ours.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

struct PlainElement {
  std::string name;  // "namespace local", and so are those of attributes
  std::string language;
  bool has_language = false;  // xml:lang, which is not among the attributes
  std::vector<std::string> attributes;
};

/// What a root's child consists of.
struct PlainChild {
  PlainElement top;
  std::string inside;  // all start tags, end tags and text in it
};

struct PlainDocument {
  bool well_formed = false;
  PlainElement root;
  std::string inside;                // the same for the root
  std::vector<PlainChild> children;  // those that are complete
};

/// Names in the namespace `renamed` are told as if they were in `renamed_to`.
PlainDocument read_plainly(std::string_view document, std::string_view renamed = {},
                           std::string_view renamed_to = {});

/// For messages, and to compare.
std::string to_string(const PlainElement&);

}  // namespace fuzz
