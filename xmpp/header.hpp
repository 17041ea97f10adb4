// Stream headers and stream errors, written and read (RFC 6120 §4.7, §4.9).
#pragma once

#include <string>
#include <string_view>

#include "xml/element.hpp"
#include "xml/parser.hpp"

namespace xmpp {

/// What the server's header said. Old servers leave things out (U-028).
struct Header {
  std::string from;
  std::string id;
  std::string version;  // empty: older than XMPP 1.0, no features follow (U-026)
  std::string language{};
};

/// The header that a client sends: XML declaration and the open root (U-018..U-025). `to` is the domain that
/// the client named; no xml:lang when it gave none.
std::string stream_header(std::string_view to, std::string_view language);

/// Whether the root is a stream header of a client stream.
bool is_stream_header(const xml::Root&);
Header read_header(const xml::Root&);

inline constexpr std::string_view stream_footer = "</stream:stream>";

/// The stream error for bad XML (U-087..U-089, U-102).
std::string_view condition_of(xml::Error);

/// A stream error that stands alone (RFC 6120 §4.9). `text` is for people, in English; it may be empty.
std::string stream_error(std::string_view condition, std::string_view text = {});

}  // namespace xmpp
