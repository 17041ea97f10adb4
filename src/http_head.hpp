// The head of a request as raw bytes: where it ends, and whether everyone on its way reads it alike. Beast is
// lenient about some of what is refused here (folded lines, repeated lengths), and a proxy in front may be
// about other things.
#pragma once

#include <cstddef>
#include <string_view>

namespace boshd {

/// Finds the end of a head in pieces of any size. Refuses at once what no head may hold: control characters,
/// and CR or LF on their own (D-052, D-059).
class HeadScanner {
 public:
  explicit HeadScanner(std::size_t limit) : limit_(limit) {}

  /// Looks at more bytes; returns how many of them belong to the head.
  std::size_t scan(std::string_view bytes);

  bool done() const { return done_; }
  /// 0, or what to answer: 400, 431.
  unsigned status() const { return status_; }
  /// How many bytes stood before the request line: empty lines, which are ignored (D-053).
  std::size_t leading() const { return leading_; }
  /// Whether there is something to keep: a part of the head, or half of an empty line.
  bool started() const { return size_ > 0 || after_cr_; }

 private:
  void take(char c);

  std::size_t limit_;
  std::size_t leading_ = 0;
  std::size_t size_ = 0;  // without the leading empty lines
  unsigned status_ = 0;
  bool done_ = false;
  bool after_cr_ = false;
  bool line_is_empty_ = true;
};

/// What the gate has to say about a head.
struct Head {
  unsigned status = 0;            // 0: it may pass; else what to answer: 400, 414, 417, 431, 501, 505
  std::string_view target;        // without scheme and authority; CONNECT's as it is
  std::string_view host;          // of an absolute target, else of the Host line
  bool expects_continue = false;  // D-075
};

/// Looks at a whole head, up to and with its empty line, free of leading empty lines. The result points into
/// it.
Head check_head(std::string_view head, std::size_t most_fields);

}  // namespace boshd
