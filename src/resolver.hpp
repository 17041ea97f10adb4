// DNS on a thread's loop: c-ares, a cache, one question at a time for a name.
#pragma once

#include <ares.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/address.hpp"
#include "src/loop.hpp"
#include "src/operate/counters.hpp"
#include "src/srv.hpp"

namespace boshd {

/// Addresses of a name; none with the reason when there are none.
struct HostAnswer {
  std::vector<Address> addresses{};
  std::string error{};
};

/// Asks the name servers of the system, or given ones. Answers are kept as long as they say, within bounds;
/// an old one serves when the name servers don't answer for a while (RFC 8767).
class Resolver {
 public:
  /// `name_servers`: addresses with ports; empty: the system's. Throws std::runtime_error.
  Resolver(Loop&, Counters&, const std::vector<std::string>& name_servers);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using HostDone = std::function<void(const HostAnswer&)>;
  using SrvDone = std::function<void(const SrvAnswer&)>;
  /// A and AAAA. Calls back from the loop, or at once if the answer is known.
  void find_host(const std::string& name, HostDone);
  void find_srv(const std::string& name, SrvDone);
  /// Nothing is called back any more.
  void stop();

 private:
  /// What is known of one name, and who waits for it.
  template <class Answer>
  struct Entry {
    Answer answer;
    Time fresh_until{};
    Time usable_until{};  // when nobody answers
    std::vector<std::function<void(const Answer&)>> waiting{};
    std::unique_ptr<Timer> patience{};  // of those who wait, while an old answer is there
  };
  template <class Answer>
  using Cache = std::unordered_map<std::string, Entry<Answer>>;
  struct Question;  // what c-ares gives back with an answer
  struct HostQuestion;

  template <class Answer>
  bool look_up(Cache<Answer>&, const std::string& name, std::function<void(const Answer&)>&&);
  template <class Answer>
  void store(Cache<Answer>&, const std::string& name, Answer, bool failed, bool none, std::uint32_t ttl);
  void count(Time asked, bool failed);
  template <class Answer>
  void plan_old_answer(Cache<Answer>&, const std::string& name);
  template <class Answer>
  void tell(Entry<Answer>&);
  template <class Answer>
  static void make_room(Cache<Answer>&, Time now);
  static void host_came(void*, int status, int timeouts, ares_addrinfo*);
  static void srv_came(void*, int status, int timeouts, unsigned char*, int size);
  static void socket_changed(void*, ares_socket_t, int reads, int writes);
  /// A socket of c-ares, which opens and closes it.
  class Socket final : public Watcher {
   public:
    Socket(Resolver&, ares_socket_t);
    ~Socket();
    void want(bool reads, bool writes);
    void on_readable() override { owner_.process(number_, ARES_SOCKET_BAD); }
    void on_writable() override { owner_.process(ARES_SOCKET_BAD, number_); }

   private:
    Resolver& owner_;
    ares_socket_t number_;
    Loop::Id watched_;
  };
  void process(ares_socket_t readable, ares_socket_t writable);
  void plan_timer();

  Loop& loop_;
  Counters& counters_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, std::unique_ptr<Socket>> sockets_;
  Timer timer_;
  Cache<HostAnswer> hosts_;
  Cache<SrvAnswer> services_;
  bool stopped_ = false;
};

}  // namespace boshd
