// Things that other parts name by number: a late event for one that is gone finds nothing, and that is that.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace boshd {

/// The shard that an id belongs to.
inline unsigned shard_of(std::uint64_t id) {
  return static_cast<unsigned>(id >> 56);
}

/// Like std::optional, with the value on the heap: what is large is to leave nothing behind when it goes.
template <class Value>
class Boxed {
 public:
  template <class... Arguments>
  void emplace(Arguments&&... arguments) {
    value_ = std::make_unique<Value>(std::forward<Arguments>(arguments)...);
  }
  void reset() { value_.reset(); }
  explicit operator bool() const { return value_ != nullptr; }
  Value& operator*() { return *value_; }

 private:
  std::unique_ptr<Value> value_;
};

/// Slots that are used again, each time under another id: shard (8 bits), generation (24), slot (32). 0 is no
/// id.
template <class Value, template <class> class Place = std::optional>
class Table {
 public:
  explicit Table(unsigned shard) : shard_(shard) { assert(shard < 256); }

  template <class... Arguments>
  std::uint64_t emplace(Arguments&&... arguments) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.push_back({first_generation_, {}});
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    Slot& slot = slots_[place];
    slot.generation = slot.generation % most_generations + 1;
    slot.value.emplace(std::forward<Arguments>(arguments)...);
    ++size_;
    return id(place, slot.generation);
  }

  /// nullptr when nothing has this id any more. Valid until anything is added; a boxed value, until it is
  /// erased.
  Value* find(std::uint64_t wanted) {
    const auto place = static_cast<std::uint32_t>(wanted);
    if (place >= slots_.size() || !slots_[place].value || id(place, slots_[place].generation) != wanted)
      return nullptr;
    return &*slots_[place].value;
  }

  void erase(std::uint64_t wanted) {
    if (!find(wanted)) return;
    const auto place = static_cast<std::uint32_t>(wanted);
    slots_[place].value.reset();
    free_.push_back(place);
    --size_;
  }

  std::size_t size() const { return size_; }

  /// Gives up the slots behind the last that is used. Ids that were theirs stay nobody's.
  void shrink() {
    while (!slots_.empty() && !slots_.back().value) {
      first_generation_ = std::max(first_generation_, slots_.back().generation);
      slots_.pop_back();
    }
    slots_.shrink_to_fit();
    std::erase_if(free_, [&](std::uint32_t place) { return place >= slots_.size(); });
    free_.shrink_to_fit();
  }

  /// For who goes through all, a piece at a time: places 0 to `places`, each with an id or 0.
  std::uint32_t places() const { return static_cast<std::uint32_t>(slots_.size()); }
  std::uint64_t at(std::uint32_t place) const {
    return slots_[place].value ? id(place, slots_[place].generation) : 0;
  }

  /// The ids of all that are there now.
  std::vector<std::uint64_t> ids() const {
    std::vector<std::uint64_t> all;
    for (std::uint32_t place = 0; place < slots_.size(); ++place)
      if (slots_[place].value) all.push_back(id(place, slots_[place].generation));
    return all;
  }

 private:
  static constexpr std::uint32_t most_generations = (1U << 24) - 1;
  struct Slot {
    std::uint32_t generation = 0;
    Place<Value> value;
  };
  std::uint64_t id(std::uint32_t place, std::uint32_t generation) const {
    return std::uint64_t{shard_} << 56 | std::uint64_t{generation} << 32 | place;
  }

  unsigned shard_;
  std::vector<Slot> slots_;  // in one piece, which goes between nobody's memory
  std::vector<std::uint32_t> free_;
  std::uint32_t first_generation_ = 0;  // of slots that are made anew
  std::size_t size_ = 0;
};

}  // namespace boshd
