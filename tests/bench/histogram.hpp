// How long things took, in buckets that are each about one part in a hundred wide, from a microsecond to a
// minute.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bench {

class Histogram {
 public:
  void add(std::chrono::nanoseconds time) {
    const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count() / 1000, 0));
    ++counts_[std::min(bucket(micros), counts_.size() - 1)];
    ++total_;
  }
  std::uint64_t count() const { return total_; }
  /// The time in microseconds that `part` (0 to 1) of all did not exceed.
  std::uint64_t percentile(double part) const {
    const auto wanted = static_cast<std::uint64_t>(part * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if ((seen += counts_[i]) > wanted || (seen == total_ && seen > 0)) return upper_end(i);
    return 0;
  }

 private:
  // Each power of two is cut into so many buckets.
  static constexpr unsigned bits = 6;
  static constexpr std::size_t cuts = std::size_t{1} << bits;

  static std::size_t bucket(std::uint64_t value) {
    if (value < 2 * cuts) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
    return (shift << bits) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t upper_end(std::size_t bucket) {
    if (bucket < 2 * cuts) return bucket;
    const auto shift = static_cast<unsigned>((bucket >> bits) - 1);
    return (((bucket & (cuts - 1)) | cuts) << shift) + (std::uint64_t{1} << shift) - 1;
  }

  std::array<std::uint64_t, cuts * 32> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace bench
