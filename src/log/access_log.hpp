// The access log: one line for each request, in a file of its own. Without it, it costs nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "src/address.hpp"
#include "src/config.hpp"
#include "src/http_request.hpp"
#include "src/loop.hpp"

namespace boshd {

/// What is kept of a request until its line is written. Nothing of any URL's query: tokens are in there.
struct AccessEntry {
  std::chrono::system_clock::time_point came;
  Time since;  // the same by the clock that is never set
  Address client;
  Method method = Method::other;
  unsigned version = 0;  // 0: the request could not be read
  std::string path{};
  std::string referer{};
  std::string user_agent{};
};

/// What became of a request.
struct AccessOutcome {
  unsigned status = 0;
  std::size_t bytes = 0;  // of the body
  std::chrono::duration<double> time{};
  std::string_view sid{};  // as much of it as a log may know; may be empty
};

/// The status of a request whose connection ended before it was answered.
inline constexpr unsigned status_unanswered = 499;

/// Opens the file, or another one than before; without a path there is none any more. From any thread. Throws
/// std::runtime_error that says what the system refuses; all stays as it was then.
void open_access_log(const LogSettings&);
/// Opens the same path anew, after its file was renamed. From any thread. What fails is told in the log.
void reopen_access_log();

/// What the access log wants to know of a request; nullptr when there is none.
std::shared_ptr<const AccessEntry> access_entry(const HttpRequest&, const Address& client);
/// Whether there is one.
bool access_log_is_on();

/// The line, with its end. Combined is what web servers write by that name, with the seconds and the sid
/// behind.
std::string access_line(const AccessEntry&, const AccessOutcome&, AccessFormat);

/// The lines of one thread on their way to the file: once a second in one piece, so that those of several
/// threads don't mix.
class AccessLines {
 public:
  explicit AccessLines(Loop& loop) : timer_(loop) {}
  ~AccessLines() { flush(); }

  void add(const AccessEntry&, unsigned status, std::size_t bytes, std::string_view sid);
  void flush();
  /// From now on, lines are written when `flush` is called: the loop may come to its end.
  void stop();

 private:
  std::string lines_;
  Timer timer_;
  bool timed_ = false;
  bool stopped_ = false;
};

}  // namespace boshd
