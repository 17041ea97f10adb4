#include "src/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

namespace boshd::service_manager {

namespace {

void tell(const std::string& what) {
  ::sd_notify(0, what.c_str());
}

std::string status_line(std::string_view status) {
  return "STATUS=" + std::string(status);
}

}  // namespace

bool is_there() {
  return std::getenv("NOTIFY_SOCKET") != nullptr;
}

void tell_ready(std::string_view status) {
  tell("READY=1\n" + status_line(status));
}

void tell_reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = std::uint64_t(now.tv_sec) * 1'000'000 + std::uint64_t(now.tv_nsec) / 1000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void tell_stopping(std::string_view status) {
  tell("STOPPING=1\n" + status_line(status));
}

void tell_status(std::string_view status) {
  tell(status_line(status));
}

void ask_for_time(std::chrono::seconds time) {
  tell("EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::microseconds(time).count()));
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return {};
  return std::chrono::microseconds(microseconds);
}

void feed_watchdog() {
  tell("WATCHDOG=1");
}

}  // namespace boshd::service_manager
