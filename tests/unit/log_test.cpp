// The form of log lines. What a client can influence must not start a line of its own or hide in a terminal.
#include "src/log.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>

namespace boshd {
namespace {

std::string value(std::string_view text) {
  const auto line = log_line(LogLevel::info, "event", {{"key", text}});
  const std::string start = "info event key=";
  BOOST_TEST(line.starts_with(start));
  return line.substr(start.size());
}

/// What the calls in `action` write to stderr.
template <class Action>
std::string written(Action action) {
  const int file = memfd_create("stderr", 0);
  const int kept = dup(STDERR_FILENO);
  BOOST_REQUIRE(file >= 0 && kept >= 0);
  dup2(file, STDERR_FILENO);
  action();
  dup2(kept, STDERR_FILENO);
  close(kept);
  std::string text(4096, '\0');
  const auto size = pread(file, text.data(), text.size(), 0);
  close(file);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_lines)

BOOST_AUTO_TEST_CASE(a_line_is_level_event_and_fields) {
  BOOST_TEST(log_line(LogLevel::info, "listening", {{"address", "127.0.0.1:5280"}, {"path", "/http-bind"}}) ==
             "info listening address=127.0.0.1:5280 path=/http-bind");
  BOOST_TEST(log_line(LogLevel::debug, "start", {}) == "debug start");
  BOOST_TEST(log_line(LogLevel::warning, "w", {}) == "warning w");
  BOOST_TEST(log_line(LogLevel::error, "e", {}) == "error e");
}

BOOST_AUTO_TEST_CASE(numbers_of_every_type_are_fields) {
  BOOST_TEST(log_line(LogLevel::info, "n", {{"a", 0}, {"b", -1}, {"c", 7U}, {"d", std::uint64_t{1} << 63}}) ==
             "info n a=0 b=-1 c=7 d=9223372036854775808");
}

BOOST_AUTO_TEST_CASE(a_plain_value_stands_as_it_is) {
  for (const std::string text : {"abc", "n2-f00d4…", "[::1]:80", "é", "日本", "😀", "a/b,c;d", "'"}) {
    BOOST_TEST(value(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(blanks_equals_signs_and_nothing_are_quoted) {
  BOOST_TEST(value("") == R"("")");
  BOOST_TEST(value("a b") == R"("a b")");
  BOOST_TEST(value("a=b") == R"("a=b")");
}

BOOST_AUTO_TEST_CASE(quotes_backslashes_and_controls_are_escaped) {
  BOOST_TEST(value("say \"x\"") == R"("say \"x\"")");
  BOOST_TEST(value("a\\n") == R"("a\\n")");
  BOOST_TEST(value("a\ninfo forged") == R"("a\ninfo forged")");
  BOOST_TEST(value("\r\t\x1b[2J\x7f") == R"("\x0d\x09\x1b[2J\x7f")");
  BOOST_TEST(value(std::string_view("\0", 1)) == R"("\x00")");
  BOOST_TEST(value("\xc2\x9b") == R"("\xc2\x9b")");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf8_are_escaped) {
  const std::pair<std::string, const char*> cases[] = {
      {"\x80", R"("\x80")"},
      {"a\xff", R"("a\xff")"},
      {"\xc3", R"("\xc3")"},
      {"\xc0\xaf", R"("\xc0\xaf")"},
      {"\xe0\x80\xaf", R"("\xe0\x80\xaf")"},
      {"\xed\xa0\x80", R"("\xed\xa0\x80")"},
      {"\xf4\x90\x80\x80", R"("\xf4\x90\x80\x80")"},
      {"\xf0\x9f\x98", R"("\xf0\x9f\x98")"},
      {"\xc3"
       "a",
       R"("\xc3a")"},
  };
  for (const auto& [text, expected] : cases) BOOST_TEST(value(text) == expected);
}

BOOST_AUTO_TEST_CASE(a_line_starts_with_the_time_or_the_priority) {
  using std::chrono::system_clock;
  const system_clock::time_point time{std::chrono::milliseconds{1795213864123}};
  BOOST_TEST(log_start(LogLevel::info, false, time) == "2026-11-20T22:31:04.123Z ");
  BOOST_TEST(log_start(LogLevel::info, false, system_clock::time_point{}) == "1970-01-01T00:00:00.000Z ");
  BOOST_TEST(log_start(LogLevel::debug, true, time) == "<7>");
  BOOST_TEST(log_start(LogLevel::info, true, time) == "<6>");
  BOOST_TEST(log_start(LogLevel::warning, true, time) == "<4>");
  BOOST_TEST(log_start(LogLevel::error, true, time) == "<3>");
}

BOOST_AUTO_TEST_CASE(lines_below_the_level_are_not_written) {
  const auto text = written([] {
    set_log_level(LogLevel::warning);
    log(LogLevel::info, "hidden");
    log(LogLevel::warning, "shown", {{"key", "a b"}});
    log(LogLevel::error, "shown-too");
    set_log_level(LogLevel::info);
  });
  const auto first_end = text.find('\n');
  BOOST_TEST_REQUIRE(first_end != std::string::npos);
  BOOST_TEST(text.substr(0, first_end).ends_with("warning shown key=\"a b\""), text);
  BOOST_TEST(text.ends_with("error shown-too\n"), text);
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2);
  BOOST_TEST((text.starts_with("<4>") || text.find("Z warning") != std::string::npos), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
