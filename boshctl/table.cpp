#include "boshctl/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace boshctl {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t least_width = 6;  // to which a column is cut

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

std::string decimals(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// Two digits at least, so that one sees a change.
std::string rounded(double value) {
  return decimals(value, value < 9.95 ? 1 : 0);
}

std::vector<std::size_t> natural_widths(const std::vector<Column>& columns, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t most = display_width(columns[i].title);
    for (const Row& row : rows) most = std::max(most, display_width(row[i]));
    widths.push_back(most);
  }
  return widths;
}

void shrink(std::vector<std::size_t>& widths, const std::vector<Column>& columns, std::size_t width) {
  std::size_t whole = gap * (widths.size() - 1);
  for (const std::size_t one : widths) whole += one;
  for (; whole > width; --whole) {
    std::size_t widest = columns.size();
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (!columns[i].right && (widest == columns.size() || widths[i] > widths[widest])) widest = i;
    if (widest == columns.size() || widths[widest] <= least_width) return;
    --widths[widest];
  }
}

std::string padded(std::string_view text, std::size_t width, bool right) {
  std::string cell = fit(text, width);
  const std::string blanks(width - std::min(width, display_width(cell)), ' ');
  return right ? blanks + cell : cell + blanks;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

std::string fit(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t end = 0;
  for (std::size_t shown = 0; end < text.size(); ++end)
    if (!continues(text[end]) && ++shown == width) break;
  return std::string(text.substr(0, end)) + "…";
}

std::string printable(std::string_view text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // The second byte of U+0080 to U+009F decides, which some terminals obey, too.
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) ++i;
    if (byte < 0x20 || byte == 0x7f || c1)
      shown += '?';
    else
      shown += text[i];
  }
  return shown;
}

std::string format_table(const std::vector<Column>& columns, const std::vector<Row>& raw, std::size_t width) {
  std::vector<Row> rows = raw;
  for (Row& row : rows)
    for (std::string& cell : row) cell = printable(cell);
  std::vector<std::size_t> widths = natural_widths(columns, rows);
  if (width > 0) shrink(widths, columns, width);
  std::string text;
  const auto add = [&](auto cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i)
      line += std::string(i == 0 ? 0 : gap, ' ') + padded(cell_of(i), widths[i], columns[i].right);
    line.erase(line.find_last_not_of(' ') + 1);
    text += (width > 0 ? fit(line, width) : line) + "\n";
  };
  add([&](std::size_t i) -> const std::string& { return columns[i].title; });
  for (const Row& row : rows) add([&](std::size_t i) -> const std::string& { return row[i]; });
  return text;
}

std::string size_text(double bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  return (unit == 0 ? decimals(bytes, 0) : rounded(bytes)) + " " + units[unit];
}

std::string age_text(double seconds) {
  struct Unit {
    long long seconds;
    const char* name;
  };
  constexpr std::array units{Unit{86400, "d"}, Unit{3600, "h"}, Unit{60, "min"}, Unit{1, "s"}};
  const auto whole = std::llround(std::floor(seconds));
  for (std::size_t i = 0; i + 1 < units.size(); ++i) {
    if (whole < units[i].seconds) continue;
    const long long rest = whole % units[i].seconds / units[i + 1].seconds;
    std::string text = std::to_string(whole / units[i].seconds) + " " + units[i].name;
    return rest == 0 ? text : text + " " + std::to_string(rest) + " " + units[i + 1].name;
  }
  return std::to_string(whole) + " s";
}

std::string delay_text(double seconds) {
  if (seconds < 0.00095) return decimals(seconds * 1e6, 0) + " µs";
  if (seconds < 0.95) return rounded(seconds * 1e3) + " ms";
  return rounded(seconds) + " s";
}

std::string count_text(double value) {
  if (value > 0 && value < 9.95 && std::fabs(value - std::round(value)) > 0.05) return decimals(value, 1);
  const std::string digits = decimals(value, 0);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') text += ' ';
    text += digits[i];
  }
  return text;
}

}  // namespace boshctl
