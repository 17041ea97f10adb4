#include "src/srv.hpp"

#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>

namespace boshd {

namespace {

constexpr std::size_t most_records = 32;

bool is_usable(const SrvRecord& record) {
  return !record.target.empty() && record.port != 0;
}

}  // namespace

SrvAnswer read_srv_answer(std::string_view message) {
  SrvAnswer answer{.state = SrvAnswer::State::failed, .error = "the name server's answer can't be read"};
  ns_msg handle;
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (ns_initparse(bytes, static_cast<int>(message.size()), &handle) != 0) return answer;
  std::vector<SrvRecord> records;
  answer.ttl = UINT32_MAX;
  for (int i = 0; i < ns_msg_count(handle, ns_s_an); ++i) {
    ns_rr record;
    if (ns_parserr(&handle, ns_s_an, i, &record) != 0) return answer;
    if (ns_rr_type(record) != ns_t_srv || ns_rr_rdlen(record) < 7) continue;
    const unsigned char* data = ns_rr_rdata(record);
    char name[NS_MAXDNAME];
    const int used = ns_name_uncompress(ns_msg_base(handle), ns_msg_end(handle), data + 6, name, sizeof name);
    if (used != ns_rr_rdlen(record) - 6) return answer;
    const std::string_view target = name;
    const auto number = [&](int at) { return static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]); };
    records.push_back({std::string(target == "." ? "" : target), number(4), number(0), number(2), false});
    answer.ttl = std::min(answer.ttl, static_cast<std::uint32_t>(ns_rr_ttl(record)));
    if (records.size() == most_records) break;
  }
  answer.records = std::move(records);
  answer.state = answer.records.empty() ? SrvAnswer::State::none : SrvAnswer::State::found;
  answer.error.clear();
  return answer;
}

std::vector<SrvRecord> srv_order(std::vector<SrvRecord> records,
                                 const std::function<std::uint32_t(std::uint32_t)>& random) {
  std::erase_if(records, [](const SrvRecord& record) { return !is_usable(record); });
  // Those without weight first, so that they have a chance only at a draw of 0, or among themselves.
  std::ranges::stable_sort(records, {},
                           [](const SrvRecord& r) { return std::pair(r.priority, r.weight != 0); });
  std::vector<SrvRecord> ordered;
  while (!records.empty()) {
    const auto end = std::ranges::find_if(
        records, [&](const SrvRecord& record) { return record.priority != records.front().priority; });
    std::uint32_t sum = 0;
    for (auto record = records.begin(); record != end; ++record) sum += record->weight;
    auto chosen = records.begin();
    if (sum == 0) {
      chosen += random(static_cast<std::uint32_t>(end - records.begin() - 1));
    } else {
      std::uint32_t draw = random(sum);
      while (chosen->weight < draw) draw -= (chosen++)->weight;
    }
    ordered.push_back(std::move(*chosen));
    records.erase(chosen);
  }
  return ordered;
}

SrvVerdict judge_srv(const SrvAnswer& plain, const SrvAnswer& direct_tls) {
  using State = SrvAnswer::State;
  SrvVerdict verdict;
  for (const SrvAnswer* answer : {&plain, &direct_tls})
    for (SrvRecord record : answer->records) {
      record.direct_tls = answer == &direct_tls;
      if (is_usable(record)) verdict.records.push_back(std::move(record));
    }
  if (!verdict.records.empty()) return verdict;
  if (plain.state == State::failed || direct_tls.state == State::failed)
    verdict.error = "DNS: " + (plain.state == State::failed ? plain.error : direct_tls.error);
  else if (plain.state == State::none && direct_tls.state == State::none)
    verdict.fall_back = true;
  else
    verdict.error = "DNS says that the domain has no XMPP service for clients";
  return verdict;
}

}  // namespace boshd
