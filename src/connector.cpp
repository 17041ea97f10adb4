#include "src/connector.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <random>
#include <system_error>
#include <utility>

namespace boshd {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds between_addresses = 250ms;  // RFC 8305 §8
constexpr std::chrono::milliseconds between_servers = 2s;
constexpr std::chrono::seconds dead_time = 10s;
constexpr std::size_t most_targets = 16;
constexpr std::size_t most_dead = 1000;
constexpr std::uint16_t usual_port = 5222;

std::uint32_t random_up_to(std::uint32_t most) {
  static thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_int_distribution<std::uint32_t>(0, most)(generator);
}

std::string print(const Address& address, std::uint16_t port) {
  const std::string text = to_string(address);
  return (is_ipv4(address) ? text : "[" + text + "]") + ":" + std::to_string(port);
}

/// IPv6 and IPv4 in turn (RFC 8305 §4).
std::vector<Address> in_turn(const std::vector<Address>& addresses) {
  std::deque<Address> v6;
  std::deque<Address> v4;
  for (const Address& address : addresses) (is_ipv4(address) ? v4 : v6).push_back(address);
  std::vector<Address> turn;
  while (!v6.empty() || !v4.empty())
    for (auto* family : {&v6, &v4})
      if (!family->empty()) {
        turn.push_back(family->front());
        family->pop_front();
      }
  return turn;
}

}  // namespace

// --- What connectors share ---

ConnectorHost::ConnectorHost(Loop& the_loop, Counters& counters, std::shared_ptr<const Upstream> settings)
    : loop(the_loop), upstream(std::move(settings)), resolver(the_loop, counters, upstream->nameservers) {}

/// Not too many at a time: a server that comes back must not be run over.
void ConnectorHost::enter(Connector& connector) {
  Turns& turns = turns_[connector.domain_];
  if (turns.under_way >= upstream->connects) {
    turns.waiting.emplace_back(&connector);
    return;
  }
  ++turns.under_way;
  connector.counted_ = true;
  connector.begin();
}

void ConnectorHost::leave(const std::string& domain) {
  Turns& turns = turns_.at(domain);
  --turns.under_way;
  while (!turns.waiting.empty() && turns.under_way < upstream->connects) {
    const auto next = std::move(turns.waiting.front());
    turns.waiting.pop_front();
    if (!next->stopped_) enter(*next);
  }
  if (turns.under_way == 0) turns_.erase(domain);
}

bool ConnectorHost::is_dead(const std::string& server, Time now) {
  const auto found = dead_until_.find(server);
  return found != dead_until_.end() && now < found->second;
}

void ConnectorHost::remember(const std::string& server, bool dead) {
  if (!dead) {
    dead_until_.erase(server);
    return;
  }
  const Time now = std::chrono::steady_clock::now();
  if (dead_until_.size() >= most_dead)
    std::erase_if(dead_until_, [&](auto& item) { return item.second <= now; });
  if (dead_until_.size() < most_dead) dead_until_[server] = now + dead_time;
}

// --- Servers ---

Connector::Connector(ConnectorHost& host, std::shared_ptr<const Servers> servers, std::string domain,
                     std::function<void()> begun)
    : host_(host),
      servers_(std::move(servers)),
      domain_(std::move(domain)),
      begun_(std::move(begun)),
      timer_(host.loop) {}

void Connector::next(Done done) {
  done_ = std::move(done);
  if (!std::exchange(entered_, true)) return host_.enter(*this);
  go_on();
}

void Connector::begin() {
  step_ = "dns";
  std::exchange(begun_, nullptr)();
  for (const Server& server : servers_->list) {
    if (server.from_dns) return find_servers();
    targets_.push_back({server.host, server.port, server.direct_tls, true, server.unix_path});
  }
  go_on();
}

void Connector::find_servers() {
  if (parse_ip(domain_)) {
    targets_.push_back({domain_, usual_port, false, false});
    return go_on();
  }
  searching_ = true;
  struct Answers {
    std::optional<SrvAnswer> plain;
    std::optional<SrvAnswer> direct_tls;
  };
  const auto answers = std::make_shared<Answers>();
  const auto take = [self = Pointer(this), answers](std::optional<SrvAnswer>& place,
                                                    const SrvAnswer& answer) {
    place = answer;
    if (answers->plain && answers->direct_tls && !self->stopped_)
      self->take_srv(*answers->plain, *answers->direct_tls);
  };
  if (servers_->tls == UpstreamTls::never) answers->direct_tls.emplace();
  host_.resolver.find_srv("_xmpp-client._tcp." + domain_ + ".",
                          [=](const SrvAnswer& answer) { take(answers->plain, answer); });
  if (!answers->direct_tls)
    host_.resolver.find_srv("_xmpps-client._tcp." + domain_ + ".",
                            [=](const SrvAnswer& answer) { take(answers->direct_tls, answer); });
}

void Connector::take_srv(const SrvAnswer& plain, const SrvAnswer& direct_tls) {
  searching_ = false;
  SrvVerdict verdict = judge_srv(plain, direct_tls);
  if (!verdict.error.empty()) last_error_ = verdict.error;
  if (verdict.fall_back) targets_.push_back({domain_ + ".", usual_port, false, false});
  for (const SrvRecord& record : srv_order(std::move(verdict.records), random_up_to))
    if (targets_.size() < most_targets)
      targets_.push_back({record.target + ".", record.port, record.direct_tls, false});
  go_on();
}

void Connector::next_target() {
  Target target = std::move(targets_.front());
  targets_.erase(targets_.begin());
  if (const std::string path = target.unix_path; !path.empty())
    return take_candidates(std::move(target), {{SocketAddress(path), "unix:" + path, false, true}});
  if (const auto address = parse_ip(target.host)) return take_host(std::move(target), {{*address}, {}});
  searching_ = true;
  const std::string host = target.host;
  host_.resolver.find_host(host, [self = Pointer(this), target](const HostAnswer& answer) {
    if (!self->stopped_) self->take_host(Target(target), answer);
  });
}

/// Only addresses where a server may be: a name that anybody can choose must not lead into the inner network.
void Connector::take_host(Target&& target, const HostAnswer& answer) {
  searching_ = false;
  if (!answer.error.empty()) last_error_ = target.host + ": " + answer.error;
  std::vector<Candidate> candidates;
  for (const Address& address : in_turn(answer.addresses)) {
    const std::string name = print(address, target.port);
    if (!target.configured && !is_public(address) && !is_in(address, host_.upstream->allow_networks)) {
      refused_ = true;
      last_error_ = name + " is not a public address; upstream.allow_networks can permit it";
      continue;
    }
    candidates.push_back({{address, target.port}, name, target.direct_tls, is_loopback(address)});
  }
  take_candidates(std::move(target), std::move(candidates));
}

/// Who was found dead waits behind the others: an address behind those of its target, a target of which
/// nothing else is left behind all targets (U-016).
void Connector::take_candidates(Target&& target, std::vector<Candidate>&& candidates) {
  const auto now = std::chrono::steady_clock::now();
  const auto dead = std::stable_partition(candidates.begin(), candidates.end(),
                                          [&](const Candidate& c) { return !host_.is_dead(c.name, now); });
  const bool all_dead = !candidates.empty() && dead == candidates.begin();
  if (all_dead && !targets_.empty() && !target.postponed) {
    target.postponed = true;
    targets_.push_back(std::move(target));
    return next_target();
  }
  std::ranges::move(candidates, std::back_inserter(addresses_));
  go_on();
}

// --- Connecting ---

void Connector::go_on() {
  if (stopped_ || !done_ || searching_) return;
  if (!addresses_.empty()) return try_candidate();
  if (!targets_.empty()) {
    // As long as the present server may still answer, the next one waits a while.
    if (attempts_.empty()) return next_target();
    return plan(between_servers);
  }
  if (attempts_.empty()) finish({.server = last_server_, .refused = refused_, .error = last_error_});
}

void Connector::plan(std::chrono::milliseconds delay) {
  timer_.start_in(delay, [self = Pointer(this)] {
    if (self->stopped_ || !self->done_ || self->searching_) return;
    if (self->addresses_.empty() && !self->targets_.empty()) return self->next_target();
    self->go_on();
  });
}

void Connector::try_candidate() {
  attempts_.push_back(std::make_unique<Attempt>(*this, std::move(addresses_.front()), next_attempt_++));
  Attempt& attempt = *attempts_.back();
  step_ = "connect";
  addresses_.erase(addresses_.begin());
  last_server_ = attempt.candidate.name;
  attempt.begin();
  if (!addresses_.empty())
    plan(between_addresses);
  else if (!targets_.empty())
    plan(between_servers);
}

Connector::Attempt::Attempt(Connector& owner, Candidate&& where, std::uint32_t which)
    : candidate(std::move(where)), number(which), owner_(owner) {}

/// The kernel would try for minutes.
Connector::Attempt::~Attempt() {
  if (watched_ != 0) owner_.host_.loop.remove(watched_, descriptor_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

Connected Connector::Attempt::release() {
  if (watched_ != 0)
    owner_.host_.loop.want_write(watched_, false);  // nobody is told until it has a new watcher
  return {.descriptor = std::exchange(descriptor_, -1),
          .watched = std::exchange(watched_, 0),
          .server = candidate.name,
          .direct_tls = candidate.direct_tls,
          .local = candidate.local};
}

void Connector::Attempt::begin() {
  const SocketAddress& to = candidate.address;
  descriptor_ = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ >= 0 && to.family() != AF_UNIX) {
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  int error = 0;
  if (descriptor_ < 0 || ::connect(descriptor_, to.get(), to.size) != 0) error = errno;
  Loop& loop = owner_.host_.loop;
  if (error == EINPROGRESS && (watched_ = loop.add(descriptor_, *this)) != 0)
    return loop.want_write(watched_, true);
  loop.post([owner = Pointer(&owner_), which = number, error] { owner->connected(which, error); });
}

void Connector::Attempt::on_writable() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
  const Pointer owner(&owner_);
  owner->connected(number, error);
}

/// `error`: of the system; 0: the connection stands.
void Connector::connected(std::uint32_t which, int error) {
  const auto found = std::ranges::find(attempts_, which, [](const AttemptPointer& a) { return a->number; });
  if (found == attempts_.end()) return;  // it was given up before it could tell
  const AttemptPointer attempt = std::move(*found);
  attempts_.erase(found);
  const Candidate& candidate = attempt->candidate;
  host_.remember(candidate.name, error != 0);
  last_server_ = candidate.name;
  if (error != 0) {
    last_error_ = std::system_category().message(error);
    if (host_.failed) host_.failed(candidate.name, last_error_);
    return go_on();
  }
  // Others that were tried beside it are for later, should this one turn out useless.
  for (const AttemptPointer& other : attempts_) addresses_.push_back(other->candidate);
  attempts_.clear();
  timer_.cancel();
  finish(attempt->release());
}

void Connector::finish(const Connected& result) {
  const Done done = std::exchange(done_, nullptr);
  host_.loop.post([self = Pointer(this), done, result] {
    Connected given = result;
    if (!self->stopped_) return done(std::move(given));
    if (given.watched != 0) self->host_.loop.remove(given.watched, given.descriptor);
    if (given.descriptor >= 0) ::close(given.descriptor);
  });
}

void Connector::blame() {
  host_.remember(last_server_, true);
}

void Connector::stop() {
  if (std::exchange(stopped_, true)) return;
  timer_.cancel();
  attempts_.clear();
  done_ = nullptr;
  begun_ = nullptr;
  if (std::exchange(counted_, false)) host_.leave(domain_);
}

}  // namespace boshd
