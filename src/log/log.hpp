// One line an event: level, event, key=value; to stderr or to systemd's journal. No stanza, key or SASL data
// has a way in.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boshd {

struct LogSettings;

enum class LogLevel { debug, info, warning, error };

std::string_view to_string(LogLevel);

/// One `key=value` of a line; values with blanks or quotes are quoted, control characters escaped.
struct Field {
  std::string_view key;
  std::string value;
  bool number = false;
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  template <std::integral Number>
  Field(std::string_view k, Number v) : key(k), value(std::to_string(v)), number(true) {}
  /// Seconds and the like, to a thousandth.
  Field(std::string_view k, double v);
};

/// The least level that is written. From any thread.
void set_log_level(LogLevel);

/// Level, target and format. From any thread. Before it is called, lines go to stderr.
void set_up_log(const LogSettings&);

/// Writes one line in one system call, so that lines of several threads do not mix. Warnings that others set
/// off are limited: ten lines of an event in ten seconds, then one that counts the rest.
void log(LogLevel, std::string_view event, std::initializer_list<Field> = {});

/// Tells how many lines were kept back, if their time is over or this is the end. To be called every few
/// seconds, from any thread.
void log_kept_back(bool at_the_end = false);

/// A warning or an error that the log has told.
struct Problem {
  std::chrono::system_clock::time_point time;  // of the latest, if there were several
  LogLevel level = LogLevel::warning;
  std::string event;
  std::string text;  // its fields
  std::uint64_t count = 1;
};

/// The latest, newest first, equal ones counted. From any thread.
std::vector<Problem> recent_problems();

/// The line without its start and end; for tests.
std::string log_line(LogLevel, std::string_view event, std::initializer_list<Field>);

/// What stands before the line: its priority (`<6>`) if stderr is a stream of systemd's journal, which keeps
/// the time itself; else the time in UTC.
std::string log_start(LogLevel, bool journal, std::chrono::system_clock::time_point now);

}  // namespace boshd
