// What happens now, on a screen that is refreshed.
#pragma once

#include <string>

namespace boshctl {

/// Until q or Ctrl-C; without a terminal, once. Returns the exit status. Throws Failure.
int top(const std::string& socket);

/// Columns of the terminal that standard output is; 0: it is none.
std::size_t terminal_width();

}  // namespace boshctl
