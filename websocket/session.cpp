#include "websocket/session.hpp"

#include <cassert>
#include <utility>

#include "websocket/messages.hpp"
#include "xmpp/names.hpp"

namespace websocket {

Session::Session(const Settings& settings, std::string id, Time now)
    : settings_(&settings), id_(std::move(id)), due_(now + settings.open_timeout) {}

// --- The client ---

void Session::on_message(Time now, xml::Pool& pool, std::string_view text, Effects& effects) {
  assert(state_ != State::ended);
  if (state_ == State::finishing || state_ == State::hanging_up || is_blank(text)) return;
  const Inspected message = inspect(pool, text, settings_->limits);
  if (message.error == xml::Error::none) return on_element(now, *message.root, message.element, effects);
  const bool too_large = message.error == xml::Error::too_large;
  refuse(xmpp::condition_of(message.error), too_large ? End::message_too_large : End::bad_message,
         too_large ? CloseCode::policy_violation : CloseCode::protocol_error, effects);
}

void Session::on_element(Time now, const xml::Root& root, std::string_view element, Effects& effects) {
  if (root.ns == framing_ns && root.name == "open") return on_open(root, effects);
  if (root.ns == framing_ns && root.name == "close") return on_close(now, effects);
  if (state_ == State::expecting)  // W-037, W-040
    return refuse("invalid-namespace", End::bad_message, CloseCode::protocol_error, effects);
  const bool other_prefix =
      root.ns == xmpp::content_ns && !element.substr(1).starts_with(root.name);  // U-079
  if (root.ns == framing_ns || root.ns == xmpp::stream_ns || root.ns == xmpp::server_ns ||
      root.ns == xmpp::query_ns || other_prefix)
    return refuse("unsupported-stanza-type", End::bad_message, CloseCode::protocol_error, effects);
  if (root.ns == xmpp::tls_ns) {  // W-047
    if (state_ != State::closing)
      say_last("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", close_message(), effects);
    return finish(End::bad_message, CloseCode::protocol_error, effects);
  }
  if (streams_) effects.push_back(Forward{std::string(element)});
}

void Session::on_open(const xml::Root& root, Effects& effects) {
  const auto value = [&](std::string_view name, std::string_view ns = {}) {
    const std::string* found = root.find(name, ns);
    return found ? *found : std::string();
  };
  if (state_ == State::closing) return;
  from_ = value("from");
  std::string language = value("lang", xmpp::xml_ns);
  if (state_ != State::expecting) {
    if (!featured_) return refuse("bad-format", End::bad_message, CloseCode::protocol_error, effects);
    featured_ = false;
    restarts_ = true;
    effects.push_back(Restart{std::move(language)});
    return;
  }
  std::string to = value("to");
  if (to.empty()) return refuse("improper-addressing", End::bad_message, CloseCode::protocol_error, effects);
  if (value("version").empty())  // W-041
    return refuse("unsupported-version", End::bad_message, CloseCode::protocol_error, effects);
  state_ = State::opening;
  streams_ = true;
  restarts_ = true;
  due_ = Time::max();
  effects.push_back(Open{std::move(to), std::move(language)});
}

void Session::on_close(Time now, Effects& effects) {
  if (state_ == State::closing) return finish(End::told, code_, effects);  // W-062
  if (state_ == State::expecting) {
    effects.push_back(Send{close_message()});
    return finish(End::client_closed, CloseCode::normal, effects);
  }
  state_ = State::finishing;
  due_ = now + settings_->close_timeout;
  effects.push_back(Close{});
}

void Session::on_violation(CloseCode code, Effects& effects) {
  assert(state_ != State::ended);
  End end = End::bad_frames;
  std::string_view condition = "bad-format";
  if (code == CloseCode::too_big) end = End::message_too_large;
  if (code == CloseCode::policy_violation) end = End::overactive;
  if (end != End::bad_frames) condition = "policy-violation";
  if (code == CloseCode::invalid_data || code == CloseCode::unsupported_data)
    condition = "unsupported-encoding";
  const bool stream = state_ == State::opening || state_ == State::open;
  if (!stream) return finish(end, code, effects);
  const std::string limit = std::to_string(settings_->limits.element_bytes);
  refuse(
      condition, end, code, effects,
      end == End::message_too_large ? "The message is larger than " + limit + " bytes (max_request)." : "");
}

void Session::on_stalled(Effects& effects) {
  assert(state_ != State::ended);
  refuse("policy-violation", End::client_stalled, CloseCode::policy_violation, effects);
}

void Session::on_lost(Effects& effects) {
  assert(state_ != State::ended);
  if (state_ == State::finishing || state_ == State::hanging_up)
    return finish(End::client_closed, CloseCode::normal, effects);
  if (state_ == State::closing) return finish(End::told, code_, effects);
  finish(End::client_lost, CloseCode::normal, effects);
}

// --- The server ---

void Session::on_upstream_open(const xmpp::Header& header, Effects& effects) {
  if (!std::exchange(restarts_, false) || (state_ != State::opening && state_ != State::open)) return;
  state_ = State::open;
  answered_ = true;
  featured_ = header.version.empty();  // none will come
  effects.push_back(Send{open_message(header, from_)});
}

void Session::on_upstream(std::span<const xml::Element> elements, Effects& effects) {
  const bool heard = state_ == State::open || (state_ == State::finishing && answered_);
  if (elements.empty() || !heard) return;
  featured_ = true;
  for (const xml::Element& element : elements) effects.push_back(Send{element.to_string()});
}

void Session::on_upstream_end(Time now, Farewell farewell, Effects& effects) {
  streams_ = false;
  if (state_ == State::opening || state_ == State::open)
    return part(now, std::move(farewell), close_message(), effects);
  if (state_ != State::finishing) return;
  effects.push_back(Send{close_message()});
  state_ = State::hanging_up;
  due_ = now + settings_->close_timeout;
}

void Session::end(Time now, Farewell farewell, bool at_once, Effects& effects) {
  assert(state_ != State::ended);
  const std::string& uri = settings_->see_other_uri;
  if (state_ == State::expecting && uri.empty()) return finish(End::told, farewell.code, effects);  // W-033
  const bool unanswered = state_ == State::expecting || state_ == State::opening;
  if (unanswered && !uri.empty()) answered_ = true;  // W-071: no <open/> before it
  if (!uri.empty()) farewell.error.clear();
  if (state_ == State::expecting || state_ == State::opening || state_ == State::open)
    part(now, std::move(farewell), uri.empty() ? close_message() : close_message(uri), effects);
  if (!at_once) return;
  if (state_ == State::finishing) effects.push_back(Send{close_message()});
  finish(state_ == State::closing ? End::told : End::client_closed, code_, effects);
}

void Session::on_time(Time now, Effects& effects) {
  assert(state_ != State::ended);
  if (now < due_) return;
  if (state_ == State::expecting)  // nobody has asked for a stream that could have an error
    return finish(End::not_opened, CloseCode::policy_violation, effects);
  if (state_ == State::closing) return finish(End::told, code_, effects);
  if (state_ == State::finishing) effects.push_back(Send{close_message()});
  finish(End::client_closed, CloseCode::normal, effects);
}

// --- The end ---

/// Tells the client what is wrong, and is done with it (RFC 7395 §3.5).
void Session::refuse(std::string_view condition, End end, CloseCode code, Effects& effects,
                     std::string_view text) {
  if (state_ != State::closing) say_last(xmpp::stream_error(condition, text), close_message(), effects);
  finish(end, code, effects);
}

void Session::say_last(const std::string& error, const std::string& close, Effects& effects) {
  if (!std::exchange(answered_, true)) effects.push_back(Send{open_message({{}, id_, "1.0", {}}, from_)});
  if (!error.empty()) effects.push_back(Send{error});
  effects.push_back(Send{close});
}

/// Closes the stream from this side, and waits for the client to do the same.
void Session::part(Time now, Farewell&& farewell, const std::string& close, Effects& effects) {
  say_last(farewell.error, close, effects);
  state_ = State::closing;
  code_ = farewell.code;
  due_ = now + settings_->close_timeout;
}

void Session::finish(End end, CloseCode code, Effects& effects) {
  state_ = State::ended;
  due_ = Time::max();
  effects.push_back(Ended{end, code});
}

}  // namespace websocket
