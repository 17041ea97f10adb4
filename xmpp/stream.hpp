// The client side of an XMPP stream (RFC 6120 §4) as plain data and transitions. Bytes in, elements out.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "xml/splitter.hpp"
#include "xmpp/end.hpp"
#include "xmpp/header.hpp"

namespace xmpp {

/// When a stream is to be encrypted before anything of it reaches the client (RFC 6120 §5).
enum class Tls : std::uint8_t {
  never,
  when_required,  // by the server
  when_offered,
  always,
};

/// What some bytes of the server brought, in this order. The elements are slices of the bytes and of the
/// batch.
struct Received {
  std::optional<Header> opened;      // the stream's header, also after a restart
  std::span<xml::Element> elements;  // for the client, features filtered
  std::string reply;                 // to be written to the server
  bool start_tls = false;            // the handshake begins now; `secured` when it is done
  unsigned failed_logins = 0;
  std::string jid;  // the client's, when it becomes known
  struct Ended {
    End end;
    std::string error;  // the server's stream:error, complete in itself; of tls_refused, what is wrong
  };
  std::optional<Ended> ended;  // nothing more comes of this stream
};

/// One stream over one connection. Made when a session is; `open` once the connection stands; after `ended`
/// no bytes are given to it any more.
class Stream {
 public:
  /// The limits outlive the stream. `language`: what the client gave as xml:lang; may be empty.
  /// `tells_language`: it stands on each stanza all the same, since each is a document of its own (RFC 7395
  /// §3.3.3).
  Stream(std::string domain, std::string language, const xml::Limits&, bool tells_language = false);
  Stream(std::string, std::string, const xml::Limits&&, bool = false) = delete;

  /// The header that opens the stream, on a connection that has just been made, also after another server has
  /// refused TLS. `secured`: it is encrypted already.
  std::string open(Tls = Tls::never, bool secured = false);
  /// The connection is encrypted now: a new stream, and nothing of the old one is believed (U-036, U-038).
  std::string secured();
  /// An element of our own for the server, before the first of the client's.
  void introduce(std::string_view element) { unsent_.insert(0, element); }
  /// A new stream on the same connection, after SASL (RFC 6120 §4.3.3): no footer before it, and nothing of
  /// the old stream's parser is used again.
  std::string restart(std::string_view language);
  /// Elements of the client: what of them can be written now. Until the server's features came they are kept.
  std::string send(std::string&& stanzas);
  Received receive(xml::Pool&, std::string_view bytes, xml::Batch&);
  /// The footer, once; what the server still says is read on until its own.
  std::string finish();
  /// The same, and nothing is read any more; empty when the stream was never opened or is closed already.
  /// Elements of the client that still waited for the stream to open are given up.
  std::string close();

  /// Bytes that wait for the stream to open.
  std::size_t unsent() const { return unsent_.size(); }
  const std::string& domain() const { return domain_; }
  /// The server keeps what the client didn't acknowledge, and its session when the connection is lost
  /// (XEP-0198).
  bool managed() const { return managed_; }
  /// The server knows who the client is, as far as one can see from here.
  bool authenticated() const { return authenticated_; }

 private:
  enum class State : std::uint8_t { opening, negotiating, open, finishing, closed };

  xml::Options options() const;
  void read_opening(xml::Pool&, Received&);
  bool starts_tls(xml::Pool&, const xml::Element& features, Received&);
  void negotiate(Received&, const xml::Batch&, xml::Error, bool all_read);
  void take_note(xml::Pool&, const xml::Element&, Received&);
  void look_for_jid(xml::Pool&, const xml::Element&, Received&);
  void tell_header(Received&);
  void ready();
  void end(Received&, End, std::string error, std::string_view reply);

  std::string domain_;
  std::string language_;
  const xml::Limits* limits_;
  bool tells_language_;
  xml::Splitter splitter_;
  State state_ = State::opening;
  Tls tls_ = Tls::never;
  bool secured_ = false;
  bool managed_ = false;
  bool authenticated_ = false;
  bool named_ = false;              // the client's JID is known, or will not be told any more
  bool asks_legacy_login_ = false;  // XEP-0078
  std::unique_ptr<Header> header_;  // until it is clear that this stream is the client's
  std::string unsent_;              // what waits for the stream to open
};

}  // namespace xmpp
