#include "src/http_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "src/address.hpp"
#include "src/text.hpp"

namespace boshd {
namespace {

constexpr unsigned most_empty_lines = 4;      // before the request line
constexpr std::size_t longest_target = 8000;  // D-055
constexpr Alphabet host_alphabet("-._~%");

/// Where the first control character stands; the text's size when it has none. Eight bytes are looked at at
/// once: one that borrows when 0x20 is taken from it may be such a character, or a tab; so may 0x7f.
std::size_t find_control(std::string_view text) {
  constexpr std::uint64_t each = 0x0101010101010101;
  std::size_t at = 0;
  for (std::uint64_t bytes = 0; at + sizeof bytes <= text.size(); at += sizeof bytes) {
    std::memcpy(&bytes, text.data() + at, sizeof bytes);
    const auto low = bytes - each * 0x20;
    const auto del = (bytes ^ each * 0x7f) - each;
    if (((low | del) & ~bytes & each * 0x80) == 0) continue;
    for (auto i = at; i < at + sizeof bytes; ++i)
      if (is_control(text[i])) return i;
  }
  while (at < text.size() && !is_control(text[at])) ++at;
  return at;
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_ipv6_in_brackets(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
  const auto inside = text.substr(1, text.size() - 2);
  return inside.find(':') != std::string_view::npos && parse_ip(inside);
}

/// A host and an optional port. No commas (two hosts joined), no user, no path (D-056).
bool is_authority(std::string_view text) {
  const auto colon = text.find(':', text.starts_with('[') ? text.find(']') : 0);
  const auto host = text.substr(0, colon);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  return host_alphabet.spells(host) || is_ipv6_in_brackets(host);
}

/// None: nobody here knows it. Those of HTTP itself are known (RFC 9110 §9, RFC 5789), those of WebDAV and
/// others not.
std::optional<Method> method_of(std::string_view name) {
  static constexpr std::pair<std::string_view, Method> methods[] = {
      {"POST", Method::post},     {"GET", Method::get},     {"OPTIONS", Method::options},
      {"HEAD", Method::head},     {"PUT", Method::other},   {"DELETE", Method::other},
      {"CONNECT", Method::other}, {"TRACE", Method::other}, {"PATCH", Method::other},
  };
  for (const auto& [known, method] : methods)
    if (name == known) return method;
  return std::nullopt;
}

}  // namespace

std::size_t HeadReader::read(std::string_view bytes) {
  std::size_t used = 0;
  while (!done_ && status_ == 0 && used < bytes.size()) used += read_line(bytes.substr(used));
  return used;
}

/// Goes on to the end of a line, or as far as there are bytes. Its end is the first control character, or
/// else that is a fault, also CR and LF on their own (D-052, D-059).
std::size_t HeadReader::read_line(std::string_view bytes) {
  auto rest = bytes.substr(0, room_);
  const auto size = rest.size();
  const auto text = rest.substr(0, after_cr_ ? 0 : find_control(rest));
  rest.remove_prefix(text.size());
  if (!after_cr_ && rest.starts_with('\r')) {
    after_cr_ = true;
    rest.remove_prefix(1);
  }
  if (rest.empty()) {
    line_ += text;
  } else if (std::exchange(after_cr_, false) && rest.starts_with('\n')) {
    rest.remove_prefix(1);
    end_line(text);
  } else {
    status_ = 400;
  }
  room_ -= size - rest.size();
  if (status_ == 0 && !done_ && room_ == 0) status_ = 431;  // D-081
  return size - rest.size();
}

/// A line is copied only when it came in pieces.
void HeadReader::end_line(std::string_view text) {
  if (line_.empty()) {
    status_ = take_line(text);
  } else {
    line_ += text;
    status_ = take_line(line_);
    line_.clear();
  }
}

unsigned HeadReader::take_line(std::string_view line) {
  if (has_request_line_) {
    if (line.empty()) return finish();
    return fields_left_-- == 0 ? 431 : field(line);
  }
  if (!line.empty()) return request_line(line);
  room_ += 2;
  return ++empty_lines_ > most_empty_lines ? 400 : 0;  // D-053
}

unsigned HeadReader::request_line(std::string_view line) {
  has_request_line_ = true;
  const auto name = cut(line, " ");
  const auto text = cut(line, " ");
  if (!is_token(name)) return 400;
  if (const auto status = version(line)) return status;
  if (const auto status = target(name, text)) return status;
  const auto method = method_of(name);
  if (!method) return 501;  // D-045
  request_.method = *method;
  return 0;
}

unsigned HeadReader::version(std::string_view text) {
  const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                           text[6] == '.' && is_digit(text[7]);
  if (!well_formed) return 400;
  request_.version = text == "HTTP/1.0" ? 10 : 11;
  return request_.version == 10 || text == "HTTP/1.1" ? 0 : 505;
}

unsigned HeadReader::target(std::string_view method, std::string_view text) {
  if (text.size() > longest_target) return 414;
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!visible || text.find('#') != std::string_view::npos) return 400;
  request_.target = text;
  if (method == "CONNECT") return is_authority(text) ? 0 : 400;
  if (text == "*") return method == "OPTIONS" ? 0 : 400;
  return text.starts_with('/') ? 0 : absolute_target(text);
}

unsigned HeadReader::absolute_target(std::string_view text) {
  const auto scheme = cut(text, "://");
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) return 400;
  const auto end = std::min(text.find_first_of("/?"), text.size());
  request_.host = text.substr(0, end);
  request_.target = text.substr(end);
  if (!request_.target.starts_with('/')) request_.target.insert(0, "/");
  has_absolute_target_ = true;
  return is_authority(request_.host) ? 0 : 400;
}

/// A field that is looked at: to keep it, or to do something with its value.
struct HeadReader::Field {
  std::string_view name;
  std::string HttpRequest::*kept = nullptr;
  unsigned (HeadReader::*take)(std::string_view value) = nullptr;
  bool for_access_log = false;
};

/// All of them by length, so that a name has few to be compared with.
struct HeadReader::Fields {
  static constexpr Field all[] = {
      {.name = "Host", .take = &HeadReader::host},
      {.name = "Origin", .kept = &HttpRequest::origin},
      {.name = "Accept", .kept = &HttpRequest::accept},
      {.name = "Expect", .take = &HeadReader::expectation},
      {.name = "Referer", .kept = &HttpRequest::referer, .for_access_log = true},
      {.name = "Upgrade", .kept = &HttpRequest::upgrade},
      {.name = "Forwarded", .kept = &HttpRequest::forwarded},
      {.name = "Connection", .take = &HeadReader::connection},
      {.name = "User-Agent", .kept = &HttpRequest::user_agent, .for_access_log = true},
      {.name = "If-None-Match", .kept = &HttpRequest::if_none_match},
      {.name = "Content-Length", .take = &HeadReader::content_length},
      {.name = "Accept-Encoding", .kept = &HttpRequest::accept_encoding},
      {.name = "X-Forwarded-For", .kept = &HttpRequest::x_forwarded_for},
      {.name = "Content-Encoding", .kept = &HttpRequest::content_encoding},
      {.name = "X-Forwarded-Host", .kept = &HttpRequest::x_forwarded_host},
      {.name = "Proxy-Connection", .take = &HeadReader::proxy_connection},
      {.name = "X-Forwarded-Proto", .kept = &HttpRequest::x_forwarded_proto},
      {.name = "Transfer-Encoding", .take = &HeadReader::transfer_encoding},
      {.name = "Sec-WebSocket-Key", .kept = &HttpRequest::websocket_key},
      {.name = "Sec-WebSocket-Version", .kept = &HttpRequest::websocket_version},
      {.name = "Sec-WebSocket-Protocol", .kept = &HttpRequest::websocket_protocol},
      {.name = "Sec-WebSocket-Extensions", .kept = &HttpRequest::websocket_extensions},
      {.name = "Access-Control-Request-Headers", .kept = &HttpRequest::request_headers},
  };
  static_assert(std::ranges::is_sorted(all, {}, [](const Field& field) { return field.name.size(); }));
  static constexpr std::size_t longest = std::rbegin(all)->name.size();
  static constexpr auto first_of_length = [] {
    std::array<std::size_t, longest + 2> first{};
    for (const Field& field : all)
      for (auto length = field.name.size() + 1; length < first.size(); ++length) ++first[length];
    return first;
  }();

  static const Field* find(std::string_view name) {
    if (name.size() > longest) return nullptr;
    for (auto i = first_of_length[name.size()]; i < first_of_length[name.size() + 1]; ++i)
      if (equal_ignoring_case(all[i].name, name)) return &all[i];
    return nullptr;
  }
};

unsigned HeadReader::field(std::string_view line) {
  const auto name = field_name(line);
  if (name.empty()) return 400;  // folded, a blank before the colon, or no colon (D-054, D-057, D-058)
  const Field* const found = Fields::find(name);
  if (!found || (found->for_access_log && !for_access_log_)) return 0;
  const auto value = trim(line.substr(name.size() + 1));
  if (found->take) return (this->*found->take)(value);
  std::string& list = request_.*found->kept;
  if (!list.empty()) list += ", ";
  list += value;
  return 0;
}

unsigned HeadReader::host(std::string_view value) {
  if (std::exchange(has_host_, true) || !is_authority(value)) return 400;
  if (!has_absolute_target_) request_.host = value;
  return 0;
}

unsigned HeadReader::connection(std::string_view value) {
  return connection_options(value, request_.connection_upgrade);
}

/// Meant for proxies of old, some of which pass it on. About the connection it is taken at its word.
unsigned HeadReader::proxy_connection(std::string_view value) {
  bool ignored = false;
  return connection_options(value, ignored);
}

unsigned HeadReader::connection_options(std::string_view value, bool& upgrade) {
  while (!value.empty()) {
    const auto option = trim(cut(value, ","));
    if (!option.empty() && !is_token(option)) return 400;
    closes_ |= equal_ignoring_case(option, "close");
    persists_ |= equal_ignoring_case(option, "keep-alive");
    upgrade |= equal_ignoring_case(option, "upgrade");
  }
  return 0;
}

unsigned HeadReader::content_length(std::string_view value) {
  const auto* const end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, length_);
  return std::exchange(has_length_, true) || error != std::errc{} || stopped != end ? 400 : 0;
}

unsigned HeadReader::transfer_encoding(std::string_view value) {
  if (value.ends_with(',')) return 400;
  do {
    const auto coding = trim(cut(value, ","));
    chunked_is_last_ = equal_ignoring_case(coding, "chunked");
    ++(chunked_is_last_ ? chunked_ : other_codings_);
    if (!is_token(trim(coding.substr(0, coding.find(';'))))) return 400;
  } while (!value.empty());
  return 0;
}

/// HTTP/1.0 knows none (D-076).
unsigned HeadReader::expectation(std::string_view value) {
  if (request_.version == 10) return 0;
  expects_continue_ = equal_ignoring_case(value, "100-continue");
  return expects_continue_ ? 0 : 417;
}

/// Where the body ends must be said once and so that nobody can read it otherwise (D-060 to D-064).
unsigned HeadReader::framing() const {
  if (chunked_ + other_codings_ == 0) return 0;
  if (request_.version == 10 || has_length_ || chunked_ != 1 || !chunked_is_last_) return 400;
  return other_codings_ > 0 ? 501 : 0;
}

unsigned HeadReader::finish() {
  const bool http10 = request_.version == 10;
  if (!has_host_ && !http10) return 400;
  if (const auto status = framing()) return status;
  request_.keep_alive = (persists_ || !http10) && !closes_;  // D-069
  done_ = true;
  return 0;
}

}  // namespace boshd
