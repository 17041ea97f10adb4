// The form of log lines. What a client can influence must not start a line of its own or hide in a terminal.
#include "src/log/log.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <vector>

#include "src/config.hpp"
#include "src/log/log_text.hpp"

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
  std::string text(64 * 1024, '\0');
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

BOOST_AUTO_TEST_CASE(json_has_time_level_event_and_fields) {
  const std::chrono::system_clock::time_point time{std::chrono::milliseconds{1795213864123}};
  const std::vector<Field> fields{
      {"sid", "n1-0a1b2c…"}, {"seconds", 312}, {"delay", 0.25}, {"big", std::uint64_t{1} << 63}};
  BOOST_TEST(json_line(LogLevel::info, "session-end", fields, time) ==
             R"({"time":"2026-11-20T22:31:04.123Z","level":"info","event":"session-end",)"
             R"("sid":"n1-0a1b2c…","seconds":312,"delay":0.250,"big":9223372036854775808})");
  BOOST_TEST(json_line(LogLevel::error, "e", {}, {}) ==
             R"({"time":"1970-01-01T00:00:00.000Z","level":"error","event":"e"})");
}

BOOST_AUTO_TEST_CASE(json_strings_are_valid_whatever_is_in_them) {
  const std::pair<std::string, const char*> cases[] = {
      {"", R"("")"},
      {"a/b é 日本 😀", R"("a/b é 日本 😀")"},
      {"say \"x\" \\", R"("say \"x\" \\")"},
      {"\r\n\t\x1b\x7f", R"("\u000d\u000a\u0009\u001b\u007f")"},
      {std::string(1, '\0'), R"("\u0000")"},
      {"\xc2\x9b", R"("\u009b")"},
      {"a\xff", R"("a\ufffd")"},
      {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},
  };
  for (const auto& [text, expected] : cases) {
    std::string out;
    append_json(out, text);
    BOOST_TEST(out == expected);
  }
}

BOOST_AUTO_TEST_CASE(the_level_and_the_format_change_at_any_time) {
  const auto text = written([] {
    LogSettings settings;
    settings.level = LogLevel::debug;
    settings.target = LogTarget::standard_error;
    settings.format = LogFormat::json;
    set_up_log(settings);
    log(LogLevel::debug, "one", {{"n", 1}});
    set_log_level(LogLevel::error);
    log(LogLevel::warning, "hidden");
    settings.format = LogFormat::text;
    settings.level = LogLevel::info;
    set_up_log(settings);
    log(LogLevel::info, "two");
  });
  BOOST_TEST(text.find(R"("level":"debug","event":"one","n":1})") != text.npos, text);
  BOOST_TEST(text.find("hidden") == text.npos, text);
  BOOST_TEST(text.ends_with("info two\n"), text);
}

BOOST_AUTO_TEST_CASE(warnings_and_errors_are_remembered_whatever_the_level) {
  written([] {
    set_log_level(LogLevel::error);
    log(LogLevel::info, "not-remembered");
    for (int i = 0; i < 3; ++i) log(LogLevel::warning, "remembered", {{"why", "so"}});
    set_log_level(LogLevel::info);
  });
  const auto problems = recent_problems();
  BOOST_TEST_REQUIRE(!problems.empty());
  BOOST_TEST(problems.front().event == "remembered");
  BOOST_TEST(problems.front().text == "why=so");
  BOOST_TEST(problems.front().count == 3U);
  for (const Problem& problem : problems) BOOST_TEST(problem.event != "not-remembered");
}

BOOST_AUTO_TEST_CASE(of_many_warnings_that_others_set_off_ten_are_written) {
  const auto text = written([] {
    for (int i = 0; i < 100; ++i) {
      log(LogLevel::warning, "session-refused", {{"client", i}});
      log(LogLevel::warning, "not-limited", {{"n", i % 20}});
      log(LogLevel::info, "session-end");
    }
  });
  const auto count = [&](std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  BOOST_TEST(count("session-refused") == 10U);
  BOOST_TEST(count("not-limited") == 100U);
  BOOST_TEST(count("session-end") == 100U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
