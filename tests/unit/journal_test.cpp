// What systemd's journal gets of a line.
#include "src/log/journal.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace boshd {

BOOST_AUTO_TEST_SUITE(journal)

BOOST_AUTO_TEST_CASE(a_line_becomes_fields) {
  const std::vector<Field> fields{
      {"reason", "inactive"}, {"sid", "n1-0a1b2c…"}, {"seconds", 312}, {"a-b", "two words"}};
  const auto sent = journal_fields(LogLevel::info, "session-end", fields);
  const std::vector<std::string> expected{
      "MESSAGE=session-end reason=inactive sid=n1-0a1b2c… seconds=312 a-b=\"two words\"",
      "PRIORITY=6",
      "SYSLOG_IDENTIFIER=boshd",
      "MESSAGE_ID=02f8b89da82f48b49f65560cbcd2b0b6",
      "BOSHD_EVENT=session-end",
      "BOSHD_REASON=inactive",
      "BOSHD_SID=n1-0a1b2c",
      "BOSHD_SECONDS=312",
      "BOSHD_A_B=two words",
  };
  BOOST_TEST(sent == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_event_that_nobody_searches_for_has_no_message_id) {
  const auto sent = journal_fields(LogLevel::debug, "request-refused", {});
  const std::vector<std::string> expected{"MESSAGE=request-refused", "PRIORITY=7", "SYSLOG_IDENTIFIER=boshd",
                                          "BOSHD_EVENT=request-refused"};
  BOOST_TEST(sent == expected, boost::test_tools::per_element());
  BOOST_TEST(journal_fields(LogLevel::warning, "w", {})[1] == "PRIORITY=4");
  BOOST_TEST(journal_fields(LogLevel::error, "e", {})[1] == "PRIORITY=3");
}

BOOST_AUTO_TEST_CASE(every_known_event_has_a_message_id_of_its_own) {
  std::set<std::string_view> ids;
  for (const KnownEvent& event : known_events()) {
    BOOST_TEST(event.message_id.size() == 32U);
    BOOST_TEST(event.message_id.find_first_not_of("0123456789abcdef") == std::string_view::npos);
    BOOST_TEST(ids.insert(event.message_id).second, event.name);
    BOOST_TEST(find_event(event.name) == &event);
  }
  BOOST_TEST(find_event("session") == nullptr);
  BOOST_TEST(find_event("zzz") == nullptr);
  BOOST_TEST(find_event("session-end")->message_id == "02f8b89da82f48b49f65560cbcd2b0b6");
}

BOOST_AUTO_TEST_CASE(the_manual_lists_every_message_id) {
  std::ostringstream manual;
  manual << std::ifstream(BOSHD_SOURCE_DIR "/etc/man/boshd.8.scd").rdbuf();
  for (const KnownEvent& event : known_events())
    BOOST_TEST(manual.str().find("|  " + std::string(event.name) + "\n:  " + std::string(event.message_id)) !=
                   std::string::npos,
               event.name);
}

BOOST_AUTO_TEST_CASE(the_stream_that_systemd_made_is_known_by_device_and_inode) {
  const int file = memfd_create("stream", 0);
  struct stat known {};
  BOOST_TEST_REQUIRE(fstat(file, &known) == 0);
  const std::string device = std::to_string(known.st_dev);
  const std::string inode = std::to_string(known.st_ino);
  BOOST_TEST(is_journal_stream((device + ':' + inode).c_str(), file));
  BOOST_TEST(!is_journal_stream((device + ":1" + inode).c_str(), file));
  BOOST_TEST(!is_journal_stream("", file));
  BOOST_TEST(!is_journal_stream(nullptr, file));
  close(file);
  BOOST_TEST(!is_journal_stream((device + ':' + inode).c_str(), file));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
