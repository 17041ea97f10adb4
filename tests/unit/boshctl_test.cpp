// boshctl's text for people.
#include "boshctl/show.hpp"
#include "boshctl/table.hpp"

#include <boost/test/unit_test.hpp>

namespace boshctl {

BOOST_AUTO_TEST_SUITE(tables)

BOOST_AUTO_TEST_CASE(columns_are_aligned) {
  BOOST_TEST(
      format_table({{"NAME"}, {"COUNT", true}, {"TEXT"}}, {{"a", "1 000", "x"}, {"bébé", "2", ""}}, 0) ==
      "NAME  COUNT  TEXT\n"
      "a     1 000  x\n"
      "bébé      2\n");
}

BOOST_AUTO_TEST_CASE(the_widest_text_gives_way_to_the_terminal) {
  const std::string table =
      format_table({{"ID"}, {"WHO"}, {"N", true}}, {{"00471b…", std::string(40, 'x'), "12345"}}, 30);
  BOOST_TEST(table ==
             "ID       WHO                 N\n"
             "00471b…  xxxxxxxxxxxxx…  12345\n");
}

BOOST_AUTO_TEST_CASE(no_line_is_wider_than_the_terminal) {
  for (std::size_t width = 1; width < 60; ++width) {
    const std::string table = format_table({{"AAAAAAAA"}, {"BBBBBBBB", true}, {"CCCCCCCC"}},
                                           {{std::string(15, 'a') + "äääää", "123456", "c"}}, width);
    std::size_t from = 0;
    for (auto end = table.find('\n'); end != table.npos; end = table.find('\n', from)) {
      BOOST_TEST(display_width(table.substr(from, end - from)) <= width);
      from = end + 1;
    }
  }
}

BOOST_AUTO_TEST_CASE(a_value_cannot_steer_the_terminal) {
  BOOST_TEST(printable("a\x1b[31mb\n\xc2\x9b"
                       "c") == "a?[31mb??c");
  BOOST_TEST(format_table({{"A"}}, {{"x\x1b]0;y\x07"}}, 0) == "A\nx?]0;y?\n");
}

BOOST_AUTO_TEST_CASE(sizes_and_times) {
  BOOST_TEST(size_text(812) == "812 B");
  BOOST_TEST(size_text(4096) == "4.0 KiB");
  BOOST_TEST(size_text(17.0 * 1024 * 1024) == "17 MiB");
  BOOST_TEST(age_text(5) == "5 s");
  BOOST_TEST(age_text(200) == "3 min 20 s");
  BOOST_TEST(age_text(7500) == "2 h 5 min");
  BOOST_TEST(age_text(86400.0 * 9) == "9 d");
  BOOST_TEST(delay_text(0.00085) == "850 µs");
  BOOST_TEST(delay_text(0.0123) == "12 ms");
  BOOST_TEST(delay_text(1.44) == "1.4 s");
  BOOST_TEST(count_text(7) == "7");
  BOOST_TEST(count_text(1234567) == "1 234 567");
  BOOST_TEST(count_text(0.42) == "0.4");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(answers)

BOOST_AUTO_TEST_CASE(columns_that_no_session_has_are_left_out) {
  const std::string text = show_answer(
      "show sessions",
      {Json::parse(R"({"id":"00471b…","domain":"example.org","jid":null,"seconds":61,"held":1})")}, 0);
  BOOST_TEST(text ==
             "ID       WHO                AGE  HELD\n"
             "00471b…  example.org  1 min 1 s     1\n");
}

BOOST_AUTO_TEST_CASE(empty_lists_say_so) {
  BOOST_TEST(show_answer("show sessions", {}, 0) == "There are no sessions.\n");
  BOOST_TEST(show_answer("show errors", {}, 0) == "There were no warnings and no errors.\n");
}

BOOST_AUTO_TEST_CASE(a_trace_says_who_speaks) {
  const std::string text = show_trace(
      Json::parse(R"({"time":1.5,"id":"00471b…","event":"to-server","server":"s:1","xml":"<message/>"})"));
  BOOST_TEST(text.find("boshd → server") != text.npos);
  BOOST_TEST(text.find("\n    <message/>\n") != text.npos);
}

BOOST_AUTO_TEST_CASE(a_status_with_holes_is_shown_all_the_same) {
  BOOST_TEST(show_status(Json::parse("{}"), 80).starts_with("boshd"));
  BOOST_TEST(show_status(Json::parse(R"({"delay_seconds":null,"ended":[]})"), 80).find("p50 -") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshctl
