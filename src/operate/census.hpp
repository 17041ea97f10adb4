// How many sessions there are of each domain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boshd {

/// A name, and how many sessions there are of it.
using Tally = std::vector<std::pair<std::string, std::uint64_t>>;

/// The largest first, `most` of them.
void keep_largest(Tally&, std::size_t most);

/// One for a thread; asked by others now and then. Costs something only when a session begins or ends.
class Census {
 public:
  /// What a session keeps to be taken off the list.
  using Mark = std::pair<const std::string, std::uint64_t>*;

  Mark enter(std::string_view name);
  /// `mark` may be none.
  void leave(Mark mark);
  /// The names with the most sessions, the largest first; from any thread.
  Tally largest(std::size_t most) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> names_;
};

}  // namespace boshd
