#include "src/log/access_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "src/log/log.hpp"
#include "src/log/log_text.hpp"

namespace boshd {

namespace {

constexpr std::size_t most_waiting = std::size_t{64} * 1024;  // bytes of one thread
constexpr mode_t file_mode = 0640;

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, file_mode)) {}
  ~File() {
    if (is_open()) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  /// False if not all of it could be written; errno says why.
  bool write(std::string_view text) const {
    while (!text.empty()) {
      const auto written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

 private:
  int descriptor_;
};

struct AccessLog {
  std::mutex mutex;  // of the next two
  std::string path;
  std::shared_ptr<const File> file;
  std::atomic<bool> on = false;
  std::atomic<AccessFormat> format = AccessFormat::combined;
  std::atomic<bool> failing = false;
};

AccessLog& access_log() {
  static AccessLog log;
  return log;
}

std::string word(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "OTHER";
}

std::string protocol(unsigned version) {
  return version == 10 ? "HTTP/1.0" : "HTTP/1.1";
}

/// `28/Nov/2026:00:10:04 +0000`.
std::string combined_time(std::chrono::system_clock::time_point at) {
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = std::chrono::system_clock::to_time_t(at);
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[96];
  std::snprintf(text, sizeof text, "%02d/%s/%04d:%02d:%02d:%02d +0000", utc.tm_mday, months[utc.tm_mon],
                utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return text;
}

std::string seconds(std::chrono::duration<double> time) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", time.count());
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_escaped(out, text.empty() ? "-" : text);
  return out + '"';
}

std::string combined_line(const AccessEntry& entry, const AccessOutcome& outcome) {
  const std::string request = word(entry.method) + ' ' + entry.path + ' ' + protocol(entry.version);
  std::string line = to_string(entry.client) + " - - [" + combined_time(entry.came) + "] ";
  line += quoted(entry.version == 0 ? "" : request);
  line += ' ' + std::to_string(outcome.status) + ' ' + std::to_string(outcome.bytes);
  line += ' ' + quoted(entry.referer) + ' ' + quoted(entry.user_agent);
  line += ' ' + seconds(outcome.time) + ' ';
  line += outcome.sid.empty() ? "-" : outcome.sid;
  return line + '\n';
}

std::string json_access_line(const AccessEntry& entry, const AccessOutcome& outcome) {
  std::string line =
      R"({"time":")" + utc_time(entry.came) + R"(","address":")" + to_string(entry.client) + '"';
  const auto add = [&](std::string_view key, std::string_view text) {
    line += ",\"" + std::string(key) + "\":";
    append_json(line, text);
  };
  if (entry.version != 0) {
    add("method", word(entry.method));
    add("path", entry.path);
    add("protocol", protocol(entry.version));
  }
  line += ",\"status\":" + std::to_string(outcome.status) + ",\"bytes\":" + std::to_string(outcome.bytes);
  line += ",\"seconds\":" + seconds(outcome.time);
  if (!entry.referer.empty()) add("referer", entry.referer);
  if (!entry.user_agent.empty()) add("user_agent", entry.user_agent);
  if (!outcome.sid.empty()) add("sid", outcome.sid);
  return line + "}\n";
}

std::string without_query(std::string_view url) {
  return std::string(url.substr(0, url.find_first_of("?#")));
}

void write_lines(std::string_view lines) {
  AccessLog& log_file = access_log();
  std::shared_ptr<const File> file;
  {
    const std::lock_guard lock(log_file.mutex);
    file = log_file.file;
  }
  if (!file) return;
  if (file->write(lines)) {
    log_file.failing = false;
    return;
  }
  const int error = errno;
  if (log_file.failing.exchange(true)) return;
  log(LogLevel::error, "access-log-failed", {{"error", std::strerror(error)}, {"effect", "lines are lost"}});
}

}  // namespace

void open_access_log(const LogSettings& settings) {
  AccessLog& log_file = access_log();
  std::shared_ptr<const File> file;
  if (!settings.access.empty()) {
    file = std::make_shared<const File>(settings.access);
    if (!file->is_open())
      throw std::runtime_error(to_string(settings.access_written) + "the access log " + settings.access +
                               " can't be opened: " + std::strerror(errno) +
                               "; change [log] access, or let boshd's user write there");
  }
  const std::lock_guard lock(log_file.mutex);
  log_file.path = settings.access;
  log_file.on = file != nullptr;
  log_file.file = std::move(file);
  log_file.format = settings.access_format;
  log_file.failing = false;
}

void reopen_access_log() {
  AccessLog& log_file = access_log();
  const std::lock_guard lock(log_file.mutex);
  if (log_file.path.empty()) return;
  auto file = std::make_shared<const File>(log_file.path);
  if (!file->is_open()) {
    log(LogLevel::error, "access-log-failed",
        {{"file", log_file.path}, {"error", std::strerror(errno)}, {"effect", "lines go to the old file"}});
    return;
  }
  log_file.file = std::move(file);
  log_file.failing = false;
}

bool access_log_is_on() {
  return access_log().on.load(std::memory_order_relaxed);
}

std::shared_ptr<const AccessEntry> access_entry(const HttpRequest& request, const Address& client) {
  if (!access_log_is_on()) return nullptr;
  return std::make_shared<const AccessEntry>(AccessEntry{
      .came = std::chrono::system_clock::now(),
      .since = std::chrono::steady_clock::now(),
      .client = client,
      .method = request.method,
      .version = request.target.empty() ? 0 : request.version,
      .path = without_query(request.target),
      .referer = without_query(request.referer),
      .user_agent = request.user_agent,
  });
}

std::string access_line(const AccessEntry& entry, const AccessOutcome& outcome, AccessFormat format) {
  return format == AccessFormat::json ? json_access_line(entry, outcome) : combined_line(entry, outcome);
}

void AccessLines::add(const AccessEntry& entry, unsigned status, std::size_t bytes, std::string_view sid) {
  const auto time = std::chrono::steady_clock::now() - entry.since;
  lines_ += access_line(entry, {status, bytes, time, sid}, access_log().format);
  if (lines_.size() >= most_waiting) return flush();
  if (stopped_ || std::exchange(timed_, true)) return;
  timer_.start_in(std::chrono::seconds(1), [this] {
    timed_ = false;
    flush();
  });
}

void AccessLines::flush() {
  if (!lines_.empty()) write_lines(lines_);
  lines_ = {};
}

void AccessLines::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace boshd
