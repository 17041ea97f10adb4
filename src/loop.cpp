#include "src/loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

namespace boshd {

namespace {

using namespace std::chrono_literals;

constexpr int most_events = 256;  // of one turn
constexpr std::chrono::milliseconds for_ever = std::chrono::milliseconds::max();
// Edge-triggered for everything at once, so that no interest ever has to be changed.
constexpr std::uint32_t all_edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

int checked(int descriptor, const char* call) {
  if (descriptor < 0) throw std::system_error(errno, std::system_category(), call);
  return descriptor;
}

}  // namespace

// --- Turns ---

Loop::Loop() : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), mailbox_(*this) {}

Loop::~Loop() {
  ::close(epoll_);
}

void Loop::run() {
  stopped_ = false;
  while (!stopped_) turn(for_ever);
}

void Loop::run_for(std::chrono::milliseconds time) {
  const Time end = std::chrono::steady_clock::now() + time;
  for (Time now = end - time; now < end && !is_at_rest(); now = std::chrono::steady_clock::now())
    turn(std::chrono::ceil<std::chrono::milliseconds>(end - now));
}

void Loop::stop() {
  send([this] { stopped_ = true; });
}

void Loop::turn(std::chrono::milliseconds patience) {
  std::array<epoll_event, most_events> events;
  const int count = ::epoll_wait(epoll_, events.data(), most_events, timeout(patience));
  for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)]);
  for (const Id id : std::exchange(queue_, {})) {
    if (Entry* entry = entries_.find(id)) entry->queued = false;
    serve(id);
  }
  for (const auto& work : std::exchange(posted_, {})) work();
  ring();
}

int Loop::timeout(std::chrono::milliseconds patience) const {
  if (!queue_.empty() || !posted_.empty()) return 0;
  if (!timers_.empty()) {
    const auto left = timers_.begin()->first - std::chrono::steady_clock::now();
    patience = std::min(patience, std::max(std::chrono::ceil<std::chrono::milliseconds>(left), 0ms));
  }
  return patience > std::chrono::milliseconds(std::numeric_limits<int>::max())
             ? -1
             : static_cast<int>(patience.count());
}

void Loop::take(const epoll_event& event) {
  Entry* entry = entries_.find(event.data.u64);
  if (!entry) return;  // it went in this very turn
  const bool ended = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  entry->ended |= ended;
  entry->readable |= ended || (event.events & EPOLLIN) != 0;
  entry->writable |= ended || (event.events & EPOLLOUT) != 0;
  serve(event.data.u64);
}

void Loop::serve(Id id) {
  Entry* entry = entries_.find(id);
  if (entry && entry->writable && entry->wants_write) {
    entry->writable = false;
    entry->watcher->on_writable();
    entry = entries_.find(id);
  }
  if (entry && entry->readable && entry->wants_read) {
    if (entry->descriptor >= 0) entry->readable = false;
    entry->watcher->on_readable();
    entry = entries_.find(id);
  }
  if (entry) queue(id, *entry);
}

// --- Descriptors ---

Loop::Id Loop::add(int descriptor, Watcher& watcher) {
  return enter(descriptor, all_edges, Entry{&watcher, -1});
}

Loop::Id Loop::add_level(int descriptor, Watcher& watcher) {
  return enter(descriptor, 0, Entry{&watcher, descriptor});
}

Loop::Id Loop::enter(int descriptor, std::uint32_t events, const Entry& entry) {
  const Id id = entries_.emplace(entry);
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0) return id;
  entries_.erase(id);
  return 0;
}

void Loop::remove(Id id, int descriptor) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  entries_.erase(id);
}

void Loop::set_watcher(Id id, Watcher& watcher) {
  entries_.find(id)->watcher = &watcher;
}

void Loop::want_read(Id id, bool wanted) {
  Entry* entry = entries_.find(id);
  if (!entry || entry->wants_read == wanted) return;
  entry->wants_read = wanted;
  set_level_interest(id, *entry);
  queue(id, *entry);
}

void Loop::want_write(Id id, bool wanted) {
  Entry* entry = entries_.find(id);
  if (!entry || entry->wants_write == wanted) return;
  entry->wants_write = wanted;
  if (wanted) entry->writable = false;  // it has just been found full
  set_level_interest(id, *entry);
}

void Loop::note_emptied(Id id) {
  if (Entry* entry = entries_.find(id)) entry->readable = entry->ended;
}

/// What can go on without an event of epoll's goes on in the next turn, behind the others.
void Loop::queue(Id id, Entry& entry) {
  if (!entry.readable || !entry.wants_read || entry.queued) return;
  entry.queued = true;
  queue_.push_back(id);
}

void Loop::set_level_interest(Id id, const Entry& entry) const {
  if (entry.descriptor < 0) return;
  epoll_event event{};
  event.events = (entry.wants_read ? EPOLLIN : 0U) | (entry.wants_write ? EPOLLOUT : 0U);
  event.data.u64 = id;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, entry.descriptor, &event);
}

// --- Work ---

void Loop::post(std::function<void()> work) {
  posted_.push_back(std::move(work));
}

void Loop::send(std::function<void()> work) {
  mailbox_.send(std::move(work));
}

Loop::Mailbox::Mailbox(Loop& loop)
    : loop_(loop),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      id_(loop.add(wake_, *this)) {
  loop.want_read(id_, true);
}

Loop::Mailbox::~Mailbox() {
  loop_.remove(id_, wake_);
  ::close(wake_);
}

void Loop::Mailbox::send(std::function<void()> work) {
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    first = letters_.empty();
    letters_.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  if (first) [[maybe_unused]]
    const auto written = ::write(wake_, &one, sizeof one);
}

// The counter is never read: each write to it is an edge.
void Loop::Mailbox::on_readable() {
  loop_.note_emptied(id_);
  std::vector<std::function<void()>> letters;
  {
    const std::scoped_lock lock(mutex_);
    letters.swap(letters_);
  }
  for (const auto& work : letters) work();
}

// --- Timers ---

void Loop::ring() {
  if (timers_.empty()) return;
  const Time now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Timer& timer = *timers_.begin()->second;
    timers_.erase(timers_.begin());
    std::exchange(timer.done_, nullptr)();
  }
}

void Timer::start(Time at, std::function<void()> done) {
  cancel();
  done_ = std::move(done);
  place_ = loop_.timers_.emplace(at, this);
}

void Timer::cancel() {
  if (!done_) return;
  loop_.timers_.erase(place_);
  done_ = nullptr;
}

}  // namespace boshd
