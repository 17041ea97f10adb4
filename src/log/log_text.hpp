// How a line of the log is written: for people, as JSON, and when. Nothing of what a client has sent can
// start a line of its own or hide in a terminal.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "src/log/log.hpp"

namespace boshd {

/// Appends text as a line can bear it: quotes and backslashes behind a backslash; control characters and what
/// is no UTF-8 as \xHH.
void append_escaped(std::string& out, std::string_view text);

/// Appends text as a JSON string with its quotes. What is no UTF-8 becomes U+FFFD.
void append_json(std::string& out, std::string_view text);

/// `key=value` and so on with blanks between.
std::string fields_text(std::span<const Field>);

/// One JSON object: time, level, event, and each field under its key.
std::string json_line(LogLevel, std::string_view event, std::span<const Field>,
                      std::chrono::system_clock::time_point now);

/// RFC 3339 in UTC with milliseconds.
std::string utc_time(std::chrono::system_clock::time_point);

}  // namespace boshd
