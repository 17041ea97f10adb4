// An element cut out of its document, and the document's root.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xml {

/// An attribute with its value decoded. Namespace declarations are not attributes here.
struct Attribute {
  std::string ns;
  std::string name;
  std::string value;
};

/// The root's start tag.
struct Root {
  std::string ns;
  std::string name;
  std::vector<Attribute> attributes;

  /// The value of an attribute, nullptr when the root has none of that name. Attributes without a prefix have
  /// no namespace.
  const std::string* find(std::string_view name, std::string_view ns = {}) const;
};

/// `erase` bytes at `at`, counted from the element's start, give way to `insert`.
struct Edit {
  std::size_t at = 0;
  std::size_t erase = 0;
  std::string insert;
};

/// One whole child of the root, as received, with what it needs to stand alone: declarations of the
/// namespaces and the language that it had from the root (RFC 6120 §4.8.5, B-038).
struct Element {
  std::string_view bytes;  // from its `<` to its last `>`
  std::string ns;
  std::string name;
  std::string prefix;
  bool lacks_ns = false;    // no prefix, and what declares its namespace is the root
  std::vector<Edit> edits;  // in order; what else it had from the root

  bool is(std::string_view ns_wanted, std::string_view name_wanted) const {
    return name == name_wanted && ns == ns_wanted;
  }
  /// Where the name in its start tag ends.
  std::size_t name_end() const { return 1 + (prefix.empty() ? 0 : prefix.size() + 1) + name.size(); }
  /// It is this text from now on.
  void replace(std::string text) {
    lacks_ns = false;
    edits = {Edit{0, bytes.size(), std::move(text)}};
  }
  /// Appends the element so that it means the same in any context.
  void append_to(std::string& out) const;
  std::string to_string() const;
};

}  // namespace xml
