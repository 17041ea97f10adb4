// The head of a request. What its readers on the way could understand differently is refused (request
// smuggling): a proxy in front may be lenient about it. No socket in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace boshd {

enum class Method { get, head, post, options, other };  // other: a method of HTTP that nothing here serves

/// One request. The fields kept are those that something here asks for; a field that came in several lines is
/// one list, joined with commas.
struct HttpRequest {
  Method method = Method::other;
  std::string target;     // path with query, as sent; of an absolute-form target only path and query
  unsigned version = 11;  // 10 or 11
  bool keep_alive = true;
  std::string host;
  std::string origin;
  std::string request_headers;  // Access-Control-Request-Headers
  std::string content_encoding;
  std::string accept_encoding;
  // What proxies say, or claim to say: client_of decides what of it is believed.
  std::string forwarded;
  std::string x_forwarded_for;
  std::string x_forwarded_proto;
  std::string x_forwarded_host;
  std::string accept;
  std::string if_none_match;
  bool connection_upgrade = false;  // Connection lists it
  std::string upgrade;
  std::string websocket_key;
  std::string websocket_version;
  std::string websocket_protocol;
  std::string websocket_extensions;
  std::string body;
  bool script = false;  // came in script syntax (XEP-0252)
  std::string referer;  // these two only for the access log
  std::string user_agent;
  friend bool operator==(const HttpRequest&, const HttpRequest&) = default;
};

struct HttpLimits {
  std::size_t header_bytes =
      std::size_t{16} * 1024;  // the head, and once more the trailers of a chunked body
  std::size_t header_fields = 100;
  std::size_t body_bytes = std::size_t{256} * 1024;
  bool for_access_log = false;  // Referer and User-Agent are kept, too
};

/// Reads a head line by line, in pieces of any size. The first fault decides, and ends it at once.
class HeadReader {
 public:
  explicit HeadReader(const HttpLimits& limits)
      : room_(limits.header_bytes),
        fields_left_(limits.header_fields),
        for_access_log_(limits.for_access_log) {}

  /// Takes bytes; returns how many of them belong to the head.
  std::size_t read(std::string_view bytes);

  bool done() const { return done_; }
  /// 0, or what to answer: 400, 414, 417, 431, 501, 505.
  unsigned status() const { return status_; }
  /// Whether there is something to keep: a part of the head, or half of an empty line before it (D-053).
  bool started() const { return has_request_line_ || !line_.empty() || after_cr_; }

  /// As far as its head has come. Its body is up to the caller.
  HttpRequest& request() { return request_; }
  bool chunked() const { return chunked_ > 0; }
  std::uint64_t length() const { return length_; }
  /// Whether the client waits for `100 Continue` (D-075).
  bool expects_continue() const { return expects_continue_; }

 private:
  struct Field;
  struct Fields;

  std::size_t read_line(std::string_view bytes);
  void end_line(std::string_view text);
  unsigned take_line(std::string_view line);
  unsigned request_line(std::string_view line);
  unsigned version(std::string_view text);
  unsigned target(std::string_view method, std::string_view text);
  unsigned absolute_target(std::string_view text);
  unsigned field(std::string_view line);
  unsigned host(std::string_view value);
  unsigned connection(std::string_view value);
  unsigned proxy_connection(std::string_view value);
  unsigned connection_options(std::string_view value, bool& upgrade);
  unsigned content_length(std::string_view value);
  unsigned transfer_encoding(std::string_view value);
  unsigned expectation(std::string_view value);
  unsigned framing() const;
  unsigned finish();

  HttpRequest request_;
  std::string line_;  // the start of one that came in pieces
  std::size_t room_;  // for the rest of the head
  std::size_t fields_left_;
  std::uint64_t length_ = 0;
  unsigned status_ = 0;
  unsigned empty_lines_ = 0;
  unsigned chunked_ = 0;
  unsigned other_codings_ = 0;
  bool chunked_is_last_ = false;
  bool after_cr_ = false;
  bool has_request_line_ = false;
  bool has_absolute_target_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool persists_ = false;  // Connection says keep-alive
  bool closes_ = false;    // … or close
  bool expects_continue_ = false;
  bool for_access_log_ = false;
  bool done_ = false;
};

}  // namespace boshd
