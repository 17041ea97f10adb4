// The messages of RFC 7395: what a client's is, and how those of the server are written.
#pragma once

#include <string>
#include <string_view>

#include "xml/splitter.hpp"
#include "xmpp/header.hpp"

namespace websocket {

inline constexpr std::string_view framing_ns = "urn:ietf:params:xml:ns:xmpp-framing";

/// A client's message: one whole element and nothing else (RFC 7395 §3.3.3).
struct Inspected {
  xml::Error error = xml::Error::none;
  const xml::Root* root = nullptr;  // its start tag, the parser's: until that reads another document
  std::string_view element;         // without the XML declaration that may stand before it
};
Inspected inspect(xml::Pool&, std::string_view message, const xml::Limits&);

/// Only white space, or nothing: what some clients send to keep a connection alive.
bool is_blank(std::string_view message);

/// `<open/>` with what the server's header says; `to` is what the client calls itself, or empty.
std::string open_message(const xmpp::Header&, std::string_view to);

/// `<close/>`, byte for byte as Strophe looks for it; with an address, the client goes on there (RFC 7395
/// §3.6.1).
std::string close_message(std::string_view see_other_uri = {});

}  // namespace websocket
