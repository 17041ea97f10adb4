#include "tests/integration/name_server.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace integration {

namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t most_by_udp = 512;
constexpr int longest_chain = 8;  // of aliases
constexpr unsigned server_failure = 2;
constexpr unsigned no_such_name = 3;
constexpr unsigned truncated = 0x200;

std::string number(unsigned value, int bytes = 2) {
  std::string out;
  for (int shift = bytes * 8 - 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xffU);
  return out;
}

unsigned number_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned>(static_cast<unsigned char>(bytes[at])) << 8U |
         static_cast<unsigned char>(bytes[at + 1]);
}

std::string plain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string out(name);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string encoded(std::string_view name) {
  const std::string whole = plain(name);
  std::string out;
  for (std::size_t at = 0; at < whole.size();) {
    const auto end = std::min(whole.find('.', at), whole.size());
    out += static_cast<char>(end - at);
    out += whole.substr(at, end - at);
    at = end + 1;
  }
  return out + '\0';
}

/// The name of a question and where it ends.
std::pair<std::string, std::size_t> decoded(std::string_view message) {
  std::string name;
  std::size_t at = header_size;
  while (at < message.size() && message[at] != '\0') {
    const auto length = static_cast<unsigned char>(message[at]);
    if (!name.empty()) name += '.';
    name += message.substr(at + 1, length);
    at += length + 1U;
  }
  return {plain(name), at + 1};
}

std::string head(std::uint16_t id, unsigned flags, std::size_t answers) {
  constexpr unsigned response_with_recursion = 0x8180;
  return number(id) + number(response_with_recursion | flags) + number(1) +
         number(static_cast<unsigned>(answers)) + number(0, 4);
}

Descriptor datagrams_at(const FakeServer& listener) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(listener.port());
  Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

}  // namespace

NameServer::NameServer() : stop_(::eventfd(0, EFD_CLOEXEC)) {
  constexpr int most_tries = 100;
  for (int i = 0; (datagrams_ = datagrams_at(listener_)).get() < 0; listener_ = FakeServer())
    if (++i == most_tries) throw Failure("no port is free for UDP and TCP");
  thread_ = std::thread([this] { run(); });
}

NameServer::~NameServer() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

// --- The table ---

void NameServer::replace(std::string_view name, std::initializer_list<RecordType> types,
                         std::vector<Record> records) {
  const std::lock_guard lock(mutex_);
  auto& all = table_[plain(name)];
  std::erase_if(all, [&](const Record& record) { return std::ranges::count(types, record.type) > 0; });
  all.insert(all.end(), records.begin(), records.end());
}

void NameServer::hosts(std::string_view name, const std::vector<std::string>& addresses, std::uint32_t ttl) {
  std::vector<Record> records;
  for (const std::string& address : addresses) {
    const bool v6 = address.find(':') != address.npos;
    std::array<char, 16> bytes{};
    if (::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes.data()) != 1)
      throw Failure("no address: " + address);
    records.push_back({v6 ? RecordType::aaaa : RecordType::a, ttl, std::string(bytes.data(), v6 ? 16 : 4)});
  }
  replace(name, {RecordType::a, RecordType::aaaa}, std::move(records));
}

void NameServer::services(std::string_view name, const std::vector<Srv>& services, std::uint32_t ttl) {
  std::vector<Record> records;
  records.reserve(services.size());
  for (const Srv& one : services)
    records.push_back({RecordType::srv, ttl,
                       number(one.priority) + number(one.weight) + number(one.port) + encoded(one.target)});
  replace(name, {RecordType::srv}, std::move(records));
}

void NameServer::alias(std::string_view name, std::string_view of, std::uint32_t ttl) {
  replace(name, {RecordType::cname}, {{RecordType::cname, ttl, encoded(of)}});
}

void NameServer::raw(std::string_view name, RecordType type, std::string_view data) {
  replace(name, {type}, {{type, 300, std::string(data)}});
}

void NameServer::forget(std::string_view name) {
  const std::lock_guard lock(mutex_);
  table_.erase(plain(name));
}

void NameServer::mood(Mood mood, std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (name.empty()) moods_.clear();
  moods_[plain(name)] = mood;
  answer_those_who_wait();
}

void NameServer::mood(Mood mood, std::string_view name, RecordType type) {
  const std::lock_guard lock(mutex_);
  narrow_moods_[{plain(name), type}] = mood;
  answer_those_who_wait();
}

void NameServer::answer_those_who_wait() {
  std::erase_if(waiting_, [this](const Waiting& one) {
    if (mood_of(one.question) == Mood::silent) return false;
    send(one);
    return true;
  });
}

NameServer::Mood NameServer::mood_of(const Question& question) const {
  if (const auto found = narrow_moods_.find({question.name, question.type}); found != narrow_moods_.end())
    return found->second;
  auto found = moods_.find(question.name);
  if (found == moods_.end()) found = moods_.find({});
  return found == moods_.end() ? Mood::answers : found->second;
}

// --- What was asked ---

void NameServer::note(const Question& question, bool tcp) {
  by_tcp_ += tcp ? 1 : 0;
  if (!seen_.emplace(question.id, question.name, question.type).second) return;
  ++counts_[{question.name, question.type}];
  changed_.notify_all();
}

std::size_t NameServer::asked(std::string_view name, RecordType type) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find({plain(name), type});
  return found == counts_.end() ? 0 : found->second;
}

std::size_t NameServer::asked() const {
  const std::lock_guard lock(mutex_);
  return seen_.size();
}

std::size_t NameServer::asked_by_tcp() const {
  const std::lock_guard lock(mutex_);
  return by_tcp_;
}

bool NameServer::wait_for(std::string_view name, RecordType type, std::size_t count,
                          std::chrono::milliseconds time) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [&] {
    const auto found = counts_.find({plain(name), type});
    return found != counts_.end() && found->second >= count;
  });
}

void NameServer::wait_for(std::string_view name, RecordType type, std::size_t count) const {
  if (!wait_for(name, type, count, patience)) throw Failure("nobody asks for " + std::string(name));
}

// --- Answers ---

std::string NameServer::answer(const Question& question) const {
  if (mood_of(question) == Mood::fails) return head(question.id, server_failure, 0) + question.bytes;
  std::string records;
  std::size_t count = 0;
  std::string owner = question.name;
  for (int i = 0; i < longest_chain; ++i) {
    const auto found = table_.find(owner);
    if (found == table_.end()) return head(question.id, no_such_name, count) + question.bytes + records;
    std::string next;
    for (const Record& record : found->second) {
      if (record.type != question.type && record.type != RecordType::cname) continue;
      records += encoded(owner) + number(static_cast<unsigned>(record.type)) + number(1) +
                 number(record.ttl, 4) + number(static_cast<unsigned>(record.data.size())) + record.data;
      ++count;
      if (record.type == RecordType::cname)
        next = decoded(std::string(header_size, '\0') + record.data).first;
    }
    if (next.empty()) break;
    owner = next;
  }
  return head(question.id, 0, count) + question.bytes + records;
}

void NameServer::send(const Waiting& to) const {
  std::string bytes = answer(to.question);
  if (bytes.size() > most_by_udp) bytes = head(to.question.id, truncated, 0) + to.question.bytes;
  ::sendto(datagrams_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to.from),
           sizeof to.from);
}

NameServer::Question NameServer::read(std::string_view message) {
  const auto [name, end] = decoded(message);
  if (message.size() < end + 4) throw Failure("no question: " + excerpt(message));
  return {static_cast<std::uint16_t>(number_at(message, 0)), name,
          static_cast<RecordType>(number_at(message, end)),
          std::string(message.substr(header_size, end + 4 - header_size))};
}

void NameServer::serve_datagram() {
  std::array<char, most_by_udp> buffer;
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const auto got = ::recvfrom(datagrams_.get(), buffer.data(), buffer.size(), 0,
                              reinterpret_cast<sockaddr*>(&from), &size);
  if (got <= 0) return;
  const Waiting one{read({buffer.data(), static_cast<std::size_t>(got)}), from};
  const std::lock_guard lock(mutex_);
  note(one.question, false);
  if (mood_of(one.question) == Mood::silent)
    waiting_.push_back(one);
  else
    send(one);
}

bool NameServer::serve_stream(Stream& stream) {
  const auto bytes = stream.wire.read_available();
  if (!bytes) return false;
  stream.unread += *bytes;
  while (stream.unread.size() > 2 && stream.unread.size() - 2 >= number_at(stream.unread, 0)) {
    const std::size_t size = number_at(stream.unread, 0);
    const Question question = read(std::string_view(stream.unread).substr(2, size));
    stream.unread.erase(0, 2 + size);
    const std::lock_guard lock(mutex_);
    note(question, true);
    const std::string reply = answer(question);
    stream.wire.send(number(static_cast<unsigned>(reply.size())) + reply);
  }
  return true;
}

void NameServer::run() {
  std::vector<Stream> streams;
  for (;;) {
    std::vector<pollfd> watched;
    for (const int descriptor : {stop_.get(), datagrams_.get(), listener_.descriptor()})
      watched.push_back({descriptor, POLLIN, 0});
    for (const Stream& stream : streams) watched.push_back({stream.wire.descriptor(), POLLIN, 0});
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) return;
    if (watched[1].revents != 0) serve_datagram();
    std::erase_if(streams, [&](Stream& stream) { return stream.wire.readable() && !serve_stream(stream); });
    if (watched[2].revents != 0) streams.push_back({listener_.accept(), {}});
  }
}

std::ostream& operator<<(std::ostream& out, NameServer::Mood mood) {
  switch (mood) {
    case NameServer::Mood::answers:
      return out << "answers";
    case NameServer::Mood::fails:
      return out << "fails";
    case NameServer::Mood::silent:
      break;
  }
  return out << "silent";
}

}  // namespace integration
