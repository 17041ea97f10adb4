#include "src/resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace boshd {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds shortest_life = 5s;
constexpr std::chrono::seconds longest_life = 1h;
constexpr std::chrono::seconds life_of_none = 30s;
constexpr std::chrono::seconds life_of_failure = 2s;
constexpr std::chrono::seconds stale_life = 1h;
constexpr std::chrono::seconds rest_of_dns = 30s;  // while an old answer serves
constexpr std::chrono::seconds patience = 2s;      // until it does
constexpr std::size_t most_names = 10'000;
constexpr int most_addresses = 8;  // of one kind
constexpr int try_milliseconds = 1500;
constexpr int tries = 2;

std::chrono::steady_clock::time_point now() {
  return std::chrono::steady_clock::now();
}

/// c-ares is set up once for the process, before any thread.
void start_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS)
    throw std::runtime_error(std::string("can't start DNS: ") + ares_strerror(status));
}

bool is_none(int status) {
  return status == ARES_ENODATA || status == ARES_ENOTFOUND;
}

Address address_of(const ares_addrinfo_node& node) {
  Address address;
  if (node.ai_family == AF_INET6) {
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr, 16);
  } else {
    address.bytes[10] = address.bytes[11] = 0xff;
    std::memcpy(address.bytes.data() + 12, &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr, 4);
  }
  return address;
}

}  // namespace

struct Resolver::Question {
  Resolver* resolver;
  std::string name;
  Time asked;
};

/// For addresses of both kinds.
struct Resolver::HostQuestion {
  Resolver* resolver;
  std::string name;
  Time asked;
  int awaited;  // answers
  HostAnswer answer{};
  std::uint32_t ttl = UINT32_MAX;
  int fault = ARES_SUCCESS;
};

Resolver::Resolver(Loop& loop, Counters& counters, const std::vector<std::string>& name_servers)
    : loop_(loop), counters_(counters), timer_(loop) {
  start_library();
  ares_options options{};
  options.timeout = try_milliseconds;
  options.tries = tries;
  options.sock_state_cb = socket_changed;
  options.sock_state_cb_data = this;
  const int status =
      ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS)
    throw std::runtime_error(std::string("can't start DNS: ") + ares_strerror(status));
  std::string list;
  for (const std::string& server : name_servers) list += (list.empty() ? "" : ",") + server;
  if (!list.empty() && ares_set_servers_ports_csv(channel_, list.c_str()) != ARES_SUCCESS)
    throw std::runtime_error("upstream.nameservers can't be used: " + list);
}

// It calls back once more for each socket, before it closes them.
Resolver::~Resolver() {
  stopped_ = true;
  ares_destroy(channel_);
}

void Resolver::stop() {
  if (std::exchange(stopped_, true)) return;
  timer_.cancel();
  ares_cancel(channel_);
  hosts_.clear();
  services_.clear();
}

// --- Questions ---

/// True when the question has to be asked.
template <class Answer>
bool Resolver::look_up(Cache<Answer>& cache, const std::string& name,
                       std::function<void(const Answer&)>&& done) {
  Entry<Answer>& entry = cache[name];
  if (entry.waiting.empty() && now() < entry.fresh_until) {
    done(Answer(entry.answer));
    return false;
  }
  entry.waiting.push_back(std::move(done));
  return entry.waiting.size() == 1;
}

/// Who waits is told the old answer when the new one takes too long: several silent name servers take longer
/// than a client will wait.
template <class Answer>
void Resolver::plan_old_answer(Cache<Answer>& cache, const std::string& name) {
  Entry<Answer>& entry = cache[name];
  if (entry.waiting.empty() || now() >= entry.usable_until) return;
  entry.patience = std::make_unique<Timer>(loop_);
  entry.patience->start_in(patience, [this, &cache, name] {
    Entry<Answer>& late = cache[name];
    if (late.waiting.empty()) return;
    late.fresh_until = now() + rest_of_dns;
    tell(late);
  });
}

void Resolver::find_host(const std::string& name, HostDone done) {
  if (stopped_ || !look_up(hosts_, name, std::move(done))) return;
  // Each kind by itself: of both at once c-ares doesn't tell that only one could be found out. A name in
  // /etc/hosts has one kind perhaps, and DNS is not to be asked for the other; those of DNS end with a dot.
  const bool from_dns = name.ends_with('.');
  const auto families = from_dns ? std::vector{AF_INET6, AF_INET} : std::vector{AF_UNSPEC};
  auto* question = new HostQuestion{this, name, now(), static_cast<int>(families.size())};
  for (const int family : families) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, host_came, question);
  }
  plan_old_answer(hosts_, name);
  plan_timer();
}

void Resolver::find_srv(const std::string& name, SrvDone done) {
  if (stopped_ || !look_up(services_, name, std::move(done))) return;
  ares_query(channel_, name.c_str(), 1 /* IN */, 33 /* SRV */, srv_came, new Question{this, name, now()});
  plan_old_answer(services_, name);
  plan_timer();
}

// --- Answers ---

void Resolver::host_came(void* pointer, int status, int, ares_addrinfo* found) {
  auto& question = *static_cast<HostQuestion*>(pointer);
  const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> guard(found, ares_freeaddrinfo);
  HostAnswer& answer = question.answer;
  for (const auto* node = found ? found->nodes : nullptr; node; node = node->ai_next) {
    const Address address = address_of(*node);
    if (std::ranges::count(answer.addresses, is_ipv4(address), is_ipv4) < most_addresses)
      answer.addresses.push_back(address);
    question.ttl = std::min(question.ttl, static_cast<std::uint32_t>(std::max(0, node->ai_ttl)));
  }
  if (status != ARES_SUCCESS && !is_none(status)) question.fault = status;
  if (--question.awaited > 0) return;
  const std::unique_ptr<HostQuestion> whole(&question);
  Resolver& self = *question.resolver;
  if (self.stopped_) return;
  const bool failed = answer.addresses.empty() && question.fault != ARES_SUCCESS;
  const bool none = answer.addresses.empty() && !failed;
  if (failed) answer.error = ares_strerror(question.fault);
  if (none) answer.error = "the name has no address";
  self.count(question.asked, failed);
  self.store(self.hosts_, question.name, std::move(answer), failed, none, question.ttl);
}

void Resolver::srv_came(void* pointer, int status, int, unsigned char* message, int size) {
  const std::unique_ptr<Question> question(static_cast<Question*>(pointer));
  Resolver& self = *question->resolver;
  if (self.stopped_) return;
  SrvAnswer answer;
  if (status == ARES_SUCCESS)
    answer = read_srv_answer({reinterpret_cast<const char*>(message), static_cast<std::size_t>(size)});
  else if (!is_none(status))
    answer = {.state = SrvAnswer::State::failed, .error = ares_strerror(status)};
  const bool failed = answer.state == SrvAnswer::State::failed;
  const bool none = answer.state == SrvAnswer::State::none;
  const std::uint32_t ttl = answer.ttl;
  self.count(question->asked, failed);
  self.store(self.services_, question->name, std::move(answer), failed, none, ttl);
}

template <class Answer>
void Resolver::store(Cache<Answer>& cache, const std::string& name, Answer answer, bool failed, bool none,
                     std::uint32_t ttl) {
  const Time time = now();
  Entry<Answer>& entry = cache[name];
  const bool keeps_old = failed && time < entry.usable_until;
  if (!keeps_old) entry.answer = std::move(answer);
  std::chrono::seconds life = std::clamp(std::chrono::seconds(ttl), shortest_life, longest_life);
  if (none) life = life_of_none;
  if (failed) life = keeps_old ? rest_of_dns : life_of_failure;
  entry.fresh_until = time + life;
  if (!failed) entry.usable_until = none ? time : time + life + stale_life;
  entry.patience.reset();
  tell(entry);
  if (cache.size() > most_names) make_room(cache, time);
}

/// That there is no such name is an answer, too.
void Resolver::count(Time asked, bool failed) {
  counters_.dns[failed ? 0 : 1].add(now() - asked);
}

/// From the loop: c-ares must not be entered anew from its own callback.
template <class Answer>
void Resolver::tell(Entry<Answer>& entry) {
  loop_.post([waiting = std::exchange(entry.waiting, {}), told = entry.answer] {
    for (const auto& done : waiting) done(told);
  });
}

/// Forgets what is no longer fresh, or everything that nobody waits for.
template <class Answer>
void Resolver::make_room(Cache<Answer>& cache, Time time) {
  std::erase_if(cache, [&](const auto& item) {
    return item.second.waiting.empty() && item.second.fresh_until <= time;
  });
  if (cache.size() > most_names)
    std::erase_if(cache, [](const auto& item) { return item.second.waiting.empty(); });
}

// --- The loop ---

void Resolver::socket_changed(void* pointer, ares_socket_t number, int reads, int writes) {
  auto& sockets = static_cast<Resolver*>(pointer)->sockets_;
  if (!reads && !writes) {
    sockets.erase(number);
    return;
  }
  auto& socket = sockets[number];
  if (!socket) socket = std::make_unique<Socket>(*static_cast<Resolver*>(pointer), number);
  socket->want(reads != 0, writes != 0);
}

Resolver::Socket::Socket(Resolver& owner, ares_socket_t number)
    : owner_(owner), number_(number), watched_(owner.loop_.add_level(number, *this)) {}

Resolver::Socket::~Socket() {
  owner_.loop_.remove(watched_, number_);
}

void Resolver::Socket::want(bool reads, bool writes) {
  owner_.loop_.want_read(watched_, reads);
  owner_.loop_.want_write(watched_, writes);
}

void Resolver::process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_, readable, writable);
  plan_timer();
}

void Resolver::plan_timer() {
  timeval room{};
  const timeval* due = ares_timeout(channel_, nullptr, &room);
  if (!due || stopped_) return;
  const auto delay = std::chrono::seconds(due->tv_sec) + std::chrono::microseconds(due->tv_usec);
  timer_.start_in(delay, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); });
}

}  // namespace boshd
