#include "src/http_chunks.hpp"

#include <algorithm>
#include <charconv>

#include "src/text.hpp"

namespace boshd {
namespace {

bool quotes_are_closed(std::string_view text) {
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      inside = !inside;
    }
  }
  return !inside;
}

/// What may follow a chunk's size: nothing, or a semicolon and a name. An open quote could hide the line's
/// end from somebody else.
bool is_extension(std::string_view text) {
  if (text.empty()) return true;
  const auto extension = trim(text);
  if (!extension.starts_with(';')) return false;
  return is_token(trim(extension.substr(1)).substr(0, 1)) && quotes_are_closed(extension);
}

}  // namespace

ChunkReader::Step ChunkReader::read(std::string_view bytes) {
  if (left_ > 0) {
    const auto data = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
    left_ -= data.size();
    return {data.size(), data};
  }
  std::size_t used = 0;
  while (used < bytes.size() && status_ == 0 && !done_ && left_ == 0) take(bytes[used++]);
  return {used, {}};
}

void ChunkReader::take(char c) {
  if (line_is_ == Line::trailer && ++trailer_bytes_ > limit_) {
    status_ = 431;
  } else if (after_cr_ && c == '\n') {
    after_cr_ = false;
    end_line();
    line_.clear();
  } else if (after_cr_ || (c != '\r' && (is_control(c) || line_.size() == longest()))) {
    status_ = 400;
  } else if (c == '\r') {
    after_cr_ = true;
  } else {
    line_ += c;
  }
}

std::size_t ChunkReader::longest() const {
  switch (line_is_) {
    case Line::size:
      return longest_line;
    case Line::data_end:
      return 0;
    case Line::trailer:
      break;
  }
  return limit_;
}

void ChunkReader::end_line() {
  if (line_is_ == Line::size) {
    begin_chunk();
  } else if (line_is_ == Line::data_end) {
    line_is_ = Line::size;
  } else if (line_.empty()) {
    done_ = true;
  } else if (field_name(line_).empty()) {
    status_ = 400;
  }
}

void ChunkReader::begin_chunk() {
  const auto* const end = line_.data() + line_.size();
  const auto [digits_end, error] = std::from_chars(line_.data(), end, left_, 16);
  const std::string_view extension(digits_end, static_cast<std::size_t>(end - digits_end));
  extension_bytes_ += extension.size();
  if (error != std::errc{} || !is_extension(extension) || extension_bytes_ > limit_) {
    left_ = 0;
    status_ = 400;
  } else {
    line_is_ = left_ == 0 ? Line::trailer : Line::data_end;
  }
}

}  // namespace boshd
