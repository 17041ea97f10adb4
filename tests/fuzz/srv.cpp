// A name server's answer: whatever it says, what is read of it can be put in order and tried.
#include "src/srv.hpp"

#include <algorithm>

#include "tests/fuzz/check.hpp"

namespace {

using boshd::SrvAnswer;
using boshd::SrvRecord;
using fuzz::require;

SrvAnswer read(std::string_view message) {
  SrvAnswer answer = boshd::read_srv_answer(fuzz::Exact(message).view());
  require((answer.state == SrvAnswer::State::found) == !answer.records.empty(), "records are found, or none");
  require((answer.state == SrvAnswer::State::failed) == !answer.error.empty(), "a failure has a reason");
  require(answer.records.size() <= 32, "there are not too many");
  for (const SrvRecord& record : answer.records) {
    require(record.target.size() < 1025 && record.target != ".", "a target is a name, or nothing",
            record.target);
    require(record.target.find('\0') == record.target.npos, "a target has no NUL", record.target);
    require(!record.direct_tls, "the answer doesn't know its question");
  }
  return answer;
}

}  // namespace

/// The first byte is where the rest is cut into two messages, the second one the seed of the draws.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view input = fuzz::text(bytes + 2, size - 2);
  const std::size_t cut = std::min<std::size_t>(input.size(), bytes[0] * 4U);
  const boshd::SrvVerdict verdict = boshd::judge_srv(read(input.substr(0, cut)), read(input.substr(cut)));
  const int outcomes =
      (verdict.records.empty() ? 0 : 1) + (verdict.fall_back ? 1 : 0) + (verdict.error.empty() ? 0 : 1);
  require(outcomes == 1, "there is one verdict");
  std::uint32_t draw = bytes[1];
  const auto random = [&](std::uint32_t most) {
    draw = draw * 1'103'515'245U + 12'345U;
    return most == 0 ? 0 : (draw >> 8U) % (most + 1);
  };
  const std::vector<SrvRecord> order = boshd::srv_order(verdict.records, random);
  require(std::ranges::is_permutation(order, verdict.records), "all are tried once");
  require(std::ranges::is_sorted(order, {}, &SrvRecord::priority), "lower priorities come first");
  return 0;
}
