#include "xmpp/stream.hpp"

#include <algorithm>
#include <utility>

#include "xmpp/features.hpp"
#include "xmpp/jid.hpp"
#include "xmpp/names.hpp"

namespace xmpp {

namespace {

constexpr std::string_view legacy_login_ns = "jabber:iq:auth";

bool enables_management(const xml::Element& element) {
  if (element.is(sasl2_ns, "success")) return element.bytes.find(management_ns) != element.bytes.npos;
  return element.ns.starts_with(management_ns) && (element.name == "enabled" || element.name == "resumed");
}

/// For a server whose XML is refused.
std::string last_words(xml::Error error) {
  return stream_error(condition_of(error)) + std::string(stream_footer);
}

}  // namespace

Stream::Stream(std::string domain, std::string language, const xml::Limits& limits, bool tells_language)
    : domain_(std::move(domain)),
      language_(std::move(language)),
      limits_(&limits),
      tells_language_(tells_language) {}

// The client may know the language it asked for; another one, the server's default, has to stand on each
// stanza.
xml::Options Stream::options() const {
  xml::Options options;
  options.limits = *limits_;
  options.inherit_language = true;
  options.language_ns = content_ns;
  if (!tells_language_) options.language = language_;
  return options;
}

std::string Stream::open(Tls tls, bool secured) {
  splitter_ = {};
  header_.reset();
  tls_ = tls;
  secured_ = secured;
  if (state_ == State::closed) return {};
  std::string header = stream_header(domain_, language_);
  if (state_ == State::finishing) return header += stream_footer;  // the client has closed in the meantime
  state_ = State::opening;
  return header;
}

std::string Stream::secured() {
  return open(tls_, true);
}

std::string Stream::restart(std::string_view language) {
  if (state_ != State::open) return {};  // there is nothing yet to open anew
  if (!language.empty()) language_ = language;
  splitter_ = {};
  return stream_header(domain_, language_);
}

std::string Stream::send(std::string&& stanzas) {
  if (!authenticated_) asks_legacy_login_ |= stanzas.find(legacy_login_ns) != stanzas.npos;
  if (state_ == State::open) return std::move(stanzas);
  if (state_ == State::opening || state_ == State::negotiating) unsent_ += stanzas;
  return {};
}

Received Stream::receive(xml::Pool& pool, std::string_view bytes, xml::Batch& batch) {
  Received received;
  if (state_ == State::closed) return received;
  const std::size_t kept = splitter_.pending();
  const xml::Error error = splitter_.feed(pool, options(), bytes, batch);
  if (batch.root_opened && !is_stream_header(batch.root)) {
    end(received, End::bad_xml, {}, last_words(xml::Error::text));
    return received;
  }
  if (batch.root_opened) header_ = std::make_unique<Header>(read_header(batch.root));
  if (state_ == State::negotiating) {
    const bool joined = !batch.joined.empty();
    const bool all_read = joined
                              ? batch.joined.size() == kept + bytes.size()
                              : !batch.elements.empty() && batch.elements.back().bytes.end() == bytes.end();
    negotiate(received, batch, error, all_read);
    return received;
  }
  const auto failure =
      std::ranges::find_if(batch.elements, [](const xml::Element& e) { return e.is(stream_ns, "error"); });
  received.elements = std::span(batch.elements.begin(), failure);
  if (state_ == State::opening) read_opening(pool, received);
  if (received.ended) return received;
  if (state_ == State::negotiating) {
    const bool more = !batch.elements.back().is(stream_ns, "features") || batch.root_closed;
    if (more || error != xml::Error::none) received.reply.clear();
    if (failure != batch.elements.end())
      end(received, End::stream_error, failure->to_string(), stream_footer);
    else if (more || error != xml::Error::none)
      end(received, End::tls_refused, "the server goes on behind its features, where <starttls/> is to come",
          {});
    return received;
  }
  if (state_ != State::opening) tell_header(received);
  for (xml::Element& element : received.elements) {
    take_note(pool, element, received);
    if (element.is(stream_ns, "features")) element.replace(filter_features(pool, element));
  }
  if (state_ == State::open) received.reply = std::exchange(unsent_, {});
  if (failure != batch.elements.end())
    end(received, End::stream_error, failure->to_string(), stream_footer);
  else if (batch.root_closed)  // whatever follows
    end(received, End::closed_by_server, {}, stream_footer);
  else if (error != xml::Error::none)
    end(received, End::bad_xml, {}, last_words(error));
  return received;
}

/// What comes before the stream is the client's: it is, once it need not be encrypted any more.
void Stream::read_opening(xml::Pool& pool, Received& received) {
  const auto features = std::ranges::find_if(
      received.elements, [](const xml::Element& e) { return e.is(stream_ns, "features"); });
  if (features != received.elements.end()) {
    if (!starts_tls(pool, *features, received)) ready();
  } else if (header_ && header_->version.empty()) {  // no features follow (U-026)
    if (tls_ == Tls::always && !secured_) {
      received.elements = {};
      end(received, End::tls_refused, "the server is older than XMPP 1.0 and has no STARTTLS", stream_footer);
    } else {
      ready();
    }
    authenticated_ = true;  // nothing here would show it
  } else if (tls_ == Tls::never || secured_) {
    tell_header(received);
  }
  if (state_ == State::opening && tls_ != Tls::never && !secured_ && !received.ended) received.elements = {};
}

void Stream::tell_header(Received& received) {
  if (header_) received.opened = std::move(*header_);
  header_.reset();
}

/// Whether this stream gives way to an encrypted one (U-033, U-034, U-044).
bool Stream::starts_tls(xml::Pool& pool, const xml::Element& features, Received& received) {
  if (tls_ == Tls::never || secured_) return false;
  const TlsOffer offer = tls_offer(pool, features);
  const bool wanted = tls_ == Tls::always || (tls_ == Tls::when_offered && offer.offered) || offer.required;
  if (!wanted) return false;
  received.elements = {};
  if (!offer.offered) {
    end(received, End::tls_refused, "the server offers no STARTTLS", stream_footer);
    return true;
  }
  received.reply = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
  state_ = State::negotiating;
  return true;
}

/// `all_read`: nothing stands behind the last element. Whatever did would be taken for a part of the
/// encrypted stream by a careless reader (CVE-2011-0411).
void Stream::negotiate(Received& received, const xml::Batch& batch, xml::Error error, bool all_read) {
  if (batch.elements.empty() && !batch.root_closed && error == xml::Error::none) return;
  const bool proceed = !batch.elements.empty() && batch.elements.front().is(tls_ns, "proceed");
  received.start_tls = proceed && batch.elements.size() == 1 && all_read;
  if (received.start_tls) return;
  const std::string_view why = proceed ? "plain text follows <proceed/>, where TLS has to begin"
                                       : "the server answers <starttls/> with something else than <proceed/>";
  end(received, End::tls_refused, std::string(why), {});
}

/// What an element shows of the client's standing with the server.
void Stream::take_note(xml::Pool& pool, const xml::Element& element, Received& received) {
  if (!named_) look_for_jid(pool, element, received);
  managed_ |= enables_management(element);
  if (element.ns == sasl_ns || element.ns == sasl2_ns) {
    authenticated_ |= element.name == "success";
    if (element.name == "failure" && element.bytes.find("not-authorized") != element.bytes.npos)
      ++received.failed_logins;
  } else if (!authenticated_ && element.ns == content_ns) {
    // Login by jabber:iq:auth ends with a result that is empty. Registering an account is no login.
    const bool result = asks_legacy_login_ && element.bytes.find(legacy_login_ns) == element.bytes.npos &&
                        element.bytes.find("error") == element.bytes.npos;
    authenticated_ = element.name != "iq" || result;
  }
}

/// Resources are bound before anything else is said. SASL2 without bind tells the bare JID, and the full one
/// comes later.
void Stream::look_for_jid(xml::Pool& pool, const xml::Element& element, Received& received) {
  std::string jid = bound_jid(pool, element);
  named_ = jid.find('/') != jid.npos || (element.ns == content_ns && element.name != "iq") ||
           (element.name == "resumed" && element.ns.starts_with(management_ns));
  if (!jid.empty()) received.jid = std::move(jid);
}

void Stream::end(Received& received, End end, std::string error, std::string_view reply) {
  // Another server may still do what this one did not.
  const State next = end == End::tls_refused ? State::opening : State::closed;
  if (std::exchange(state_, next) != State::finishing) received.reply += reply;
  received.ended = Received::Ended{end, std::move(error)};
}

void Stream::ready() {
  state_ = State::open;
}

std::string Stream::finish() {
  if (state_ == State::finishing || state_ == State::closed) return {};
  state_ = State::finishing;
  return std::string(stream_footer);
}

std::string Stream::close() {
  std::string footer = finish();
  state_ = State::closed;
  return footer;
}

}  // namespace xmpp
