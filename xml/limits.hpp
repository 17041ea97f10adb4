// How much XML one document may bring before it is refused.
#pragma once

#include <cstddef>
#include <limits>

namespace xml {

struct Limits {
  std::size_t element_bytes = 1024 * 1024;  // one child of the root
  std::size_t token_bytes = 64 * 1024;      // one tag; expat reads an unfinished one again at every feed
  std::size_t name_bytes = 1024;            // an element's or attribute's expanded name
  unsigned depth = 64;                      // nested elements, the root is the first
  unsigned attributes = 64;                 // of one element, declarations not counted
  unsigned declarations = 256;              // of namespaces, in scope at once: each name is looked up in them
  std::size_t elements = 10'000;            // children of the root in one feed
};

/// For what has passed limits already.
inline Limits no_limits() {
  constexpr auto most = std::numeric_limits<unsigned>::max();
  return {most, most, most, most, most, most, most};
}

}  // namespace xml
