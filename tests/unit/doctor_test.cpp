// What the doctor says of proxies, and of whom it says nothing.
#include "src/operate/doctor.hpp"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <vector>

#include "src/operate/findings.hpp"

namespace boshd {
namespace {

using namespace std::chrono_literals;

Address address(std::string_view text) {
  return *parse_ip(text);
}

HttpRequest request(std::string_view forwarded_for = {}) {
  HttpRequest request;
  request.method = Method::post;
  request.target = "/http-bind";
  request.host = "chat.example.org";
  request.x_forwarded_for = forwarded_for;
  return request;
}

HttpRequest handshake(std::string_view forwarded_for = {}) {
  HttpRequest asked = request(forwarded_for);
  asked.method = Method::get;
  asked.websocket_key = "a";
  asked.upgrade = "websocket";
  asked.connection_upgrade = true;
  return asked;
}

/// A doctor, and what it has said.
struct Practice {
  Practice() : doctor([this](Diagnosis&& diagnosis) { told.push_back(std::move(diagnosis)); }) {}

  void see(const Passage& passage, const HttpRequest& asked, bool opens = false,
           Doctor::Kind kind = Doctor::Kind::bosh) {
    const bool proxied = passage.by_header || (passage.trusted && !asked.x_forwarded_for.empty());
    if (doctor.looks_at(asked, proxied, kind, opens, config.proxy.header))
      doctor.on_request(passage, asked, kind, opens, config, now);
  }
  /// Sessions of that many requests each.
  void see_sessions(const Passage& passage, const HttpRequest& asked, int sessions, int requests) {
    for (int i = 0; i < sessions * requests; ++i) see(passage, asked, i % requests == 0);
  }
  void cut(Doctor::Duration held, Doctor::Duration later = 3s) {
    now += later;
    doctor.on_cut(proxy, held, config, now);
  }

  const Address proxy = address("192.0.2.1");
  Config config;
  Doctor::Time now{};
  std::vector<Diagnosis> told;
  Doctor doctor;
};

const Passage trusted{address("192.0.2.1"), true, false};
const Passage local{address("127.0.0.1"), true, false};
const Passage unknown{address("198.51.100.7"), false, false};

}  // namespace

BOOST_AUTO_TEST_SUITE(forwarding_headers)

BOOST_AUTO_TEST_CASE(a_proxy_that_names_no_client_is_told) {
  Practice practice;
  practice.see_sessions(trusted, request(), 3, 6);
  BOOST_TEST(practice.told.empty());  // sessions enough, requests not
  practice.see_sessions(trusted, request(), 1, 2);
  BOOST_TEST_REQUIRE(practice.told.size() == 1U);
  BOOST_TEST((practice.told[0].problem == ProxyProblem::no_forwarded_for));
  BOOST_TEST((practice.told[0].proxy == trusted.proxy));
  BOOST_TEST(practice.told[0].requests == 20U);
  BOOST_TEST(practice.told[0].advice.find("proxy_set_header X-Forwarded-For") != std::string::npos);
  practice.see_sessions(trusted, request(), 3, 7);
  BOOST_TEST(practice.told.size() == 2U);
}

BOOST_AUTO_TEST_CASE(many_requests_of_one_session_may_be_a_client_on_the_proxys_machine) {
  Practice practice;
  practice.see_sessions(trusted, request(), 2, 100);
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(one_request_with_the_header_acquits) {
  Practice practice;
  for (int i = 0; i < 10; ++i) {
    practice.see_sessions(trusted, request(), 3, 6);
    practice.see(trusted, request("203.0.113.1"));
  }
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(a_browser_on_this_machine_is_no_proxy) {
  Practice practice;
  for (const char* origin : {"http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"}) {
    HttpRequest asked = request();
    asked.origin = origin;
    practice.see_sessions(local, asked, 10, 10);
  }
  for (const char* host : {"localhost:5280", "127.0.0.1:5280", "[::1]:5280", ""}) {
    HttpRequest asked = request();
    asked.host = host;
    practice.see_sessions(local, asked, 10, 10);
  }
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(a_proxy_on_this_machine_is_known_by_the_page_or_the_host) {
  Practice practice;
  HttpRequest asked = request();
  asked.host = "127.0.0.1:5280";
  asked.origin = "https://chat.example.org";
  practice.see_sessions(local, asked, 3, 7);
  BOOST_TEST(practice.told.size() == 1U);
  practice.see_sessions(local, request(), 3, 7);
  BOOST_TEST(practice.told.size() == 2U);
}

BOOST_AUTO_TEST_CASE(websockets_are_judged_by_themselves) {
  Practice practice;
  for (int i = 0; i < 5; ++i) {
    practice.see(trusted, request("203.0.113.1"), true);
    practice.see(trusted, handshake(), true, Doctor::Kind::websocket);
  }
  BOOST_TEST_REQUIRE(practice.told.size() == 1U);
  BOOST_TEST((practice.told[0].problem == ProxyProblem::no_forwarded_for));
}

BOOST_AUTO_TEST_CASE(the_other_header_is_named_when_the_proxy_sends_that) {
  Practice practice;
  HttpRequest asked = request();
  asked.forwarded = "for=203.0.113.1";
  practice.see_sessions(trusted, asked, 3, 7);
  BOOST_TEST_REQUIRE(practice.told.size() == 1U);
  BOOST_TEST(practice.told[0].advice.find("it sends Forwarded: name that in [proxy] header") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_proxy_header_needs_no_other) {
  Practice practice;
  practice.see_sessions({address("192.0.2.1"), true, true}, request(), 10, 10);
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(a_proxy_that_nobody_trusts_is_told) {
  Practice practice;
  for (int i = 0; i < 21; ++i)
    practice.see(unknown, request(i % 2 == 0 ? "203.0.113.1" : "8.8.8.8, 9.9.9.9"), i % 7 == 0);
  BOOST_TEST_REQUIRE(practice.told.size() == 1U);
  BOOST_TEST((practice.told[0].problem == ProxyProblem::untrusted_forwarded_for) == true);
  BOOST_TEST(practice.told[0].advice.find("'198.51.100.7' to [proxy] trusted") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_proxy_on_the_clients_side_is_not_ours) {
  Practice practice;
  // An office: public outside, private inside.
  const Passage office{address("9.9.9.9"), false, false};
  for (int i = 0; i < 100; ++i)
    practice.see(office, request(i % 2 == 0 ? "10.0.0.1" : "10.0.0.2"), i % 10 == 0);
  // Who only names one client, or nothing that is an address.
  practice.see_sessions(unknown, request("8.8.8.8"), 10, 10);
  practice.see_sessions(unknown, request("unknown"), 10, 10);
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(evidence_of_more_than_an_hour_ago_does_not_count) {
  Practice practice;
  for (int i = 0; i < 30; ++i) {
    practice.see(trusted, request(), true);
    practice.now += 5min;
  }
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(addresses_without_end_take_no_memory_without_end) {
  Practice practice;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    Address one = address("198.51.100.7");
    one.bytes[13] = static_cast<std::uint8_t>(i >> 8);
    one.bytes[14] = static_cast<std::uint8_t>(i);
    practice.see({one, false, false}, request("8.8.8.8"));
  }
  practice.see_sessions(trusted, request(), 3, 7);
  BOOST_TEST(practice.told.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(versions_and_upgrades)

BOOST_AUTO_TEST_CASE(http_1_0_of_a_proxy_is_told) {
  Practice practice;
  HttpRequest asked = request("203.0.113.1");
  asked.version = 10;
  for (int i = 0; i < 19; ++i) practice.see(trusted, asked);
  BOOST_TEST(practice.told.empty());
  practice.see(trusted, asked);
  BOOST_TEST_REQUIRE(practice.told.size() == 1U);
  BOOST_TEST((practice.told[0].problem == ProxyProblem::http10));
}

BOOST_AUTO_TEST_CASE(http_1_0_of_a_client_is_its_own_business) {
  Practice practice;
  HttpRequest asked = request();
  asked.version = 10;
  for (int i = 0; i < 100; ++i) practice.see(unknown, asked);
  asked.host = "localhost";
  for (int i = 0; i < 100; ++i) practice.see(local, asked);
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(a_handshake_without_upgrade_is_told) {
  for (const auto& spoil :
       {std::function<void(HttpRequest&)>([](HttpRequest& asked) { asked.upgrade.clear(); }),
        std::function<void(HttpRequest&)>([](HttpRequest& asked) { asked.connection_upgrade = false; })}) {
    Practice practice;
    HttpRequest asked = handshake("203.0.113.1");
    spoil(asked);
    for (int i = 0; i < 3; ++i) practice.see(trusted, asked, true, Doctor::Kind::websocket);
    BOOST_TEST_REQUIRE(practice.told.size() == 1U);
    BOOST_TEST((practice.told[0].problem == ProxyProblem::no_upgrade));
  }
}

BOOST_AUTO_TEST_CASE(good_handshakes_are_not) {
  Practice practice;
  for (int i = 0; i < 100; ++i) {
    practice.see(trusted, handshake("203.0.113.1"), true, Doctor::Kind::websocket);
    practice.see(unknown, handshake(), true, Doctor::Kind::websocket);
  }
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(held_requests)

BOOST_AUTO_TEST_CASE(a_constant_time_is_a_proxys_patience) {
  Practice practice;
  for (const auto held : {30s, 30s, 30s, 30s}) practice.cut(held + 40ms);
  BOOST_TEST(practice.told.empty());
  practice.cut(29950ms);
  BOOST_TEST_REQUIRE(practice.told.size() == 1U);
  BOOST_TEST((practice.told[0].problem == ProxyProblem::held_requests_cut));
  BOOST_TEST((practice.told[0].cut_after == 30s));
  for (const char* part :
       {"after 30 s", "proxy_read_timeout 75s", "ProxyTimeout 75", "timeout server 75s", "held for 25 s"})
    BOOST_TEST(practice.told[0].advice.find(part) != std::string::npos, part);
}

BOOST_AUTO_TEST_CASE(some_clients_leave_meanwhile) {
  Practice practice;
  for (const auto held : {30s, 7s, 30s, 18s, 30s, 41s, 30s, 30s}) practice.cut(held);
  BOOST_TEST(practice.told.size() == 1U);
}

BOOST_AUTO_TEST_CASE(clients_that_leave_scatter) {
  Practice practice;
  for (int i = 0; i < 200; ++i) practice.cut(std::chrono::seconds(5 + (i * 37) % 50));
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(pages_that_are_reloaded_at_once_say_nothing) {
  Practice practice;
  for (int i = 0; i < 100; ++i) practice.cut(std::chrono::milliseconds(100 + i));
  BOOST_TEST(practice.told.empty());
  BOOST_TEST(!practice.doctor.suspects_cuts());
}

BOOST_AUTO_TEST_CASE(a_proxy_that_is_restarted_cuts_all_at_once) {
  Practice practice;
  for (int i = 0; i < 100; ++i) practice.cut(20s, 1ms);
  practice.now += 1min;
  for (int i = 0; i < 100; ++i) practice.cut(20s, 1ms);
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(a_request_that_was_held_for_longer_acquits_the_proxy) {
  Practice practice;
  for (int i = 0; i < 4; ++i) practice.cut(30s);
  BOOST_TEST(practice.doctor.suspects_cuts());
  practice.doctor.on_answer(practice.proxy, 55s, practice.now);
  for (int i = 0; i < 4; ++i) practice.cut(30s);
  BOOST_TEST(practice.told.empty());
}

BOOST_AUTO_TEST_CASE(answers_that_came_before_do_not) {
  Practice practice;
  for (int i = 0; i < 4; ++i) practice.cut(30s);
  practice.doctor.on_answer(practice.proxy, 29s, practice.now);
  practice.doctor.on_answer(address("192.0.2.99"), 55s, practice.now);
  practice.cut(30s);
  BOOST_TEST(practice.told.size() == 1U);
}

BOOST_AUTO_TEST_CASE(requests_are_held_for_less_then_but_not_for_nothing) {
  BOOST_TEST((patience_below(50s) == 45s));
  BOOST_TEST((patience_below(10s) == 5s));
  BOOST_TEST((patience_below(6s) == 5s));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(findings)

BOOST_AUTO_TEST_CASE(a_finding_is_kept_with_its_count_until_a_day_after_the_latest_request) {
  Findings findings;
  const Findings::Time start{std::chrono::days(20'000)};
  const Diagnosis cut{ProxyProblem::held_requests_cut, address("192.0.2.1"), "advice", 5, 30s};
  BOOST_TEST(!findings.patience_behind(cut.proxy, start).has_value());
  findings.add(Diagnosis(cut), start);
  findings.add(Diagnosis(cut), start + 1h);
  findings.add({ProxyProblem::http10, address("192.0.2.1"), "other", 20, {}}, start + 2h);
  const auto list = findings.list(start + 2h);
  BOOST_TEST_REQUIRE(list.size() == 2U);
  BOOST_TEST((list[0].problem == ProxyProblem::http10));
  BOOST_TEST((list[1].since == start));
  BOOST_TEST((list[1].latest == start + 1h));
  BOOST_TEST(list[1].requests == 10U);
  BOOST_TEST(list[1].advice == "advice");
  BOOST_TEST(findings.count(ProxyProblem::held_requests_cut) == 10U);
  BOOST_TEST(findings.count(ProxyProblem::no_upgrade) == 0U);
  BOOST_TEST((findings.patience_behind(cut.proxy, start + 2h) == 25s));
  BOOST_TEST(!findings.patience_behind(address("192.0.2.2"), start + 2h).has_value());
  BOOST_TEST(!findings.patience_behind(cut.proxy, start + 26h).has_value());
  BOOST_TEST(findings.list(start + 25h + 30min).size() == 1U);
}

BOOST_AUTO_TEST_CASE(forgetting_gives_the_usual_patience_back) {
  Findings findings;
  const Findings::Time start{std::chrono::days(20'000)};
  findings.add({ProxyProblem::held_requests_cut, address("192.0.2.1"), "advice", 5, 30s}, start);
  findings.forget();
  BOOST_TEST(!findings.has_cuts());
  BOOST_TEST(findings.list(start).empty());
  BOOST_TEST(findings.count(ProxyProblem::held_requests_cut) == 5U);
}

BOOST_AUTO_TEST_CASE(there_is_room_for_a_hundred) {
  Findings findings;
  const Findings::Time start{std::chrono::days(20'000)};
  for (unsigned i = 0; i < 150; ++i) {
    Address one = address("198.51.100.0");
    one.bytes[15] = static_cast<std::uint8_t>(i);
    findings.add({ProxyProblem::no_upgrade, one, "advice", 3, {}}, start + std::chrono::seconds(i));
  }
  const auto list = findings.list(start + 150s);
  BOOST_TEST_REQUIRE(list.size() == Findings::most);
  BOOST_TEST(list.front().proxy.bytes[15] == 149U);
  BOOST_TEST(list.back().proxy.bytes[15] == 50U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
