// Reads HTTP/1.x requests out of a stream of bytes: Beast's parser behind a gate that refuses what proxies
// and servers may read differently (request smuggling). No socket in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace boshd {

enum class Method { get, head, post, options, other };  // other: a known method that nothing here serves

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
  friend bool operator==(const HttpRequest&, const HttpRequest&) = default;
};

struct HttpLimits {
  std::size_t header_bytes =
      std::size_t{16} * 1024;  // the head, and once more the trailers of a chunked body
  std::size_t header_fields = 100;
  std::size_t body_bytes = std::size_t{256} * 1024;
};

/// Reads one request. Made when the first byte of a request arrives and thrown away after it, so that an idle
/// connection owns none.
class RequestReader {
 public:
  /// So much of a body above the limit is kept: its start names the session.
  static constexpr std::size_t kept_of_too_large = std::size_t{16} * 1024;

  enum class State {
    reading,         // give it more
    continue_first,  // the same, but the client waits for `100 Continue` (D-075); told once, then `reading`
    complete,        // request() is whole
    too_large,  // the body is above the limit; request().body holds its start, nothing when the client waits
                // for `100 Continue`. Answer and close.
    failed      // status() is what to answer; then close (D-060..D-064)
  };

  explicit RequestReader(const HttpLimits&);
  ~RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;

  /// Takes bytes; returns how many it used: all of them while reading, else up to the end of this request
  /// (what is left belongs to the next, pipelined one). Uses none after the end.
  std::size_t read(std::string_view bytes);

  State state() const;
  /// Whether anything of a request was seen; whole empty lines before the request line do not count (D-053).
  /// A reader that has not started may be thrown away.
  bool started() const;
  /// Whether the head is complete, so that request() has method and target.
  bool head_complete() const;
  /// The HTTP status of a failure: 400, 414, 417, 431, 501, 505.
  unsigned status() const;
  HttpRequest& request();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace boshd
