// A checked session to which happens what the bytes say: the first one picks its kind, each of the others a
// step. A broken rule is thrown and nobody catches it.
#include <array>

#include "tests/fuzz/check.hpp"
#include "tests/sim/checked_session.hpp"

namespace {

using sim::CheckedSession;
using namespace std::chrono_literals;

// The corpus means these by their places: new ones go to the end. A byte beyond them is no step.
constexpr std::size_t places = 32;
constexpr std::array steps{
    &CheckedSession::send_next,         &CheckedSession::send_one_ahead,
    &CheckedSession::repeat_oldest,     &CheckedSession::repeat_newest,
    &CheckedSession::lose_oldest,       &CheckedSession::lose_newest,
    &CheckedSession::server_speaks,     &CheckedSession::deadline_comes,
    &CheckedSession::moment_passes,     &CheckedSession::repeat_answered,
    &CheckedSession::send_terminate,    &CheckedSession::send_faulty,
    &CheckedSession::server_opens,      &CheckedSession::server_takes_no_more,
    &CheckedSession::server_takes_more, &CheckedSession::server_ends,
    &CheckedSession::shut_down,         &CheckedSession::send_pause,
    &CheckedSession::send_addition,     &CheckedSession::server_speaks_on_another,
    &CheckedSession::send_closing,      &CheckedSession::server_ends_another,
};

const std::array<CheckedSession::Kind, 8> kinds{{
    {"hold 1", 1, 60s, true},
    {"hold 2", 2, 60s, true},
    {"not open yet", 1, 60s, false},
    {"polling, hold 0", 0, 60s, true},
    {"polling, wait 0", 0, 0s, true},
    {"acknowledging", 1, 60s, true, true},
    {"several streams", 1, 60s, true, false, true},
    {"both", 2, 60s, true, true, true},
}};
static_assert(steps.size() <= places);

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  CheckedSession session(kinds[bytes[0] % kinds.size()]);
  for (std::size_t i = 1; i < size && !session.ended(); ++i) {
    const std::size_t place = bytes[i] % places;
    if (place < steps.size()) (session.*steps[place])();
  }
  return 0;
}
