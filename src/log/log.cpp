#include "src/log/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <span>

#include "src/config.hpp"
#include "src/log/journal.hpp"
#include "src/log/log_text.hpp"
#include "src/log/problems.hpp"

namespace boshd {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

std::atomic<LogLevel> least_level = LogLevel::info;
std::atomic<bool> to_journal = false;
std::atomic<bool> as_json = false;

/// What is only touched by warnings and errors.
struct Memory {
  std::mutex mutex;
  ProblemList problems;
  LineLimits limits;
};

Memory& memory() {
  static Memory memory;
  return memory;
}

bool stderr_is_journal() {
  static const bool journal = is_journal_stream(std::getenv("JOURNAL_STREAM"), STDERR_FILENO);
  return journal;
}

void write_whole(std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody is left to tell
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_line(LogLevel level, std::string_view event, std::initializer_list<Field> fields,
                system_clock::time_point now) {
  if (to_journal && send_to_journal(journal_fields(level, event, fields))) return;
  const bool journal = stderr_is_journal();
  std::string line = as_json && !journal ? "" : log_start(level, journal, now);
  line += as_json ? json_line(level, event, fields, now) : log_line(level, event, fields);
  line += '\n';
  write_whole(line);
}

/// Remembers a warning or error; false if its line is one too many.
bool remember(LogLevel level, std::string_view event, std::initializer_list<Field> fields,
              system_clock::time_point now) {
  const KnownEvent* known = find_event(event);
  const bool limited = level == LogLevel::warning && known != nullptr && known->limited;
  Memory& kept = memory();
  const std::lock_guard lock(kept.mutex);
  if (limited && !kept.limits.pass(event, steady_clock::now())) return false;
  kept.problems.add({now, level, std::string(event), fields_text(fields), 1});
  return true;
}

std::vector<LineLimits::Kept> take_kept(bool all) {
  Memory& kept = memory();
  const std::lock_guard lock(kept.mutex);
  return kept.limits.take_kept(steady_clock::now() + (all ? LineLimits::span : LineLimits::span.zero()));
}

}  // namespace

std::string_view to_string(LogLevel level) {
  constexpr std::array<std::string_view, 4> names{"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

Field::Field(std::string_view k, double v) : key(k), number(true) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", v);
  value = text;
}

void set_log_level(LogLevel level) {
  least_level = level;
}

void set_up_log(const LogSettings& settings) {
  const bool wanted = settings.target == LogTarget::journal ||
                      (settings.target == LogTarget::automatic && stderr_is_journal());
  to_journal = wanted && journal_is_there();
  as_json = settings.format == LogFormat::json;
  least_level = settings.level;
}

void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < LogLevel::warning && level < least_level) return;
  const auto now = system_clock::now();
  if (level >= LogLevel::warning && !remember(level, event, fields, now)) return;
  if (level >= least_level) write_line(level, event, fields, now);
}

void log_kept_back(bool at_the_end) {
  for (const LineLimits::Kept& kept : take_kept(at_the_end))
    log(LogLevel::warning, "suppressed", {{"of", kept.event}, {"count", kept.count}});
}

std::vector<Problem> recent_problems() {
  Memory& kept = memory();
  const std::lock_guard lock(kept.mutex);
  return kept.problems.list();
}

}  // namespace boshd
