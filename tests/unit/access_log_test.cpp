// The lines of the access log, and its file.
#include "src/log/access_log.hpp"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "src/http_request.hpp"

namespace boshd {
namespace {

using namespace std::chrono_literals;

AccessEntry entry() {
  AccessEntry entry;
  entry.came = std::chrono::system_clock::time_point(1795213864123ms);
  entry.client = *parse_ip("192.0.2.7");
  entry.method = Method::post;
  entry.version = 11;
  entry.path = "/http-bind";
  entry.referer = "https://chat.example.org/";
  entry.user_agent = "Browser/5.0 X11";
  return entry;
}

/// A folder with an access log that is gone at the end.
struct Folder {
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "boshd-access-XXXXXX";
    BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    open_access_log({});
    std::filesystem::remove_all(path);
  }
  std::string file(const std::string& name) const { return path / name; }
  std::string text(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path / name).rdbuf();
    return text.str();
  }
  std::filesystem::path path;
};

LogSettings settings(const std::string& path) {
  LogSettings settings;
  settings.access = path;
  return settings;
}

HttpRequest request(std::string target) {
  HttpRequest request;
  request.method = Method::get;
  request.target = std::move(target);
  return request;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(access_lines)

BOOST_AUTO_TEST_CASE(combined) {
  BOOST_TEST(access_line(entry(), {200, 123, 12345ms, "n1-0a1b2c"}, AccessFormat::combined) ==
             "192.0.2.7 - - [20/Nov/2026:22:31:04 +0000] \"POST /http-bind HTTP/1.1\" 200 123 "
             "\"https://chat.example.org/\" \"Browser/5.0 X11\" 12.345 n1-0a1b2c\n");
  AccessEntry bare;
  bare.client = *parse_ip("2001:db8::1");
  BOOST_TEST(access_line(bare, {400, 12, {}, {}}, AccessFormat::combined) ==
             "2001:db8::1 - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 12 \"-\" \"-\" 0.000 -\n");
}

BOOST_AUTO_TEST_CASE(json) {
  BOOST_TEST(
      access_line(entry(), {200, 123, 12345ms, "n1-0a1b2c"}, AccessFormat::json) ==
      R"({"time":"2026-11-20T22:31:04.123Z","address":"192.0.2.7","method":"POST","path":"/http-bind",)"
      R"("protocol":"HTTP/1.1","status":200,"bytes":123,"seconds":12.345,)"
      R"("referer":"https://chat.example.org/","user_agent":"Browser/5.0 X11","sid":"n1-0a1b2c"})"
      "\n");
  AccessEntry bare;
  bare.client = *parse_ip("2001:db8::1");
  BOOST_TEST(
      access_line(bare, {400, 12, {}, {}}, AccessFormat::json) ==
      R"({"time":"1970-01-01T00:00:00.000Z","address":"2001:db8::1","status":400,"bytes":12,"seconds":0.000})"
      "\n");
}

BOOST_AUTO_TEST_CASE(headers_of_a_client_cant_make_a_line_or_a_field) {
  AccessEntry evil = entry();
  evil.user_agent = "x\" 200 1 \"\n\x1b[2J\xff";
  const std::string combined = access_line(evil, {200, 1, {}, {}}, AccessFormat::combined);
  BOOST_TEST(combined.find(R"("x\" 200 1 \"\n\x1b[2J\xff" 0.000)") != combined.npos, combined);
  BOOST_TEST(combined.find('\n') == combined.size() - 1);
  const std::string json = access_line(evil, {200, 1, {}, {}}, AccessFormat::json);
  BOOST_TEST(json.find(R"("x\" 200 1 \"\u000a\u001b[2J\ufffd")") != json.npos, json);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(access_file)

BOOST_AUTO_TEST_CASE(without_a_file_nothing_is_kept_of_a_request) {
  BOOST_TEST(!access_log_is_on());
  BOOST_TEST(access_entry(request("/a"), {}) == nullptr);
}

BOOST_AUTO_TEST_CASE(nothing_of_a_query_is_kept) {
  const Folder folder;
  open_access_log(settings(folder.file("log")));
  HttpRequest asked = request("/http-bind?token=secret");
  asked.referer = "https://meet.example.org/room?jwt=secret#secret";
  const auto entry = access_entry(asked, *parse_ip("192.0.2.7"));
  BOOST_TEST_REQUIRE(entry != nullptr);
  BOOST_TEST(entry->path == "/http-bind");
  BOOST_TEST(entry->referer == "https://meet.example.org/room");
}

BOOST_AUTO_TEST_CASE(lines_are_appended_in_one_piece_and_only_its_group_may_read_them) {
  const Folder folder;
  std::ofstream(folder.file("log")) << "old\n";
  std::filesystem::remove(folder.file("log"));
  open_access_log(settings(folder.file("log")));
  Loop loop;
  {
    AccessLines lines(loop);
    lines.add(entry(), 200, 1, "aaaaaa");
    lines.add(entry(), 200, 2, "bbbbbb");
    BOOST_TEST(folder.text("log").empty());
    lines.flush();
    BOOST_TEST(folder.text("log").ends_with(" bbbbbb\n"));
    lines.add(entry(), 200, 3, "cccccc");
  }
  const std::string text = folder.text("log");
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 3);
  BOOST_TEST(text.ends_with(" cccccc\n"), text);
  struct stat known {};
  ::stat(folder.file("log").c_str(), &known);
  BOOST_TEST((known.st_mode & 0137) == 0U);
}

BOOST_AUTO_TEST_CASE(many_lines_do_not_wait) {
  const Folder folder;
  open_access_log(settings(folder.file("log")));
  Loop loop;
  AccessLines lines(loop);
  for (int i = 0; i < 1000; ++i) lines.add(entry(), 200, 1, "aaaaaa");
  BOOST_TEST(folder.text("log").size() > 64U * 1024);
}

BOOST_AUTO_TEST_CASE(a_renamed_file_is_followed_by_a_new_one) {
  const Folder folder;
  open_access_log(settings(folder.file("log")));
  Loop loop;
  AccessLines lines(loop);
  lines.add(entry(), 200, 1, "aaaaaa");
  lines.flush();
  std::filesystem::rename(folder.file("log"), folder.file("log.1"));
  lines.add(entry(), 200, 1, "bbbbbb");
  lines.flush();
  reopen_access_log();
  lines.add(entry(), 200, 1, "cccccc");
  lines.flush();
  BOOST_TEST(folder.text("log.1").find("aaaaaa") != std::string::npos);
  BOOST_TEST(folder.text("log.1").ends_with("bbbbbb\n"));
  BOOST_TEST(folder.text("log").ends_with("cccccc\n"));
}

BOOST_AUTO_TEST_CASE(a_file_that_cant_be_opened_is_named_and_the_old_one_stays) {
  const Folder folder;
  open_access_log(settings(folder.file("log")));
  const std::string missing = folder.file("missing/log");
  BOOST_CHECK_EXCEPTION(open_access_log(settings(missing)), std::runtime_error,
                        [&](const std::runtime_error& error) {
                          const std::string_view what = error.what();
                          return what.find(missing) != what.npos && what.find("No such file") != what.npos;
                        });
  BOOST_TEST(access_log_is_on());
  Loop loop;
  AccessLines(loop).add(entry(), 200, 1, "aaaaaa");
  BOOST_TEST(folder.text("log").ends_with("aaaaaa\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
