// Payload in script syntax: what stands in the bodies is one stream of octets, cut anywhere (XEP-0252 §2.2).
#pragma once

#include <string>
#include <string_view>

#include "bosh/body.hpp"

namespace bosh {

/// Like parse_body, but what is in the body is taken as it stands: a slice.
ParsedBody parse_slice(xml::Pool&, std::string_view bytes, const xml::Limits&);

/// Puts the slices of a session together, in rid order.
class Slices {
 public:
  explicit Slices(xml::Pool&, const xml::Limits&);

  struct Whole {
    std::string payload;  // whole elements, ready for the XMPP stream
    std::string fault;    // empty: they are fine
    unsigned elements = 0;
  };
  Whole add(xml::Pool&, std::string_view slice);

 private:
  xml::Options options_;
  xml::Splitter splitter_;
};

}  // namespace bosh
