#include "src/operate/readings.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <memory>

namespace boshd {

namespace {

constexpr std::string_view descriptors = "/proc/self/fd";

/// Linux 6.2 tells it as the directory's size; before, it has to be counted.
std::uint64_t count_open_files() {
  struct stat about {};
  if (::stat(descriptors.data(), &about) == 0 && about.st_size > 0)
    return static_cast<std::uint64_t>(about.st_size);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(descriptors.data()), ::closedir);
  if (!directory) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory.get()))
    if (entry->d_name[0] != '.') ++count;
  return count - 1;  // that of the directory
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// When the system and then this process began, in ticks: proc(5), the 22nd field of stat.
double read_start() {
  std::ifstream file("/proc/self/stat");
  file.ignore(std::numeric_limits<std::streamsize>::max(), ')');  // the name may hold anything
  std::string skipped;
  for (int field = 3; field < 22; ++field) file >> skipped;
  double ticks = 0;
  file >> ticks;
  timespec now{};
  timespec since_boot{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const double boot = static_cast<double>(now.tv_sec - since_boot.tv_sec) +
                      static_cast<double>(now.tv_nsec - since_boot.tv_nsec) / 1e9;
  return boot + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

double unix_seconds(WallTime time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  return std::chrono::duration<double>(since).count();
}

ProcessReadings read_process() {
  static const double started = std::floor(read_start() * 1000) / 1000;
  ProcessReadings process;
  process.started = started;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0)
    process.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  process.virtual_size = pages * page;
  process.resident = resident * page;
  process.open_files = count_open_files();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) process.max_files = limit.rlim_cur;
  return process;
}

std::string_view to_string(ReadyState state) {
  switch (state) {
    case ReadyState::ready:
      return "ready";
    case ReadyState::draining:
      return "draining";
    case ReadyState::full:
      return "full";
    case ReadyState::stuck:
      break;
  }
  return "stuck";
}

}  // namespace boshd
