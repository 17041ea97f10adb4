// What the micro-benchmarks share: the loop that measures an operation, and the messages they are fed with.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

/// What operator new gave out since the start. expat takes its memory from malloc, so that is not in it.
struct Heap {
  std::size_t allocs = 0;
  std::size_t bytes = 0;
};
Heap taken();

/// So often an operation runs before it is measured: caches are full then, pools warm, buffers grown.
constexpr int runs_before = 512;

/// Runs one operation over and over and counts what it takes from the heap. It says whether it came out
/// right, so that nothing is measured that has not worked.
template <class Operation>
void measure(benchmark::State& state, Operation&& operation) {
  bool right = true;
  for (int i = 0; i < runs_before; ++i) right = operation() && right;
  const Heap before = taken();
  for (auto _ : state) right = operation() && right;
  const Heap after = taken();
  if (!right) return state.SkipWithError("The operation did something else than it should.");
  const auto each = [](std::size_t count) {
    return benchmark::Counter(static_cast<double>(count), benchmark::Counter::kAvgIterations);
  };
  state.counters["allocs"] = each(after.allocs - before.allocs);
  state.counters["bytes"] = each(after.bytes - before.bytes);
}

inline constexpr std::string_view sid = "01a8f5f167f44f4964e6c998dee827110c";

/// As Strophe.js writes it.
inline constexpr std::string_view client_message =
    "<message to='romeo@example.org/orchard' type='chat' id='7f0c2c1e-4711' xmlns='jabber:client'>"
    "<body>Good night, good night! Parting is such sweet sorrow.</body></message>";
/// As servers write it: the namespace is that of the stream.
inline constexpr std::string_view server_message =
    "<message from='juliet@example.org/balcony' to='romeo@example.org/orchard' type='chat' id='4711'>"
    "<body>Wherefore art thou? The echo answers.</body></message>";

/// Strophe's request with this payload.
inline std::string strophe_body(std::string_view payload) {
  std::string body = "<body rid='1573741820' xmlns='http://jabber.org/protocol/httpbind' sid='";
  body += sid;
  if (payload.empty()) return body += "'/>";
  body += "'>";
  body += payload;
  return body += "</body>";
}

}  // namespace bench
