// Takes the chunked coding off a body, piece by piece (D-066). Lines are bounded, and no quote in an
// extension may hide where one ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace boshd {

class ChunkReader {
 public:
  static constexpr std::size_t longest_line = 256;  // a chunk's size with its extensions

  /// All extensions together, and all trailers together, may have `limit` bytes. Both are dropped.
  explicit ChunkReader(std::size_t limit) : limit_(limit) {}

  struct Step {
    std::size_t used = 0;
    std::string_view data;
  };
  /// Goes on by one step: through the lines up to the next data or the end, or through data.
  Step read(std::string_view bytes);

  bool done() const { return done_; }
  /// 0, or what to answer: 400, 431.
  unsigned status() const { return status_; }
  /// How much data is still to come of the chunk that has begun.
  std::uint64_t left() const { return left_; }

 private:
  enum class Line { size, data_end, trailer };

  void take(char c);
  void end_line();
  void begin_chunk();
  std::size_t longest() const;

  std::size_t limit_;
  Line line_is_ = Line::size;
  std::string line_;  // so far, without its end
  bool after_cr_ = false;
  std::uint64_t left_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  unsigned status_ = 0;
  bool done_ = false;
};

}  // namespace boshd
