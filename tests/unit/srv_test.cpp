// SRV records: read out of DNS messages, put in order, and what follows from them.
#include "src/srv.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

namespace boshd {
namespace {

using namespace std::literals;
using State = SrvAnswer::State;

// --- DNS messages ---

std::string number(std::uint32_t value, unsigned bytes) {
  std::string out;
  for (unsigned shift = bytes * 8; shift > 0; shift -= 8)
    out += static_cast<char>(value >> (shift - 8) & 0xffU);
  return out;
}

/// A name as labels, without a root at its end.
std::string labels(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view label = text.substr(0, text.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    text.remove_prefix(std::min(text.size(), label.size() + 1));
  }
  return out;
}

std::string whole_name(std::string_view text) {
  return labels(text) + '\0';
}

constexpr unsigned srv_type = 33;
constexpr unsigned cname_type = 5;

std::string pointer(std::size_t to) {
  return number(0xc000U | static_cast<std::uint32_t>(to), 2);
}
// Within the question's name, which each message begins with.
const std::string of_question = pointer(12);
const std::string of_domain = pointer(12 + labels("_xmpp-client._tcp").size());

std::string record(std::string_view owner, unsigned type, std::string_view data, std::uint32_t ttl = 300) {
  return std::string(owner) + number(type, 2) + number(1, 2) + number(ttl, 4) +
         number(static_cast<std::uint32_t>(data.size()), 2) + std::string(data);
}

std::string srv(unsigned priority, unsigned weight, unsigned port, std::string_view target,
                std::uint32_t ttl = 300) {
  return record(of_question, srv_type,
                number(priority, 2) + number(weight, 2) + number(port, 2) + std::string(target), ttl);
}

std::string message(const std::vector<std::string>& answers, std::string_view additional = {}) {
  std::string out = "\x12\x34\x81\x80\x00\x01"s + number(static_cast<std::uint32_t>(answers.size()), 2) +
                    number(0, 2) + number(additional.empty() ? 0 : 1, 2) +
                    whole_name("_xmpp-client._tcp.a.example") + number(srv_type, 2) + number(1, 2);
  for (const std::string& answer : answers) out += answer;
  return out + std::string(additional);
}

/// What was read, in words.
std::string told(const SrvAnswer& answer) {
  if (answer.state == State::failed) {
    BOOST_TEST(!answer.error.empty());
    BOOST_TEST(answer.records.empty());
    return "failed";
  }
  BOOST_TEST(answer.error == "");
  BOOST_TEST((answer.state == State::found) == !answer.records.empty());
  std::string out = answer.state == State::found ? "found" : "none";
  for (const SrvRecord& r : answer.records) {
    BOOST_TEST(!r.direct_tls);
    out += " | " + std::to_string(r.priority) + " " + std::to_string(r.weight) + " " +
           std::to_string(r.port) + " " + r.target;
  }
  return out;
}

std::string read(const std::vector<std::string>& answers) {
  return told(read_srv_answer(message(answers)));
}

// --- Records ---

SrvRecord at(std::string target, std::uint16_t priority, std::uint16_t weight, std::uint16_t port = 5222,
             bool direct_tls = false) {
  return {std::move(target), port, priority, weight, direct_tls};
}

std::string targets(const std::vector<SrvRecord>& records) {
  std::string out;
  for (const SrvRecord& r : records)
    out += (out.empty() ? "" : " ") + r.target + (r.direct_tls ? "+tls" : "");
  return out;
}

/// Draws what it was told to, and notes between what.
struct Script {
  std::vector<std::uint32_t> draws;
  std::vector<std::uint32_t> limits{};

  std::uint32_t operator()(std::uint32_t most) {
    limits.push_back(most);
    BOOST_REQUIRE(limits.size() <= draws.size());
    BOOST_REQUIRE(draws[limits.size() - 1] <= most);
    return draws[limits.size() - 1];
  }
};

std::string order(std::vector<SrvRecord> records, std::vector<std::uint32_t> draws,
                  const std::vector<std::uint32_t>& limits) {
  Script script{std::move(draws)};
  std::string found = targets(srv_order(std::move(records), std::ref(script)));
  BOOST_TEST(script.limits == limits, boost::test_tools::per_element());
  return found;
}

/// How often each target came first in so many orders.
std::map<std::string, unsigned> firsts(const std::vector<SrvRecord>& records, unsigned times) {
  std::mt19937 generator{42};
  const auto random = [&](std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(generator);
  };
  std::map<std::string, unsigned> found;
  for (unsigned i = 0; i < times; ++i) ++found[srv_order(records, random).front().target];
  return found;
}

// --- Answers ---

SrvAnswer found(std::vector<SrvRecord> records) {
  return {.state = State::found, .records = std::move(records), .ttl = 300};
}
const SrvRecord absent = at("", 0, 0, 0);
const SrvAnswer none{};
const SrvAnswer failed{.state = State::failed, .error = "SERVFAIL"};

/// "records …", "fall back" or "error".
std::string judged(const SrvAnswer& plain, const SrvAnswer& direct_tls) {
  const SrvVerdict verdict = judge_srv(plain, direct_tls);
  const int outcomes =
      (verdict.records.empty() ? 0 : 1) + (verdict.fall_back ? 1 : 0) + (verdict.error.empty() ? 0 : 1);
  BOOST_TEST(outcomes == 1);
  if (verdict.fall_back) return "fall back";
  return verdict.records.empty() ? "error" : "records " + targets(verdict.records);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(srv_answers)

BOOST_AUTO_TEST_CASE(records_are_read_in_their_order) {
  BOOST_TEST(read({srv(10, 20, 5222, whole_name("xmpp.a.example"))}) == "found | 10 20 5222 xmpp.a.example");
  BOOST_TEST(read({srv(65535, 65535, 65535, whole_name("b")), srv(0, 0, 0, whole_name("c.example"))}) ==
             "found | 65535 65535 65535 b | 0 0 0 c.example");
}

BOOST_AUTO_TEST_CASE(U_007_a_dot_is_an_empty_target) {
  BOOST_TEST(read({srv(0, 0, 0, whole_name(""))}) == "found | 0 0 0 ");
}

BOOST_AUTO_TEST_CASE(compressed_names_are_read) {
  BOOST_TEST(read({srv(1, 2, 5222, of_domain), srv(1, 2, 5223, labels("xmpp") + of_domain)}) ==
             "found | 1 2 5222 a.example | 1 2 5223 xmpp.a.example");
  // One into the record before.
  const std::size_t first_target = message({}).size() + of_question.size() + 10 + 6;
  BOOST_TEST(read({srv(1, 2, 5222, whole_name("b.example")), srv(1, 2, 5223, pointer(first_target))}) ==
             "found | 1 2 5222 b.example | 1 2 5223 b.example");
}

BOOST_AUTO_TEST_CASE(U_014_aliases_in_front_are_passed_over) {
  const std::string alias = record(of_question, cname_type, whole_name("_xmpp-client._tcp.b.example"), 60);
  const std::string behind = record(whole_name("_xmpp-client._tcp.b.example"), srv_type,
                                    number(1, 2) + number(2, 2) + number(5222, 2) + whole_name("b.example"));
  BOOST_TEST(read({alias, behind}) == "found | 1 2 5222 b.example");
  BOOST_TEST(read({alias}) == "none");
}

BOOST_AUTO_TEST_CASE(an_answer_without_records_is_none) {
  BOOST_TEST(read({}) == "none");
  BOOST_TEST(read({record(of_question, 1, "\x7f\0\0\1"s)}) == "none");
  BOOST_TEST(read({record(of_question, srv_type, "\0\0\0\0\x14\x66"s)}) == "none");  // without a target
}

BOOST_AUTO_TEST_CASE(U_017_the_shortest_life_counts) {
  const std::string b = whole_name("b");
  BOOST_TEST(
      read_srv_answer(message({srv(0, 0, 1, b, 300), srv(0, 0, 1, b, 7), srv(0, 0, 1, b, 86400)})).ttl == 7U);
  BOOST_TEST(read_srv_answer(message({srv(0, 0, 1, b, 0)})).ttl == 0U);
}

BOOST_AUTO_TEST_CASE(there_are_32_records_at_most) {
  std::vector<std::string> many;
  for (unsigned i = 0; i < 40; ++i) many.push_back(srv(i, 0, 5222, whole_name("b")));
  const SrvAnswer answer = read_srv_answer(message(many));
  BOOST_TEST(answer.records.size() == 32U);
  BOOST_TEST(answer.records.back().priority == 31U);
}

BOOST_AUTO_TEST_CASE(a_message_that_is_cut_off_is_not_believed_anywhere) {
  const std::string whole =
      message({record(of_question, cname_type, whole_name("c.example")),
               srv(1, 2, 5222, whole_name("b.example")), srv(1, 2, 5223, labels("xmpp") + of_domain)},
              record(whole_name("b.example"), 1, "\x7f\0\0\1"s));
  BOOST_TEST(told(read_srv_answer(whole)) == "found | 1 2 5222 b.example | 1 2 5223 xmpp.a.example");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    BOOST_TEST_CONTEXT(size) BOOST_TEST(told(read_srv_answer({exact.data(), exact.size()})) == "failed");
  }
  BOOST_TEST(told(read_srv_answer({})) == "failed");
}

BOOST_AUTO_TEST_CASE(a_name_that_is_broken_spoils_all) {
  const std::string good = srv(1, 2, 5222, whole_name("b.example"));
  const std::size_t second_target = message({good}).size() + of_question.size() + 10 + 6;
  for (const std::string& target :
       {pointer(second_target), pointer(0x3fff), "\x40"s + std::string(64, 'x') + "\0"s, "\x3fxyz"s,
        "\x80\x01"s, labels("x") + pointer(second_target)})
    BOOST_TEST(read({good, srv(1, 2, 5222, target)}) == "failed");
  BOOST_TEST(read({good, record(pointer(0x3fff), srv_type, "\0\1\0\2\x14\x66\1b\0"s)}) == "failed");
  const std::string fixed = "\0\1\0\2\x14\x66"s;
  BOOST_TEST(read({good, record(of_question, srv_type, fixed + whole_name("b") + "x")}) == "failed");
  BOOST_TEST(read({record(of_question, srv_type, fixed + "\1"), good}) ==
             "failed");  // goes on in the next one
  std::string long_name;
  for (int i = 0; i < 5; ++i) long_name += labels(std::string(63, 'x'));
  BOOST_TEST(read({srv(1, 2, 5222, long_name + "\0"s)}) == "failed");
}

BOOST_AUTO_TEST_CASE(any_byte_may_be_wrong) {
  const std::string whole =
      message({srv(1, 2, 5222, whole_name("b.example")), srv(1, 2, 5223, labels("xmpp") + of_domain)});
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const unsigned value : {0x00U, 0x01U, 0x3fU, 0x40U, 0x80U, 0xc0U, 0xffU}) {
      std::string wrong = whole;
      wrong[i] = static_cast<char>(value);
      const std::vector<char> exact(wrong.begin(), wrong.end());
      BOOST_TEST_CONTEXT(i << " is " << value) told(read_srv_answer({exact.data(), exact.size()}));
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(srv_orders)

BOOST_AUTO_TEST_CASE(U_005_lower_priorities_come_first) {
  BOOST_TEST(order({at("c", 20, 100), at("a", 5, 0), at("b", 10, 1)}, {0, 0, 0}, {0, 1, 100}) == "a b c");
  BOOST_TEST(order({}, {}, {}) == "");
}

BOOST_AUTO_TEST_CASE(U_003_both_kinds_are_one_list) {
  BOOST_TEST(order({at("plain", 10, 0), at("direct", 5, 0, 5223, true)}, {0, 0}, {0, 0}) ==
             "direct+tls plain");
  BOOST_TEST(order({at("plain", 5, 10), at("direct", 5, 30, 5223, true)}, {11, 10}, {40, 10}) ==
             "direct+tls plain");
}

BOOST_AUTO_TEST_CASE(U_006_the_draw_decides_within_a_priority) {
  const std::vector<SrvRecord> records{at("a", 1, 10), at("b", 1, 30), at("c", 1, 60)};
  BOOST_TEST(order(records, {0, 0, 0}, {100, 90, 60}) == "a b c");
  BOOST_TEST(order(records, {10, 30, 60}, {100, 90, 60}) == "a b c");
  BOOST_TEST(order(records, {11, 0, 0}, {100, 70, 60}) == "b a c");
  BOOST_TEST(order(records, {40, 70, 10}, {100, 70, 10}) == "b c a");
  BOOST_TEST(order(records, {41, 40, 10}, {100, 40, 10}) == "c b a");
  BOOST_TEST(order(records, {100, 10, 5}, {100, 40, 30}) == "c a b");
}

BOOST_AUTO_TEST_CASE(U_006_those_without_weight_have_a_chance_at_a_draw_of_0) {
  const std::vector<SrvRecord> records{at("a", 1, 10), at("zero", 1, 0), at("b", 1, 10)};
  BOOST_TEST(order(records, {0, 0, 0}, {20, 20, 10}) == "zero a b");
  BOOST_TEST(order(records, {1, 1, 0}, {20, 10, 0}) == "a b zero");
  BOOST_TEST(order(records, {11, 0, 10}, {20, 10, 10}) == "b zero a");
}

BOOST_AUTO_TEST_CASE(U_006_chances_are_as_the_weights) {
  const auto count =
      firsts({at("a", 1, 1000), at("b", 1, 3000), at("c", 1, 6000), at("later", 2, 65535)}, 20'000);
  BOOST_TEST(count.size() == 3U);
  const std::pair<const char*, int> expected[] = {{"a", 2000}, {"b", 6000}, {"c", 12'000}};
  for (const auto& [target, times] : expected)
    BOOST_TEST(std::abs(static_cast<int>(count.at(target)) - times) < 300, target << " " << count.at(target));
}

BOOST_AUTO_TEST_CASE(U_006_where_none_has_a_weight_all_have_the_same_chance) {
  const auto count = firsts({at("a", 1, 0), at("b", 1, 0), at("c", 1, 0), at("later", 2, 0)}, 6000);
  BOOST_REQUIRE_EQUAL(count.size(), 3U);
  for (const auto& [target, times] : count)
    BOOST_TEST(std::abs(static_cast<int>(times) - 2000) < 200, target << " " << times);
  BOOST_TEST(order({at("a", 1, 0), at("b", 1, 0), at("c", 1, 0)}, {2, 0, 0}, {2, 1, 0}) == "c a b");
}

BOOST_AUTO_TEST_CASE(U_014_what_cannot_be_tried_is_left_out) {
  BOOST_TEST(order({at("no-port", 0, 1, 0), at("a", 1, 0), absent, at("", 1, 9), at("b", 1, 0, 0)}, {0},
                   {0}) == "a");
  BOOST_TEST(order({absent}, {}, {}) == "");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(srv_verdicts)

const SrvAnswer plain = found({at("plain", 1, 0)});
const SrvAnswer direct = found({at("direct", 2, 0, 5223)});
const SrvAnswer only_dot = found({absent});

BOOST_AUTO_TEST_CASE(U_003_U_004_records_of_both_kinds_are_used_each_as_its_kind) {
  BOOST_TEST(judged(plain, direct) == "records plain direct+tls");
  BOOST_TEST(judged(plain, none) == "records plain");
  BOOST_TEST(judged(none, direct) == "records direct+tls");
}

BOOST_AUTO_TEST_CASE(U_007_a_dot_says_that_there_is_no_service) {
  BOOST_TEST(judged(only_dot, none) == "error");
  BOOST_TEST(judged(only_dot, only_dot) == "error");
  BOOST_TEST(judged(found({absent, at("plain", 1, 0)}), none) == "records plain");
}

BOOST_AUTO_TEST_CASE(U_008_U_009_a_dot_of_one_kind_leaves_the_other) {
  BOOST_TEST(judged(plain, only_dot) == "records plain");
  BOOST_TEST(judged(only_dot, direct) == "records direct+tls");
  BOOST_TEST(judged(none, only_dot) == "error");  // not the domain's own addresses
}

BOOST_AUTO_TEST_CASE(U_011_U_014_records_that_are_of_no_use_do_not_lead_to_the_domain) {
  BOOST_TEST(judged(found({at("plain", 1, 0, 0)}), none) == "error");
  BOOST_TEST(judged(none, found({at("direct", 1, 0, 0)})) == "error");
  BOOST_TEST(judged(found({at("plain", 1, 0, 0), at("other", 2, 0)}), none) == "records other");
}

BOOST_AUTO_TEST_CASE(U_012_without_records_the_domain_itself_is_tried) {
  BOOST_TEST(judged(none, none) == "fall back");
}

BOOST_AUTO_TEST_CASE(U_013_a_name_server_that_fails_has_not_said_no) {
  for (const SrvAnswer& other : {none, failed, only_dot}) {
    BOOST_TEST(judged(failed, other) == "error");
    BOOST_TEST(judged(other, failed) == "error");
  }
  BOOST_TEST(judge_srv(failed, none).error.find("SERVFAIL") != std::string::npos);
  BOOST_TEST(judge_srv(none, failed).error.find("SERVFAIL") != std::string::npos);
  BOOST_TEST(judged(plain, failed) == "records plain");
  BOOST_TEST(judged(failed, direct) == "records direct+tls");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
