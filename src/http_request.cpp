#include "src/http_request.hpp"

#include <algorithm>

namespace boshd {

std::size_t RequestReader::read(std::string_view bytes) {
  if (state_ == State::continue_first) state_ = State::reading;
  std::size_t used = 0;
  if (state_ == State::reading && !head_.done()) used = read_head(bytes);
  if (state_ == State::reading && used < bytes.size()) used += read_body(bytes.substr(used));
  return used;
}

std::size_t RequestReader::read_head(std::string_view bytes) {
  const auto used = head_.read(bytes);
  if (head_.status() != 0) {
    state_ = State::failed;
  } else if (head_.done()) {
    body_left_ = head_.length();
    oversized_ = body_left_ > most_of_body_;
    if (!head_.chunked() && body_left_ == 0)
      state_ = State::complete;
    else if (head_.expects_continue() && oversized_)
      state_ = State::too_large;
    else if (head_.expects_continue() && used == bytes.size())  // else it does not wait
      state_ = State::continue_first;
  }
  return used;
}

std::size_t RequestReader::read_body(std::string_view bytes) {
  if (head_.chunked()) return read_chunks(bytes);
  const auto part =
      bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, bytes.size())));
  body_left_ -= part.size();
  take_body(part, body_left_ == 0);
  return part.size();
}

std::size_t RequestReader::read_chunks(std::string_view bytes) {
  std::size_t used = 0;
  while (state_ == State::reading && used < bytes.size()) {
    const auto step = chunks_.read(bytes.substr(used));
    used += step.used;
    if (chunks_.status() != 0) {
      state_ = State::failed;
      break;
    }
    // A chunk too much is known from its size, before its data.
    if (!oversized_) oversized_ = step.data.size() + chunks_.left() > most_of_body_ - request().body.size();
    take_body(step.data, chunks_.done());
  }
  return used;
}

/// What follows is counted here: the start of a body too large is kept.
void RequestReader::take_body(std::string_view part, bool end) {
  auto& body = request().body;
  const auto most = oversized_ ? kept_of_too_large : most_of_body_;
  body += part.substr(0, most - std::min(most, body.size()));
  if (oversized_ && (end || body.size() >= kept_of_too_large)) {
    state_ = State::too_large;
  } else if (end) {
    state_ = State::complete;
  }
}

}  // namespace boshd
