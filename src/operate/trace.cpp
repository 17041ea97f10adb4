#include "src/operate/trace.hpp"

#include <utility>

#include "src/loop.hpp"

namespace boshd {

namespace {

constexpr std::size_t most_under_way = std::size_t{4} * 1024 * 1024;
constexpr std::size_t most_xml = std::size_t{16} * 1024;
constexpr std::size_t beside_xml = 256;

}  // namespace

void tell_trace(const Traces& traces, TraceEvent&& event) {
  if (event.xml.size() > most_xml) {
    event.cut = event.xml.size() - most_xml;
    event.xml.resize(most_xml);
  }
  const std::size_t size = event.xml.size() + beside_xml;
  if (traces.backlog->bytes.fetch_add(size, std::memory_order_relaxed) > most_under_way) {
    traces.backlog->bytes.fetch_sub(size, std::memory_order_relaxed);
    traces.backlog->dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  event.time = std::chrono::system_clock::now();
  traces.loop->send([tell = traces.tell, backlog = traces.backlog, size,
                     told = std::make_shared<const TraceEvent>(std::move(event))] {
    backlog->bytes.fetch_sub(size, std::memory_order_relaxed);
    tell(*told);
  });
}

}  // namespace boshd
