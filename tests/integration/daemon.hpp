// boshd as a child process with a configuration of its own.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/integration/wire.hpp"

namespace integration {

/// A new directory under the system's temporary one, removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  std::string path(std::string_view file) const { return directory_ / file; }
  /// Returns the file's path.
  std::string write(std::string_view file, std::string_view text) const;

 private:
  std::filesystem::path directory_;
};

/// What comes out of a pipe, collected by a thread of its own so that the writer never waits.
class Output {
 public:
  Output();
  ~Output();
  /// The end to write to; the child gets it. Close it here after the fork.
  int for_child() const { return write_end_.get(); }
  void start();

  std::string text() const;
  /// The first line that holds `part` after `skip` other such lines; waits for it.
  std::string wait_for_line(std::string_view part, std::size_t skip = 0) const;
  /// Waits until the writer has closed it.
  void wait_for_end() const;

 private:
  void collect();

  Descriptor read_end_;
  Descriptor write_end_;
  std::thread thread_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::string text_;
  bool ended_ = false;
};

/// The boshd under test: the one that was built with the tests, or BOSHD_PROGRAM of the environment, which
/// may have been built with a sanitizer.
std::string boshd_program();

/// A running boshd with its two outputs. Killed when it goes, or when the test process dies.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments);
  /// The same of another program.
  Process(const std::string& program, const std::vector<std::string>& arguments);
  ~Process();
  pid_t id() const { return id_; }
  void signal(int number) const;
  /// Waits for its end: the exit status, or 128 and the signal's number.
  int exit_status();
  bool ended() const { return id_ < 0; }

  Output out;
  Output err;

 private:
  pid_t id_ = -1;
  int status_ = 0;
};

struct Outcome {
  int status;
  std::string out;
  std::string err;
};

/// Runs boshd with these arguments to its end.
Outcome run_boshd(const std::vector<std::string>& arguments);

/// A daemon that accepts connections on a free port of 127.0.0.1. When it goes it is asked to end, and must
/// do so with status 0 and without a sanitizer's report.
class Daemon {
 public:
  /// `settings`: lines of TOML with dotted keys, `limits.max_stanza = "1 KiB"`; whole tables may follow.
  explicit Daemon(std::string_view settings);
  ~Daemon();

  std::uint16_t port() const { return port_; }
  pid_t id() const { return process_.id(); }
  /// Gives it other settings and waits until they count. A listener of the first settings keeps its port.
  void reload(std::string_view settings);
  /// The same when they can't be taken: returns the line in the log.
  std::string fail_to_reload(std::string_view settings);
  void signal(int number) const { process_.signal(number); }
  /// Stops it where it stands; what happens meanwhile it finds all at once when it goes on.
  void freeze() const;
  void go_on() const;
  /// Waits for its end.
  int exit_status() { return process_.exit_status(); }

  std::string log() const { return process_.err.text(); }
  std::string wait_for_log(std::string_view part, std::size_t skip = 0) const {
    return process_.err.wait_for_line(part, skip);
  }
  /// The lines so far that hold `part`.
  std::vector<std::string> log_lines(std::string_view part) const;
  /// It can open no more descriptors than these.
  void limit_descriptors(unsigned long count) const;
  /// Memory in use, in bytes.
  std::size_t resident() const;
  /// Whether it has grown by less than this since; not judged under a sanitizer, which keeps what was freed.
  bool has_grown_less(std::size_t before, std::size_t bytes) const;

 private:
  TemporaryDirectory directory_;
  Process process_;
  std::uint16_t port_ = 0;
  std::size_t reloads_ = 0;
  std::size_t failed_reloads_ = 0;
};

}  // namespace integration
