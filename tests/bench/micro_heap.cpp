// Counts what operator new gives out. In a file of its own: g++ must not inline one of a pair without the
// other.
#include <cstdlib>
#include <new>

#include "tests/bench/micro.hpp"

namespace {
bench::Heap heap;
}  // namespace

// The forms for arrays, and those that don't throw, come here as well. Nothing measured is over-aligned.
void* operator new(std::size_t size) {
  ++heap.allocs;
  heap.bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

bench::Heap bench::taken() {
  return heap;
}
