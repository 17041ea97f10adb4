// One line an event on stderr: level, event, key=value. No stanza, key or SASL data has a way in.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace boshd {

enum class LogLevel { debug, info, warning, error };

/// One `key=value` of a line; values with blanks or quotes are quoted, control characters escaped.
struct Field {
  std::string_view key;
  std::string value;
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, std::uint64_t v) : key(k), value(std::to_string(v)) {}
};

/// The least level that is written. Set once, before threads start.
void set_log_level(LogLevel);

/// Writes one line in one system call, so that lines of several threads do not mix. Under systemd's journal
/// (JOURNAL_STREAM is set) the line begins with its priority, `<6>`.
void log(LogLevel, std::string_view event, std::initializer_list<Field> = {});

/// The line without the write; for tests.
std::string log_line(LogLevel, std::string_view event, std::initializer_list<Field>);

}  // namespace boshd
