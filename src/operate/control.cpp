#include "src/operate/control.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "src/daemon.hpp"
#include "src/log/log.hpp"
#include "src/operate/control_json.hpp"
#include "src/socket_address.hpp"

namespace boshd {

namespace {

constexpr std::size_t most_clients = 16;
constexpr std::size_t longest_line = 4096;
constexpr std::chrono::seconds patience{10};  // with a client that does nothing
constexpr std::size_t enough_to_write = std::size_t{32} * 1024;
constexpr std::size_t enough_unread = std::size_t{256} * 1024;      // then who tells much waits
constexpr std::size_t most_unread = std::size_t{8} * 1024 * 1024;   // then the client is cut off
constexpr std::size_t most_unread_live = std::size_t{1024} * 1024;  // then lines are dropped
constexpr std::size_t most_counted = 10'000;                        // sessions that a trace says it has found
constexpr std::size_t page_size = 256;                              // sessions that a shard tells in one turn
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw std::runtime_error("can't open the control socket " + path + ": " + why);
}

/// A socket file that nobody listens on is left from a process that died.
int open_socket(const std::string& path) {
  if (path.size() > longest_path)
    fail(path, "the path is too long; name one of " + std::to_string(longest_path) +
                   " bytes at most in [control] socket");
  const SocketAddress address(path);
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool answers = ::connect(probe, address.get(), address.size) == 0 || errno == EAGAIN;
  const bool left_over = !answers && errno == ECONNREFUSED;
  ::close(probe);
  if (answers) fail(path, "another boshd listens there; stop it, or name another path in [control] socket");
  if (left_over) ::unlink(path.c_str());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const mode_t before = ::umask(0117);  // from the first moment on it is nobody else's
  const bool bound = ::bind(descriptor, address.get(), address.size) == 0;
  const int error = errno;
  ::umask(before);
  if (bound && ::listen(descriptor, static_cast<int>(most_clients)) == 0) return descriptor;
  ::close(descriptor);
  fail(path, std::string(std::strerror(error)) +
                 "; the directory must exist and be writable for boshd, or name another path in "
                 "[control] socket");
}

}  // namespace

std::string control_path(const std::string& configured) {
  if (configured != "auto") return configured;
  const char* directory = std::getenv("RUNTIME_DIRECTORY");
  if (!directory || *directory == '\0') return {};
  const std::string_view all = directory;  // several are separated by colons
  return std::string(all.substr(0, all.find(':'))) + "/control.sock";
}

// --- One client ---

ControlClient::ControlClient(Control& control, std::uint64_t key, int descriptor)
    : control_(control), key_(key), connection_(control.loop(), descriptor), timer_(control.loop()) {
  if (!connection_.watch(*this))
    leave();
  else
    connection_.set_reading(true);
  timer_.start_in(patience, [this] { check(); });
}

void ControlClient::on_readable() {
  std::array<char, 1024> chunk;
  const auto [outcome, bytes] = connection_.read(chunk);
  if (outcome == Connection::Outcome::again) return;
  if (outcome != Connection::Outcome::done) {
    // Who has sent a command and no more may still read. Who follows something has left.
    if (outcome == Connection::Outcome::failed || state_ != State::answering) return leave();
    return connection_.set_reading(false);
  }
  if (state_ != State::reading) return;  // what comes behind the command is nobody's
  line_.append(chunk.data(), bytes);
  take_line();
}

void ControlClient::take_line() {
  const auto end = line_.find('\n');
  if (end == line_.npos && line_.size() <= longest_line) return;
  if (end > longest_line) {
    state_ = State::answering;
    return fail("the command is longer than " + std::to_string(longest_line) + " bytes");
  }
  state_ = State::answering;
  const std::string line = line_.substr(0, end);
  line_ = {};
  control_.run(*this, line);
}

void ControlClient::tell(std::string_view line) {
  if (state_ != State::answering && state_ != State::streaming) return;
  if (state_ == State::streaming && unread() > most_unread_live) {
    ++dropped_;
    return;
  }
  if (dropped_ > 0) pending_ += dropped_line(std::exchange(dropped_, 0)) + '\n';
  pending_ += line;
  pending_ += '\n';
  moved_ = true;
  if (pending_.size() > enough_to_write) return write_pending();
  if (std::exchange(writes_soon_, true)) return;
  control_.loop().post([this, key = key_, &control = control_] {
    if (control.find(key) == this) write_pending();
  });
}

/// Many lines in one system call.
void ControlClient::write_pending() {
  writes_soon_ = false;
  const std::string lines = std::exchange(pending_, {});
  if (!lines.empty() && !gone_) after_writing(connection_.write(lines));
}

void ControlClient::finish() {
  tell(R"({"ok":true})");
  leave();
}

void ControlClient::fail(std::string_view sentence) {
  tell(error_line(sentence));
  leave();
}

bool ControlClient::has_room() const {
  return unread() <= enough_unread;
}

void ControlClient::when_room(std::function<void()> done) {
  when_room_ = std::move(done);
  if (has_room())
    control_.loop().post([this, key = key_, &control = control_] {
      if (control.find(key) == this && when_room_) std::exchange(when_room_, nullptr)();
    });
}

void ControlClient::stream() {
  state_ = State::streaming;
}

void ControlClient::on_writable() {
  moved_ = true;
  after_writing(connection_.flush());
}

void ControlClient::after_writing(Connection::Outcome outcome) {
  if (outcome == Connection::Outcome::failed || unread() > most_unread) return vanish();
  if (unread() == 0 && state_ == State::leaving) return vanish();
  if (unread() == 0 && dropped_ > 0)
    return after_writing(connection_.write(dropped_line(std::exchange(dropped_, 0)) + '\n'));
  if (when_room_ && has_room()) std::exchange(when_room_, nullptr)();
}

/// Every so often: whether there is still any sense in it.
void ControlClient::check() {
  timer_.start_in(patience, [this] { check(); });
  const bool moved = std::exchange(moved_, false);
  if (state_ == State::reading || (!moved && unread() > 0 && state_ != State::streaming)) return vanish();
  if (state_ == State::answering && !moved && awaited_ > 0)
    fail("a thread of boshd does not answer; the log may say why");
}

/// What was told goes out, then it is over.
void ControlClient::leave() {
  const bool answered = state_ == State::answering;
  state_ = State::leaving;
  when_room_ = nullptr;
  if (answered) write_pending();
  if (!answered || unread() == 0) vanish();
}

/// It is over at once.
void ControlClient::vanish() {
  state_ = State::leaving;
  when_room_ = nullptr;
  if (!std::exchange(gone_, true)) control_.forget(key_);
}

// --- All of them ---

Control::Control(Daemon& daemon, const std::string& path)
    : daemon_(daemon), loop_(daemon.loop()), path_(path) {
  acceptor_.emplace(loop_, open_socket(path_), [this](int descriptor, const Peer&) { welcome(descriptor); });
  log(LogLevel::info, "control", {{"socket", path_}});
}

Control::~Control() {
  acceptor_.reset();
  ::unlink(path_.c_str());
}

void Control::welcome(int descriptor) {
  if (clients_.size() >= most_clients) {
    const std::string line =
        error_line(std::to_string(most_clients) + " others are connected; close one of them") + "\n";
    [[maybe_unused]] const auto sent = ::send(descriptor, line.data(), line.size(), MSG_NOSIGNAL);
    ::close(descriptor);
    return;
  }
  const std::uint64_t key = clients_.emplace();
  *clients_.find(key) = std::make_unique<ControlClient>(*this, key, descriptor);
}

ControlClient* Control::find(std::uint64_t key) {
  const auto* found = clients_.find(key);
  return found ? found->get() : nullptr;
}

void Control::run(ControlClient& client, std::string_view line) {
  run_command(*this, daemon_, client, line);
}

/// Later: it may be what calls.
void Control::forget(std::uint64_t key) {
  loop_.post([this, key] {
    clients_.erase(key);
    if (std::erase_if(following_, [&](const Following& f) { return f.client == key; }) == 0) return;
    for (const auto& shard : daemon_.shards())
      shard->ask([traces = wanted_traces()](Shard& asked) { asked.follow(traces); });
  });
}

// --- Many sessions ---

void Control::go_through_sessions(ControlClient& client, const EachSession& each, const Done& done) {
  next_page(client, 0, 0, each, done);
}

void Control::next_page(ControlClient& client, std::size_t shard, std::uint32_t from, const EachSession& each,
                        const Done& done) {
  if (shard == daemon_.shards().size()) return done(client);
  ask(
      *daemon_.shards()[shard], client, [from](Shard& asked) { return asked.list_sessions(from, page_size); },
      [this, shard, each, done](ControlClient& reader, SessionPage&& page) {
        for (const SessionFigures& figures : page.sessions) each(reader, figures);
        const std::size_t next = page.next == 0 ? shard + 1 : shard;
        reader.when_room([this, key = reader.key(), next, from = page.next, each, done] {
          if (ControlClient* still = find(key)) next_page(*still, next, from, each, done);
        });
      });
}

// --- Traces ---

void Control::follow(ControlClient& client, const SessionQuery& query, Unmasked unmasked) {
  following_.push_back({client.key(), query, unmasked});
  client.stream();
  const auto traces = wanted_traces();
  ask_all(
      daemon_.shards(), client,
      [traces, query](Shard& shard) {
        shard.follow(traces);
        return shard.find_sessions(query, most_counted).size();
      },
      [](ControlClient& follower, std::vector<std::size_t>&& found) {
        follower.tell(following_line(std::accumulate(found.begin(), found.end(), std::size_t{0})));
      });
}

std::shared_ptr<const Traces> Control::wanted_traces() {
  auto traces = std::make_shared<Traces>();
  for (const Following& following : following_) traces->list.push_back({following.client, following.query});
  traces->loop = &loop_;
  traces->tell = [this](const TraceEvent& event) { tell_followers(event); };
  traces->backlog = backlog_;
  return traces;
}

void Control::tell_followers(const TraceEvent& event) {
  const std::uint64_t dropped = backlog_->dropped.load(std::memory_order_relaxed);
  const std::uint64_t lost = dropped - std::exchange(told_dropped_, dropped);
  for (const Following& following : following_) {
    ControlClient* client = find(following.client);
    if (!client) continue;
    if (lost > 0) client->tell(dropped_line(lost));
    for (const std::uint64_t wanted : event.traces)
      if (wanted == following.client) client->tell(trace_line(event, following.unmasked));
  }
}

}  // namespace boshd
