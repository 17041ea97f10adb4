#include "src/http_head.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "src/address.hpp"
#include "src/text.hpp"

namespace boshd {
namespace {

constexpr std::size_t most_leading_bytes = 8;  // four empty lines
constexpr std::size_t longest_target = 8000;   // D-055

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_ipv6_in_brackets(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
  const auto inside = text.substr(1, text.size() - 2);
  return inside.find(':') != std::string_view::npos && parse_ip(inside);
}

bool is_host_name(std::string_view text) {
  constexpr std::string_view marks = "-._~%";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_digit(c) || is_letter(c) || marks.find(c) != std::string_view::npos;
  });
}

/// A host and an optional port. No commas (two hosts joined), no user, no path (D-056).
bool is_authority(std::string_view text) {
  const auto colon = text.find(':', text.starts_with('[') ? text.find(']') : 0);
  const auto host = text.substr(0, colon);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) return false;
  return is_host_name(host) || is_ipv6_in_brackets(host);
}

bool is_length(std::string_view text) {
  std::uint64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stopped == end;
}

/// Reads a head line by line. Its functions return 0 or the status to answer with.
class Gate {
 public:
  unsigned request_line(std::string_view line);
  unsigned field(std::string_view line);
  unsigned finish();
  Head head;

 private:
  unsigned version(std::string_view text);
  unsigned target(std::string_view method, std::string_view text);
  unsigned absolute_target(std::string_view text);
  unsigned length(std::string_view value);
  unsigned transfer_encoding(std::string_view value);
  unsigned framing() const;

  bool http10_ = false;
  bool absolute_ = false;
  bool other_expectation_ = false;
  unsigned hosts_ = 0;
  unsigned lengths_ = 0;
  unsigned chunked_ = 0;
  unsigned other_codings_ = 0;
  bool chunked_is_last_ = false;
};

unsigned Gate::request_line(std::string_view line) {
  const auto method = cut(line, " ");
  const auto text = cut(line, " ");
  if (!is_token(method)) return 400;
  if (const auto status = version(line)) return status;
  return target(method, text);
}

unsigned Gate::version(std::string_view text) {
  const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                           text[6] == '.' && is_digit(text[7]);
  if (!well_formed) return 400;
  http10_ = text == "HTTP/1.0";
  return http10_ || text == "HTTP/1.1" ? 0 : 505;
}

unsigned Gate::target(std::string_view method, std::string_view text) {
  if (text.size() > longest_target) return 414;
  const bool visible = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!visible || text.find('#') != std::string_view::npos) return 400;
  head.target = text;
  if (method == "CONNECT") return is_authority(text) ? 0 : 400;
  if (text == "*") return method == "OPTIONS" ? 0 : 400;
  return text.starts_with('/') ? 0 : absolute_target(text);
}

unsigned Gate::absolute_target(std::string_view text) {
  const auto scheme = cut(text, "://");
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) return 400;
  const auto end = std::min(text.find_first_of("/?"), text.size());
  head.host = text.substr(0, end);
  head.target = text.substr(end);
  absolute_ = true;
  return is_authority(head.host) ? 0 : 400;
}

unsigned Gate::field(std::string_view line) {
  // Else it is folded, has a blank before the colon, or no colon at all (D-054, D-057, D-058).
  if (!is_field_line(line)) return 400;
  const auto name = line.substr(0, line.find(':'));
  const auto value = trim(line.substr(name.size() + 1));
  if (equal_ignoring_case(name, "Host")) {
    ++hosts_;
    if (!absolute_) head.host = value;
    return is_authority(value) ? 0 : 400;
  }
  if (equal_ignoring_case(name, "Content-Length")) return length(value);
  if (equal_ignoring_case(name, "Transfer-Encoding")) return transfer_encoding(value);
  if (equal_ignoring_case(name, "Expect")) {
    const bool known = equal_ignoring_case(value, "100-continue");
    (known ? head.expects_continue : other_expectation_) = true;
  }
  return 0;
}

unsigned Gate::length(std::string_view value) {
  ++lengths_;
  return lengths_ == 1 && is_length(value) ? 0 : 400;
}

unsigned Gate::transfer_encoding(std::string_view value) {
  if (value.ends_with(',')) return 400;
  do {
    const auto coding = trim(cut(value, ","));
    chunked_is_last_ = equal_ignoring_case(coding, "chunked");
    ++(chunked_is_last_ ? chunked_ : other_codings_);
    if (!is_token(trim(coding.substr(0, coding.find(';'))))) return 400;
  } while (!value.empty());
  return 0;
}

/// Where the body ends must be said once and so that nobody can read it otherwise (D-060 to D-064).
unsigned Gate::framing() const {
  if (chunked_ + other_codings_ == 0) return 0;
  if (http10_ || lengths_ > 0 || chunked_ != 1 || !chunked_is_last_) return 400;
  return other_codings_ > 0 ? 501 : 0;
}

unsigned Gate::finish() {
  if (hosts_ > 1 || (hosts_ == 0 && !http10_)) return 400;
  if (const auto status = framing()) return status;
  if (http10_) {
    head.expects_continue = false;  // D-076
    return 0;
  }
  return other_expectation_ ? 417 : 0;
}

unsigned check_lines(Gate& gate, std::string_view head, std::size_t most_fields) {
  if (const auto status = gate.request_line(cut(head, "\r\n"))) return status;
  for (std::size_t fields = 0;; ++fields) {
    const auto line = cut(head, "\r\n");
    if (line.empty()) return gate.finish();
    if (fields == most_fields) return 431;
    if (const auto status = gate.field(line)) return status;
  }
}

}  // namespace

std::size_t HeadScanner::scan(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    take(bytes[i]);
    if (done_ || status_ != 0) return i + 1;
  }
  return bytes.size();
}

void HeadScanner::take(char c) {
  const bool line_end = after_cr_ && c == '\n';
  if (!line_end && (after_cr_ || (c != '\r' && is_control(c)))) {
    status_ = 400;
    return;
  }
  after_cr_ = c == '\r';
  const bool leading = size_ == 0 && (after_cr_ || line_end);
  ++(leading ? leading_ : size_);
  if (line_end) {
    done_ = line_is_empty_ && !leading;
    line_is_empty_ = true;
  } else if (!after_cr_) {
    line_is_empty_ = false;
  }
  if (leading_ > most_leading_bytes) status_ = 400;
  if (!done_ && size_ >= limit_) status_ = 431;
}

Head check_head(std::string_view head, std::size_t most_fields) {
  Gate gate;
  gate.head.status = check_lines(gate, head, most_fields);
  return gate.head;
}

}  // namespace boshd
