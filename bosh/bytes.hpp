// Text that does not change any more, shared by those who may still send it.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string_view>

namespace bosh {

/// One piece of memory, however many hold it. Without text it is none at all.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::string_view text) : Bytes({text}) {}
  /// The pieces put together.
  Bytes(std::initializer_list<std::string_view> pieces);
  /// Of a text that lives as long as the program. Who shares it is not counted: threads would count in one
  /// place.
  static Bytes lasting(std::string_view text);

  explicit operator bool() const { return data_ != nullptr; }
  std::string_view operator*() const { return {data_.get(), size_}; }
  std::size_t size() const { return size_; }
  /// Whether both are the same piece of memory.
  friend bool operator==(const Bytes&, const Bytes&) = default;

 private:
  std::shared_ptr<const char[]> data_;
  std::size_t size_ = 0;
};

}  // namespace bosh
