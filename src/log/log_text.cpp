#include "src/log/log_text.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace boshd {
namespace {

constexpr std::array<std::string_view, 4> priorities{"<7>", "<6>", "<4>", "<3>"};  // sd-daemon(3)

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

bool is_ascii_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

void append_hex(std::string& out, std::string_view prefix, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += prefix;
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// Appends the first character of `text` escaped, and returns its length.
std::size_t append_character(std::string& out, std::string_view text) {
  const char c = text.front();
  const auto length = utf8_length(text);
  const auto character = text.substr(0, length);
  if (c == '\n') {
    out += "\\n";
  } else if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (length == 0 || is_ascii_control(c)) {
    append_hex(out, "\\x", c);
  } else if (is_c1_control(character)) {
    for (const char byte : character) append_hex(out, "\\x", byte);
  } else {
    out += character;
  }
  return length == 0 ? 1 : length;
}

/// The same for JSON.
std::size_t append_json_character(std::string& out, std::string_view text) {
  const char c = text.front();
  const auto length = utf8_length(text);
  const auto character = text.substr(0, length);
  if (length == 0) {
    out += "\\ufffd";
  } else if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (is_ascii_control(c)) {
    append_hex(out, "\\u00", c);
  } else if (is_c1_control(character)) {
    append_hex(out, "\\u00", character[1]);
  } else {
    out += character;
  }
  return length == 0 ? 1 : length;
}

void append_value(std::string& out, std::string_view value) {
  std::string escaped;
  append_escaped(escaped, value);
  const bool quoted =
      escaped != value || value.empty() || value.find_first_of(" =") != std::string_view::npos;
  if (quoted) out += '"';
  out += escaped;
  if (quoted) out += '"';
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) text.remove_prefix(append_character(out, text));
}

void append_json(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) text.remove_prefix(append_json_character(out, text));
  out += '"';
}

std::string fields_text(std::span<const Field> fields) {
  std::string text;
  for (const auto& field : fields) {
    if (!text.empty()) text += ' ';
    text += field.key;
    text += '=';
    append_value(text, field.value);
  }
  return text;
}

std::string log_line(LogLevel level, std::string_view event, std::initializer_list<Field> fields) {
  std::string line{to_string(level)};
  line += ' ';
  line += event;
  if (fields.size() > 0) line += ' ';
  return line + fields_text(fields);
}

std::string json_line(LogLevel level, std::string_view event, std::span<const Field> fields,
                      std::chrono::system_clock::time_point now) {
  std::string line = R"({"time":")" + utc_time(now) + R"(","level":")";
  line += to_string(level);
  line += R"(","event":)";
  append_json(line, event);
  for (const auto& field : fields) {
    line += ',';
    append_json(line, field.key);
    line += ':';
    if (field.number)
      line += field.value;
    else
      append_json(line, field.value);
  }
  line += '}';
  return line;
}

std::string utc_time(std::chrono::system_clock::time_point at) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  const auto time = static_cast<std::time_t>(seconds.count());
  std::tm utc{};
  gmtime_r(&time, &utc);
  char date[32];
  char text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>((milliseconds - seconds).count()));
  return text;
}

std::string log_start(LogLevel level, bool journal, std::chrono::system_clock::time_point now) {
  if (journal) return std::string{priorities[static_cast<std::size_t>(level)]};
  return utc_time(now) + ' ';
}

}  // namespace boshd
