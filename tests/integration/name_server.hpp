// A name server inside the test, with a table that may change while it runs.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/integration/fake_server.hpp"

namespace integration {

enum class RecordType : std::uint16_t { a = 1, cname = 5, aaaa = 28, srv = 33 };

struct Srv {
  std::string target;  // ".": there is no such service
  std::uint16_t port;
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
};

/// Answers by UDP and TCP on one port of 127.0.0.1, on a thread of its own. A name that is not in its table
/// does not exist. What does not fit into 512 bytes is to be fetched by TCP.
class NameServer {
 public:
  enum class Mood { answers, fails, silent };

  NameServer();
  ~NameServer();
  /// As `upstream.nameservers` wants it.
  const std::string& address() const { return listener_.address(); }

  /// Each of these replaces what the name had of its kind; nothing at all: the name exists all the same.
  /// Time to live is in seconds.
  void hosts(std::string_view name, const std::vector<std::string>& addresses, std::uint32_t ttl = 300);
  void services(std::string_view name, const std::vector<Srv>&, std::uint32_t ttl = 300);
  void alias(std::string_view name, std::string_view of, std::uint32_t ttl = 300);
  /// A record with any content.
  void raw(std::string_view name, RecordType, std::string_view data);
  void forget(std::string_view name);

  /// How questions for this name are met; without a name: all. What was asked of a silent server is answered
  /// when it speaks again.
  void mood(Mood, std::string_view name = {});
  void mood(Mood, std::string_view name, RecordType);

  /// Questions so far; one that is repeated because the answer is late counts once.
  std::size_t asked(std::string_view name, RecordType) const;
  std::size_t asked() const;
  std::size_t asked_by_tcp() const;
  /// Waits for so many questions.
  void wait_for(std::string_view name, RecordType, std::size_t count = 1) const;
  /// False when they have not come within this time.
  bool wait_for(std::string_view name, RecordType, std::size_t count, std::chrono::milliseconds) const;

 private:
  struct Record {
    RecordType type;
    std::uint32_t ttl;
    std::string data;
  };
  struct Question {
    std::uint16_t id;
    std::string name;
    RecordType type;
    std::string bytes;  // as it was asked
  };
  struct Waiting {
    Question question;
    sockaddr_in from;
  };

  void run();
  void serve_datagram();
  struct Stream {
    Wire wire;
    std::string unread;
  };
  /// False when the connection is over.
  bool serve_stream(Stream&);
  void replace(std::string_view name, std::initializer_list<RecordType>, std::vector<Record>);
  void note(const Question&, bool tcp);
  static Question read(std::string_view message);
  Mood mood_of(const Question&) const;
  void answer_those_who_wait();
  std::string answer(const Question&) const;
  void send(const Waiting&) const;

  FakeServer listener_;
  Descriptor datagrams_;
  Descriptor stop_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, std::vector<Record>> table_;
  std::map<std::string, Mood> moods_;
  std::map<std::pair<std::string, RecordType>, Mood> narrow_moods_;
  std::set<std::tuple<std::uint16_t, std::string, RecordType>> seen_;
  std::map<std::pair<std::string, RecordType>, std::size_t> counts_;
  std::size_t by_tcp_ = 0;
  std::vector<Waiting> waiting_;
  std::thread thread_;
};

std::ostream& operator<<(std::ostream&, NameServer::Mood);

}  // namespace integration
