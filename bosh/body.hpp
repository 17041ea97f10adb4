// The `<body/>` of a request as a struct (XEP-0124 §6, §7; XEP-0206 §3, §5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "xml/splitter.hpp"

namespace bosh {

inline constexpr std::string_view httpbind_ns = "http://jabber.org/protocol/httpbind";
inline constexpr std::string_view xbosh_ns = "urn:xmpp:xbosh";

/// The largest legal rid, 2^53 - 1 (XEP-0124 §14.1).
inline constexpr std::uint64_t largest_rid = 9007199254740991;

/// `ver`: two integers, so that 1.6 is lower than 1.10 (XEP-0124 §7.1).
struct Version {
  unsigned major = 0;
  unsigned minor = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

/// One request. Numbers are only there when the request had them.
struct Body {
  std::uint64_t rid = 0;
  std::string sid;  // empty: a session creation request
  std::string to;
  std::string from;
  std::string route;  // where the client wants to be taken (XEP-0124 §7)
  std::string language;
  std::string content;  // the media type that the client wants responses to have (XEP-0124 §7.1)
  std::string stream;   // empty: none is named (XEP-0124 §16)
  std::string key;      // XEP-0124 §15
  std::string newkey;
  std::optional<Version> version;
  std::optional<std::uint64_t> wait;  // seconds
  std::optional<std::uint64_t> hold;
  std::optional<std::uint64_t> ack;
  std::optional<std::uint64_t> pause;  // seconds
  std::string xmpp_version;
  bool legacy = false;     // without `ver`: conditions are told as HTTP codes (XEP-0124 §17.1)
  bool terminate = false;  // type='terminate', also with a condition that the client reports (B-192)
  bool restart = false;    // xmpp:restart
  bool talks = false;      // has a message or presence, so its sender has logged in
  std::string payload;     // the children, each complete in itself, ready for the XMPP stream
  unsigned elements = 0;   // in it; not known of a slice

  bool creates() const { return sid.empty(); }
  /// May be one more than the number of requests (XEP-0124 §11).
  bool is_extra() const { return terminate || pause; }
  /// Asks for another stream in its session (XEP-0124 §16.3). A restart, too, is empty and has `to` (B-172).
  bool adds_stream() const {
    return !creates() && !to.empty() && payload.empty() && !restart && !terminate && !pause;
  }
};

/// What was read of a request. `root_read` says that rid and sid may be believed, even if something else is
/// at fault.
struct ParsedBody {
  Body body;
  bool root_read = false;
  std::size_t content_at = 0;  // where the start tag ends
  std::string fault;           // why the request is a bad-request (XEP-0124 §17.2); empty: it is fine
};

/// Reads a whole request. Nothing of it is to go upstream when there is a fault.
ParsedBody parse_body(xml::Pool&, std::string_view bytes, const xml::Limits&);

/// How payload is read: what is in the namespace of BOSH means the stream's.
xml::Options payload_options(const xml::Limits&);
/// Why an element of a client must not go into a stream; empty: it may (X-010..X-014).
std::string refuse_payload(const xml::Element&);

/// Reads what can be read of a request that is cut off: rid and sid.
ParsedBody parse_body_start(xml::Pool&, std::string_view bytes, const xml::Limits&);

}  // namespace bosh
