#include "xmpp/stream.hpp"

#include <algorithm>
#include <utility>

#include "xmpp/features.hpp"
#include "xmpp/names.hpp"

namespace xmpp {

namespace {

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
      limits_(limits),
      tells_language_(tells_language),
      splitter_(options()) {}

// The client may know the language it asked for; another one, the server's default, has to stand on each
// stanza.
xml::Options Stream::options() const {
  xml::Options options;
  options.limits = limits_;
  options.inherit_language = true;
  options.language_ns = content_ns;
  if (!tells_language_) options.language = language_;
  return options;
}

std::string Stream::open() const {
  return stream_header(domain_, language_);
}

std::string Stream::restart(std::string_view language) {
  if (state_ != State::open) return {};  // there is nothing yet to open anew
  if (!language.empty()) language_ = language;
  splitter_ = xml::Splitter(options());
  return stream_header(domain_, language_);
}

std::string Stream::send(std::string&& stanzas) {
  if (state_ == State::open) return std::move(stanzas);
  if (state_ == State::opening) unsent_ += stanzas;
  return {};
}

Received Stream::receive(xml::Pool& pool, std::string_view bytes, xml::Batch& batch) {
  Received received;
  if (state_ == State::closed) return received;
  const xml::Error error = splitter_.feed(pool, bytes, batch);
  if (batch.root_opened) {
    if (!is_stream_header(batch.root)) {
      end(received, End::bad_xml, {}, last_words(xml::Error::text));
      return received;
    }
    received.opened = read_header(batch.root);
    if (received.opened->version.empty()) ready();
  }
  const auto failure =
      std::ranges::find_if(batch.elements, [](const xml::Element& e) { return e.is(stream_ns, "error"); });
  received.elements = std::span(batch.elements.begin(), failure);
  for (xml::Element& element : received.elements) {
    managed_ |= enables_management(element);
    if (!element.is(stream_ns, "features")) continue;
    element.edits = {xml::Edit{0, element.bytes.size(), filter_features(pool, element)}};
    ready();
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

void Stream::end(Received& received, End end, std::string error, std::string_view reply) {
  if (std::exchange(state_, State::closed) != State::finishing) received.reply += reply;
  received.ended = Received::Ended{end, std::move(error)};
}

void Stream::ready() {
  if (state_ == State::opening) state_ = State::open;
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
