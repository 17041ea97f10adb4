#include "boshctl/top.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <string_view>
#include <vector>

#include "boshctl/client.hpp"
#include "boshctl/show.hpp"
#include "boshctl/table.hpp"

namespace boshctl {

namespace {

constexpr int refresh_milliseconds = 1000;
constexpr std::size_t most_sessions = 5;     // oldest and busiest shown
constexpr unsigned turns_between_lists = 5;  // of all sessions, which is the dear part

winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

/// The terminal as it has to be for keys that come at once and a screen of our own; as it was, afterwards.
class Screen {
 public:
  Screen() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) ::sigaddset(&signals, signal);
    ::sigprocmask(SIG_BLOCK, &signals, &before_signals_);
    signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    keys_ = ::isatty(STDIN_FILENO) != 0 && ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (keys_) {
      termios raw = before_;
      raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    put("\x1b[?1049h\x1b[?25l");
  }
  ~Screen() {
    put("\x1b[?25h\x1b[?1049l");
    if (keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    ::close(signals_);
    ::sigprocmask(SIG_SETMASK, &before_signals_, nullptr);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// As many lines as there is room for.
  void draw(const std::string& text) const {
    const winsize size = terminal_size();
    std::string out = "\x1b[H";
    std::size_t from = 0;
    for (unsigned row = 0; row < size.ws_row && from < text.size(); ++row) {
      const auto end = std::min(text.find('\n', from), text.size());
      out += fit(text.substr(from, end - from), size.ws_col) + "\x1b[K";
      if (row + 1U < size.ws_row) out += "\r\n";
      from = end + 1;
    }
    put(out + "\x1b[J");
  }
  /// Waits for the next refresh; false: it is to end.
  bool wait() const {
    std::array<pollfd, 2> sources{pollfd{signals_, POLLIN, 0}, pollfd{keys_ ? STDIN_FILENO : -1, POLLIN, 0}};
    if (::poll(sources.data(), sources.size(), refresh_milliseconds) <= 0) return true;
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == sizeof info)
      if (info.ssi_signo != SIGWINCH) return false;
    char key = 0;
    if (sources[1].revents == 0) return true;
    return ::read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q' && key != '\x03';
  }

 private:
  static void put(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
      if (written <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  termios before_{};
  sigset_t before_signals_{};
  int signals_ = -1;
  bool keys_ = false;
};

std::vector<Json> answer_to(const std::string& socket, std::string_view command) {
  std::vector<Json> lines;
  ask(socket, command, [&](std::string_view line) {
    Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("error")) throw Failure(text(json, "error"));
    if (json.is_object() && !json.contains("ok")) lines.push_back(std::move(json));
    return true;
  });
  return lines;
}

std::string first_by(std::vector<Json> sessions, const char* title, const char* key, std::size_t width) {
  const std::size_t count = std::min(most_sessions, sessions.size());
  const auto middle = sessions.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(sessions.begin(), middle, sessions.end(),
                    [&](const Json& a, const Json& b) { return number(a, key) > number(b, key); });
  sessions.erase(middle, sessions.end());
  return std::string("\n") + title + "\n" + show_answer("show sessions", sessions, width);
}

std::string sessions_text(const std::string& socket, std::size_t width) {
  const std::vector<Json> sessions = answer_to(socket, "show sessions");
  if (sessions.empty()) return {};
  const bool counted = sessions.front().contains("requests");
  return first_by(sessions, "Oldest sessions", "seconds", width) +
         first_by(sessions, "Busiest sessions", counted ? "requests" : "queued_bytes", width);
}

std::string totals_text(const std::string& socket, std::size_t width) {
  const std::vector<Json> status = answer_to(socket, "status");
  return status.empty() ? std::string() : show_status(status.front(), width);
}

}  // namespace

std::size_t terminal_width() {
  return terminal_size().ws_col;
}

int top(const std::string& socket) {
  std::string totals = totals_text(socket, terminal_width());
  std::string sessions = sessions_text(socket, terminal_width());
  if (::isatty(STDOUT_FILENO) == 0) {
    std::cout << totals << sessions;
    return EXIT_SUCCESS;
  }
  const Screen screen;
  for (unsigned turn = 1;; ++turn) {
    screen.draw(totals + sessions);
    if (!screen.wait()) return EXIT_SUCCESS;
    totals = totals_text(socket, terminal_width());
    if (turn % turns_between_lists == 0) sessions = sessions_text(socket, terminal_width());
  }
}

}  // namespace boshctl
