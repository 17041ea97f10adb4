// The clock of the sessions.
#pragma once

#include <chrono>

namespace bosh {

/// A point of the monotonic clock. Always an argument: nothing here asks for the time.
using Time = std::chrono::steady_clock::time_point;

}  // namespace bosh
