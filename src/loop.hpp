// A thread's event loop: descriptors by epoll, timers, and work that is handed over. It makes no system call
// but epoll_wait while connections come and go with their bytes: a descriptor is registered once, for all it
// can tell.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "src/table.hpp"

namespace boshd {

using Time = std::chrono::steady_clock::time_point;

class Timer;

/// Who is told what its descriptor can do. It may take the descriptor out of the loop, and die, meanwhile.
class Watcher {
 public:
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;

 protected:
  ~Watcher() = default;
};

/// Everything but `send` and `stop` belongs to one thread.
class Loop {
 public:
  /// Names a descriptor in the loop; 0 is none.
  using Id = std::uint64_t;

  /// Throws std::system_error.
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Until `stop`.
  void run();
  /// The same, for so long at most, and only while there is a descriptor, a timer or posted work.
  void run_for(std::chrono::milliseconds);
  /// From any thread.
  void stop();

  /// Is done from the loop, after what is being done now.
  void post(std::function<void()>);
  /// The same from any thread. Many of them wake the loop once.
  void send(std::function<void()>);

  /// Puts a descriptor into the loop; 0 if the kernel refuses. Nothing is told before `want`.
  Id add(int descriptor, Watcher&);
  /// The same for one whose owner doesn't say what it has read (c-ares): it is told again and again.
  Id add_level(int descriptor, Watcher&);
  void remove(Id, int descriptor);
  void set_watcher(Id, Watcher&);
  /// What its watcher wants to be told, from now on.
  void want_read(Id, bool);
  void want_write(Id, bool);
  /// All that has come was read. The watcher is told again when more comes; else, in the next turn.
  void note_emptied(Id);
  /// Gives up memory that only a peak needed.
  void shrink() { entries_.shrink(); }

 private:
  friend class Timer;
  struct Entry {
    Watcher* watcher;
    int descriptor;  // of a level-triggered one, else -1
    bool readable : 1 = false;
    bool writable : 1 = false;
    bool ended : 1 = false;  // by the peer or an error: it stays readable until its watcher has seen that
    bool wants_read : 1 = false;
    bool wants_write : 1 = false;
    bool queued : 1 = false;
  };
  class Mailbox final : public Watcher {
   public:
    explicit Mailbox(Loop&);
    ~Mailbox();
    void send(std::function<void()>);
    void on_readable() override;
    void on_writable() override {}

   private:
    Loop& loop_;
    int wake_;
    Id id_;
    std::mutex mutex_;
    std::vector<std::function<void()>> letters_;
  };

  void turn(std::chrono::milliseconds patience);
  int timeout(std::chrono::milliseconds patience) const;
  Id enter(int descriptor, std::uint32_t events, const Entry&);
  void take(const epoll_event&);
  void serve(Id);
  void queue(Id, Entry&);
  void set_level_interest(Id, const Entry&) const;
  void ring();
  bool is_at_rest() const { return entries_.size() <= 1 && posted_.empty() && timers_.empty(); }

  int epoll_;
  Table<Entry> entries_{0};
  std::vector<Id> queue_;  // that can do what is wanted, and were not told by epoll in this turn
  std::vector<std::function<void()>> posted_;
  std::multimap<Time, Timer*> timers_;
  bool stopped_ = false;
  Mailbox mailbox_;
};

/// Calls back once, at its time or a little later. Gone or cancelled it doesn't.
class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Instead of what it was to do before.
  void start(Time, std::function<void()>);
  void start_in(std::chrono::steady_clock::duration delay, std::function<void()> done) {
    start(std::chrono::steady_clock::now() + delay, std::move(done));
  }
  void cancel();

 private:
  friend class Loop;
  Loop& loop_;
  std::multimap<Time, Timer*>::iterator place_{};
  std::function<void()> done_;  // empty: it is not running
};

}  // namespace boshd
