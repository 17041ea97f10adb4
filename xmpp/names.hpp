// The namespaces that a client stream knows (RFC 6120).
#pragma once

#include <string_view>

namespace xmpp {

inline constexpr std::string_view stream_ns = "http://etherx.jabber.org/streams";
inline constexpr std::string_view content_ns = "jabber:client";
inline constexpr std::string_view server_ns = "jabber:server";  // of streams between servers
inline constexpr std::string_view stream_error_ns = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr std::string_view tls_ns = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr std::string_view sasl_ns = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view sasl2_ns = "urn:xmpp:sasl:2";
inline constexpr std::string_view bind_ns = "urn:ietf:params:xml:ns:xmpp-bind";
inline constexpr std::string_view management_ns = "urn:xmpp:sm:";  // and a version
/// What boshd tells a server of a client's URL; no client may say it itself.
inline constexpr std::string_view query_ns = "urn:boshd:query:0";
inline constexpr std::string_view xml_ns = "http://www.w3.org/XML/1998/namespace";

}  // namespace xmpp
