#include "src/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace boshd {
namespace {

std::atomic<LogLevel> least_level = LogLevel::info;

struct LevelNames {
  std::string_view name;
  std::string_view priority;  // sd-daemon(3)
};
constexpr std::array<LevelNames, 4> levels{
    {{"debug", "<7>"}, {"info", "<6>"}, {"warning", "<4>"}, {"error", "<3>"}}};

const LevelNames& names(LogLevel level) {
  return levels[static_cast<std::size_t>(level)];
}

bool under_journal() {
  static const bool journal = [] {
    const char* stream = std::getenv("JOURNAL_STREAM");
    return stream != nullptr && *stream != '\0';
  }();
  return journal;
}

/// The length of the UTF-8 character that `text` starts with; 0 when it starts with none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) >= 0xa0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool too_high = first == 0xf4 && byte(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !too_high ? 4 : 0;
  }
  return 0;
}

/// U+0080 to U+009F: some terminals obey them as they obey the ASCII ones.
bool is_c1_control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xc2' && static_cast<unsigned char>(character[1]) < 0xa0;
}

void append_hex(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// Appends the first character of `text` escaped, and returns its length.
std::size_t append_escaped(std::string& out, std::string_view text) {
  const char c = text.front();
  const auto length = utf8_length(text);
  const auto character = text.substr(0, length);
  if (c == '\n') {
    out += "\\n";
  } else if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
    append_hex(out, c);
  } else if (is_c1_control(character)) {
    for (const char byte : character) append_hex(out, byte);
  } else {
    out += character;
  }
  return length == 0 ? 1 : length;
}

void append_value(std::string& out, std::string_view value) {
  std::string escaped;
  for (std::string_view left = value; !left.empty();) left.remove_prefix(append_escaped(escaped, left));
  const bool quoted =
      escaped != value || value.empty() || value.find_first_of(" =") != std::string_view::npos;
  if (quoted) out += '"';
  out += escaped;
  if (quoted) out += '"';
}

void write_whole(std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody is left to tell
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string_view to_string(LogLevel level) {
  return names(level).name;
}

void set_log_level(LogLevel level) {
  least_level = level;
}

std::string log_line(LogLevel level, std::string_view event, std::initializer_list<Field> fields) {
  std::string line{to_string(level)};
  line += ' ';
  line += event;
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  return line;
}

std::string log_start(LogLevel level, bool journal, std::chrono::system_clock::time_point now) {
  if (journal) return std::string{names(level).priority};
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  const auto time = static_cast<std::time_t>(seconds.count());
  std::tm utc{};
  gmtime_r(&time, &utc);
  char date[32];
  char text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text, sizeof text, "%s.%03dZ ", date, static_cast<int>((milliseconds - seconds).count()));
  return text;
}

void log(LogLevel level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  auto line = log_start(level, under_journal(), std::chrono::system_clock::now());
  line += log_line(level, event, fields);
  line += '\n';
  write_whole(line);
}

}  // namespace boshd
