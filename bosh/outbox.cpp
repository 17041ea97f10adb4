#include "bosh/outbox.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace bosh {

void Outbox::add(StreamId stream, std::span<const xml::Element> elements, Time now) {
  if (elements.empty()) return;
  auto letter = std::ranges::find(letters_, stream, &Letter::stream);
  if (letter == letters_.end()) letter = letters_.insert(letter, Letter{stream, {}, nullptr, now});
  for (const xml::Element& element : elements) element.append_to(letter->content);
}

void Outbox::end(StreamId stream, Terminal terminal) {
  letters_.push_back({stream, {}, std::make_shared<const Terminal>(std::move(terminal)), {}});
}

std::size_t Outbox::bytes() const {
  return std::accumulate(letters_.begin(), letters_.end(), std::size_t{0},
                         [](std::size_t sum, const Letter& letter) { return sum + letter.content.size(); });
}

Letter Outbox::take() {
  Letter letter = std::move(letters_.front());
  letters_.erase(letters_.begin());
  return letter;
}

}  // namespace bosh
