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

}  // namespace

Stream::Stream(std::string domain, std::string language, const xml::Limits& limits)
    : domain_(std::move(domain)), language_(std::move(language)), limits_(limits), splitter_(options()) {}

// The client knows the language it asked for; another one, the server's default, has to stand on each stanza.
xml::Options Stream::options() const {
  xml::Options options;
  options.limits = limits_;
  options.inherit_language = true;
  options.language = language_;
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
      end(received, End::bad_xml, {}, stream_error(xml::Error::text));
      return received;
    }
    if (!std::exchange(header_told_, true)) {
      received.opened = read_header(batch.root);
      if (received.opened->version.empty()) state_ = State::open;
    }
  }
  const auto failure =
      std::ranges::find_if(batch.elements, [](const xml::Element& e) { return e.is(stream_ns, "error"); });
  received.elements = std::span(batch.elements.begin(), failure);
  for (xml::Element& element : received.elements) {
    managed_ |= enables_management(element);
    if (!element.is(stream_ns, "features")) continue;
    element.edits = {xml::Edit{0, element.bytes.size(), filter_features(pool, element)}};
    state_ = State::open;
  }
  if (state_ == State::open) received.reply = std::exchange(unsent_, {});
  if (failure != batch.elements.end())
    end(received, End::stream_error, failure->to_string(), stream_footer);
  else if (batch.root_closed)  // whatever follows
    end(received, End::closed_by_server, {}, stream_footer);
  else if (error != xml::Error::none)
    end(received, End::bad_xml, {}, stream_error(error));
  return received;
}

void Stream::end(Received& received, End end, std::string error, std::string_view reply) {
  state_ = State::closed;
  received.reply += reply;
  received.ended = Received::Ended{end, std::move(error)};
}

std::string Stream::close() {
  if (std::exchange(state_, State::closed) == State::closed) return {};
  return std::string(stream_footer);
}

}  // namespace xmpp
