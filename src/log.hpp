// One line an event on stderr: level, event, key=value. No stanza, key or SASL data has a way in.
#pragma once

#include <chrono>
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace boshd {

enum class LogLevel { debug, info, warning, error };

std::string_view to_string(LogLevel);

/// One `key=value` of a line; values with blanks or quotes are quoted, control characters escaped.
struct Field {
  std::string_view key;
  std::string value;
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  template <std::integral Number>
  Field(std::string_view k, Number v) : key(k), value(std::to_string(v)) {}
};

/// The least level that is written.
void set_log_level(LogLevel);

/// Writes one line in one system call, so that lines of several threads do not mix.
void log(LogLevel, std::string_view event, std::initializer_list<Field> = {});

/// The line without its start and end; for tests.
std::string log_line(LogLevel, std::string_view event, std::initializer_list<Field>);

/// What stands before the line: its priority (`<6>`) under systemd's journal, which is there when
/// JOURNAL_STREAM is set and keeps the time itself; else the time in UTC.
std::string log_start(LogLevel, bool journal, std::chrono::system_clock::time_point now);

}  // namespace boshd
