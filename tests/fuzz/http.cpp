// HTTP requests, one after the other on a connection: the same come out however the bytes are cut.
#include "src/http_request.hpp"
#include "tests/fuzz/check.hpp"

namespace {

using boshd::RequestReader;
using fuzz::require;
using State = RequestReader::State;

constexpr unsigned char cut_here = 0xff;
constexpr boshd::HttpLimits limits{600, 12, 100};

struct Outcome {
  State state = State::reading;
  unsigned status = 0;
  std::size_t used = 0;
  boshd::HttpRequest request;
};

/// Of a failed request only how it failed: nobody looks at the rest.
bool same(const Outcome& a, const Outcome& b) {
  if (a.state != b.state || a.status != b.status) return false;
  return a.state == State::failed || (a.used == b.used && a.request == b.request);
}

class Connection {
 public:
  void read(std::string_view bytes) {
    while (!bytes.empty() && !over_) {
      const std::size_t used = reader_.read(bytes);
      used_ += used;
      bytes.remove_prefix(used);
      if (is_reading())
        require(bytes.empty(), "a request that goes on takes all bytes");
      else
        note();
    }
  }
  /// All requests, the last one as far as it came.
  std::vector<Outcome> end() {
    if (!over_) note();
    return outcomes_;
  }

 private:
  bool is_reading() const {
    return reader_.state() == State::reading || reader_.state() == State::continue_first;
  }
  void note() {
    const State state = reader_.state();
    outcomes_.push_back({is_reading() ? State::reading : state, reader_.status(), used_, reader_.request()});
    check(outcomes_.back());
    over_ = state != State::complete;
    reader_ = RequestReader(limits);
    used_ = 0;
  }
  void check(const Outcome& outcome) const {
    const bool whole = outcome.state == State::complete;
    require(outcome.request.body.size() <= (whole ? limits.body_bytes : RequestReader::kept_of_too_large),
            "the body is bounded");
    require((outcome.status != 0) == (outcome.state == State::failed), "a failure has a status");
    if (!whole) return;
    require(reader_.head_complete() && reader_.started(), "a whole request has a head");
    require(outcome.used <= limits.header_bytes * 3 + limits.body_bytes * 300, "a request is bounded");
  }

  RequestReader reader_{limits};
  std::size_t used_ = 0;
  bool over_ = false;
  std::vector<Outcome> outcomes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Connection cut;
  std::string all;
  for (const fuzz::Piece& piece : fuzz::pieces(fuzz::text(bytes, size), cut_here)) {
    cut.read(fuzz::Exact(piece.bytes).view());
    all += piece.bytes;
  }
  Connection whole;
  whole.read(fuzz::Exact(all).view());
  const std::vector<Outcome> a = cut.end();
  const std::vector<Outcome> b = whole.end();
  require(a.size() == b.size(), "cuts change the number of requests");
  for (std::size_t i = 0; i < a.size(); ++i)
    require(same(a[i], b[i]), "cuts change a request", a[i].request.body);
  return 0;
}
