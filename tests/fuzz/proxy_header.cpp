// PROXY headers: the same comes of them however they are cut, nothing behind them is taken, and what is told
// of one can be written and read again.
#include "src/proxy_header.hpp"

#include <algorithm>

#include "tests/fuzz/check.hpp"

namespace {

using boshd::ProxyHeader;
using boshd::ProxyHeaderReader;
using boshd::ProxyOrigin;
using fuzz::require;
using State = ProxyHeaderReader::State;

constexpr std::size_t longest = 16 + 4096;

struct Outcome {
  State state = State::reading;
  std::size_t used = 0;
  ProxyOrigin origin;
};

Outcome read(std::string_view input, std::size_t piece) {
  ProxyHeaderReader reader;
  Outcome outcome;
  while (outcome.used < input.size() && reader.state() == State::reading) {
    const fuzz::Exact exact(input.substr(outcome.used, piece));
    const std::size_t used = reader.read(exact.view());
    require(used <= exact.view().size(), "no more is taken than there is");
    require(reader.state() != State::reading || used == exact.view().size(),
            "a header that goes on takes all");
    outcome.used += used;
  }
  outcome.state = reader.state();
  outcome.origin = reader.origin();
  require(reader.read(input) == 0 || outcome.state == State::reading, "what is decided takes no more");
  return outcome;
}

bool same(const Outcome& a, const Outcome& b) {
  if (a.state != b.state) return false;
  return a.state == State::failed ||
         (a.used == b.used && a.origin.source == b.origin.source &&
          a.origin.destination == b.origin.destination && a.origin.tls == b.origin.tls);
}

void check_written(const ProxyOrigin& origin) {
  for (const ProxyHeader version : {ProxyHeader::v1, ProxyHeader::v2}) {
    const std::string header = boshd::proxy_header(version, *origin.source, *origin.destination);
    const Outcome again = read(header + "x", header.size() + 1);
    require(again.state == State::complete && again.used == header.size(), "what is written can be read",
            header);
    require(again.origin.source && again.origin.destination, "it has both ends", header);
    require(again.origin.source->address == origin.source->address, "the source stays", header);
    require(again.origin.destination->address == origin.destination->address, "the destination stays",
            header);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input = fuzz::text(bytes + 1, size - 1);
  const Outcome whole = read(input, input.size() + 1);
  require(same(whole, read(input, 1)), "byte by byte something else comes of it");
  require(same(whole, read(input, bytes[0] % 64U + 1)), "in pieces something else comes of it");
  require(whole.used <= longest, "a header is bounded");
  require(whole.state != State::reading || whole.used == input.size(), "a header that goes on takes all");
  if (whole.state != State::complete) return 0;
  const Outcome alone = read(input.substr(0, whole.used), longest);
  require(same(whole, alone), "what is behind it does not matter");
  require(read(input.substr(0, whole.used - 1), longest).state == State::reading, "it ends where it has to");
  require(whole.origin.source.has_value() == whole.origin.destination.has_value(), "both ends or none");
  if (whole.origin.source) check_written(whole.origin);
  return 0;
}
