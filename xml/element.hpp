// An element cut out of its document, and the document's root.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
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
  std::vector<Edit> edits;  // in order

  bool is(std::string_view ns_wanted, std::string_view name_wanted) const {
    return name == name_wanted && ns == ns_wanted;
  }
  /// Appends the element so that it means the same in any context.
  void append_to(std::string& out) const;
  std::string to_string() const;
};

}  // namespace xml
