// Reads HTTP/1.x requests out of a stream of bytes (RFC 9112). No socket in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/http_chunks.hpp"
#include "src/http_head.hpp"

namespace boshd {

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

  explicit RequestReader(const HttpLimits& limits)
      : head_(limits), chunks_(limits.header_bytes), most_of_body_(limits.body_bytes) {}

  /// Takes bytes; returns how many it used: all of them while reading, else up to the end of this request
  /// (what is left belongs to the next, pipelined one). Uses none after the end.
  std::size_t read(std::string_view bytes);

  State state() const { return state_; }
  /// Whether anything of a request was seen; whole empty lines before the request line do not count (D-053).
  /// A reader that has not started may be thrown away.
  bool started() const { return head_.started(); }
  /// Whether the head is complete, so that request() has method and target.
  bool head_complete() const { return head_.done(); }
  /// The HTTP status of a failure: 400, 414, 417, 431, 501, 505.
  unsigned status() const { return head_.status() != 0 ? head_.status() : chunks_.status(); }
  HttpRequest& request() { return head_.request(); }

 private:
  std::size_t read_head(std::string_view bytes);
  std::size_t read_body(std::string_view bytes);
  std::size_t read_chunks(std::string_view bytes);
  void take_body(std::string_view part, bool end);

  HeadReader head_;
  ChunkReader chunks_;
  State state_ = State::reading;
  std::size_t most_of_body_;
  std::uint64_t body_left_ = 0;  // of a body with a length
  bool oversized_ = false;
};

}  // namespace boshd
