// Text for people: tables that fit the terminal, sizes and times that can be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace boshctl {

struct Column {
  std::string title;
  bool right = false;  // numbers
};
using Row = std::vector<std::string>;

/// One line a row, columns two blanks apart, none longer than `width` (0: as long as it takes): the widest
/// columns of text are cut first, and marked by "…". Control characters of the values are shown as "?".
std::string format_table(const std::vector<Column>&, const std::vector<Row>&, std::size_t width);

/// So many columns of a terminal the text takes, for scripts where a character takes one.
std::size_t display_width(std::string_view);
/// Cut to a width, with "…" for what was cut off.
std::string fit(std::string_view, std::size_t width);
/// Without control characters, which terminals obey.
std::string printable(std::string_view);

/// "812 B", "4.0 KiB", "17 MiB".
std::string size_text(double bytes);
/// "5 s", "3 min 20 s", "2 h 5 min", "9 d 3 h".
std::string age_text(double seconds);
/// "850 µs", "12 ms", "1.4 s".
std::string delay_text(double seconds);
/// "7", "1 234", "0.4".
std::string count_text(double value);

}  // namespace boshctl
