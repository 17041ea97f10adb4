// The control socket: an operator's commands, a line each, and their answers in lines of JSON. It lives on
// the main thread's loop and asks the shards by messages, so whoever reads slowly or not at all delays
// nobody.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/connection.hpp"
#include "src/listener.hpp"
#include "src/loop.hpp"
#include "src/operate/mask.hpp"
#include "src/operate/session_figures.hpp"
#include "src/operate/trace.hpp"
#include "src/shard.hpp"
#include "src/table.hpp"

namespace boshd {

class Control;
class Daemon;

/// One who has connected: sends one command, gets lines, and is closed.
class ControlClient final : private Watcher {
 public:
  /// `key`: by which its owner finds it.
  ControlClient(Control&, std::uint64_t key, int descriptor);

  std::uint64_t key() const { return key_; }
  /// One line; without its end.
  void tell(std::string_view line);
  /// The last line, that all is well.
  void finish();
  /// The last line, with a sentence.
  void fail(std::string_view sentence);
  /// Whether it has read most of what it was told. Who has much to tell waits for that.
  bool has_room() const;
  /// Is called once, when there is room.
  void when_room(std::function<void()>);
  /// The command goes on until the client leaves; lines that it doesn't read are dropped.
  void stream();
  /// The next part of an answer is on its way here from elsewhere.
  void expect_answer() { ++awaited_; }
  void note_answer() { --awaited_; }

 private:
  friend class Control;
  enum class State { reading, answering, streaming, leaving };

  void on_readable() override;
  void on_writable() override;
  void take_line();
  void after_writing(Connection::Outcome);
  void check();
  void write_pending();
  std::size_t unread() const { return connection_.unsent() + pending_.size(); }
  void leave();
  void vanish();

  Control& control_;
  std::uint64_t key_;
  Connection connection_;
  State state_ = State::reading;
  std::string line_;
  std::function<void()> when_room_;
  Timer timer_;
  unsigned awaited_ = 0;
  std::string pending_;  // lines that are written together
  bool writes_soon_ = false;
  bool gone_ = false;          // its owner forgets it
  bool moved_ = false;         // something was written or told since the last check
  std::uint64_t dropped_ = 0;  // lines
};

/// What a command is carried out with.
struct ControlCall {
  Control& control;
  Daemon& daemon;
  ControlClient& client;
  std::vector<std::string> words;  // behind the command's own
};

/// Belongs to the main thread.
class Control {
 public:
  /// Throws std::runtime_error that says what the system refuses, and what to do.
  Control(Daemon&, const std::string& path);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  /// Asks a shard; the answer is taken on the main thread, unless the client has left meanwhile.
  template <class Question, class Take>
  void ask(Shard& shard, ControlClient& client, Question question, Take take) {
    client.expect_answer();
    shard.ask([this, &loop = loop_, key = client.key(), question, take](Shard& asked) {
      using Answer = decltype(question(asked));
      loop.send([this, key, take, answer = std::make_shared<Answer>(question(asked))] {
        ControlClient* waiting = find(key);
        if (!waiting) return;
        waiting->note_answer();
        take(*waiting, std::move(*answer));
      });
    });
  }
  /// Asks all shards; their answers are taken together.
  template <class Question, class Take>
  void ask_all(const std::vector<std::unique_ptr<Shard>>& shards, ControlClient& client, Question question,
               Take take) {
    using Answer = decltype(question(*shards.front()));
    const auto all = std::make_shared<std::vector<Answer>>();
    for (const auto& shard : shards)
      ask(*shard, client, question,
          [all, take, count = shards.size()](ControlClient& asker, Answer&& answer) {
            all->push_back(std::move(answer));
            if (all->size() == count) take(asker, std::move(*all));
          });
  }
  using EachSession = std::function<void(ControlClient&, const SessionFigures&)>;
  using Done = std::function<void(ControlClient&)>;
  /// Goes through all sessions, a piece at a time, as fast as the client reads.
  void go_through_sessions(ControlClient&, const EachSession& each, const Done& done);

  /// Tells this client of these sessions from now on.
  void follow(ControlClient&, const SessionQuery&, Unmasked);

  ControlClient* find(std::uint64_t key);
  Loop& loop() { return loop_; }
  std::chrono::steady_clock::time_point started() const { return started_; }

 private:
  friend class ControlClient;
  struct Following {
    std::uint64_t client;
    SessionQuery query;
    Unmasked unmasked;
  };

  void welcome(int descriptor);
  void run(ControlClient&, std::string_view line);
  void forget(std::uint64_t key);
  void next_page(ControlClient&, std::size_t shard, std::uint32_t from, const EachSession& each,
                 const Done& done);
  std::shared_ptr<const Traces> wanted_traces();
  void tell_followers(const TraceEvent&);

  Daemon& daemon_;
  Loop& loop_;
  std::string path_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  Table<std::unique_ptr<ControlClient>> clients_{0};
  std::vector<Following> following_;
  std::shared_ptr<TraceBacklog> backlog_ = std::make_shared<TraceBacklog>();
  std::uint64_t told_dropped_ = 0;
  std::optional<Acceptor> acceptor_;
};

/// Where the control socket is to be: `configured` is what the configuration says, "auto" stands for
/// control.sock in the directory that systemd has made for the service. Empty: nowhere.
std::string control_path(const std::string& configured);

/// Carries out a command. It answers, now or later, and ends its answer.
void run_command(Control&, Daemon&, ControlClient&, std::string_view line);

}  // namespace boshd
