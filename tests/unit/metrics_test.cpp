// Metrics as text, the past, and the status.
#include "src/operate/metrics.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "src/operate/history.hpp"
#include "src/operate/status.hpp"

namespace boshd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// The value of a sample; "" when there is none.
std::string sample(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name + " ")) return line.substr(name.size() + 1);
  return {};
}

std::string text(const Readings& readings, MetricsFormat format = MetricsFormat::prometheus) {
  return metrics_text(readings, format);
}

Readings busy() {
  Counters one;
  Counters other;
  one.begun_by(Transport::bosh).add(5);
  other.begun_by(Transport::bosh).add(2);
  other.ended_for(Transport::bosh, EndReason::inactive).add(3);
  one.ended_for(Transport::websocket, EndReason::client_lost).add();
  one.not_begun_for(Refusal::address_rate).add(4);
  one.stanza_delay.add(200us);
  other.stanza_delay.add(2min);
  one.client_bytes_in.add(17);
  Readings readings;
  readings.totals.add(one);
  readings.totals.add(other);
  readings.threads = {{4, 0.25}, {0, 0}};
  return readings;
}

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(threads_are_summed_up) {
  const std::string seen = text(busy());
  BOOST_TEST(sample(seen, "boshd_sessions{transport=\"bosh\"}") == "4");
  BOOST_TEST(sample(seen, "boshd_sessions_created_total{transport=\"bosh\"}") == "7");
  BOOST_TEST(sample(seen, "boshd_sessions_ended_total{transport=\"bosh\",reason=\"inactive\"}") == "3");
  BOOST_TEST(sample(seen, "boshd_sessions_refused_total{reason=\"address-rate\"}") == "4");
  BOOST_TEST(sample(seen, "boshd_bytes_total{direction=\"in\",side=\"client\"}") == "17");
  BOOST_TEST(sample(seen, "boshd_eventloop_lag_seconds{thread=\"0\"}") == "0.25");
  // One that ends before it is seen to have begun.
  BOOST_TEST(sample(seen, "boshd_sessions{transport=\"websocket\"}") == "0");
}

BOOST_AUTO_TEST_CASE(buckets_hold_all_below_them) {
  const std::string seen = text(busy());
  BOOST_TEST(sample(seen, "boshd_stanza_delay_seconds_bucket{le=\"0.0001\"}") == "0");
  BOOST_TEST(sample(seen, "boshd_stanza_delay_seconds_bucket{le=\"0.0005\"}") == "1");
  BOOST_TEST(sample(seen, "boshd_stanza_delay_seconds_bucket{le=\"60.0\"}") == "1");
  BOOST_TEST(sample(seen, "boshd_stanza_delay_seconds_bucket{le=\"+Inf\"}") == "2");
  BOOST_TEST(sample(seen, "boshd_stanza_delay_seconds_count") == "2");
  BOOST_TEST(sample(seen, "boshd_stanza_delay_seconds_sum") == "120.0002");
  BOOST_TEST(sample(seen, "boshd_dns_seconds_bucket{result=\"failed\",le=\"+Inf\"}") == "0");
}

BOOST_AUTO_TEST_CASE(what_has_not_happened_is_there_as_0) {
  const std::string seen = text({});
  for (std::size_t i = 0; i < end_reasons; ++i) {
    const std::string reason(to_string(static_cast<EndReason>(i)));
    BOOST_TEST(
        sample(seen, "boshd_sessions_ended_total{transport=\"websocket\",reason=\"" + reason + "\"}") == "0");
  }
  for (const char* reason : {"sessions", "memory", "address-sessions", "address-rate", "logins", "draining",
                             "host-unknown", "origin-refused"})
    BOOST_TEST(sample(seen, "boshd_sessions_refused_total{reason=\"" + std::string(reason) + "\"}") == "0");
  BOOST_TEST(sample(seen, "boshd_sessions_refused_total{reason=\"none\"}") == "");
  for (const char* outcome : {"ok", "replayed", "item-not-found", "bad-request", "refused"})
    BOOST_TEST(sample(seen, "boshd_requests_total{outcome=\"" + std::string(outcome) + "\"}") == "0");
  for (const char* problem :
       {"no-forwarded-for", "untrusted-forwarded-for", "held-requests-cut", "http10", "no-upgrade"})
    BOOST_TEST(sample(seen, "boshd_proxy_problems_total{problem=\"" + std::string(problem) + "\"}") == "0");
}

BOOST_AUTO_TEST_CASE(each_metric_has_help_and_type_once_and_in_front) {
  std::istringstream lines(text(busy()));
  std::set<std::string> seen;
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      name = line.substr(7, line.find(' ', 7) - 7);
      BOOST_TEST(seen.insert(name).second, name << " comes twice");
      std::getline(lines, line);
      BOOST_TEST(line.starts_with("# TYPE " + name + " "));
    } else {
      BOOST_TEST(line.starts_with(name), line << " does not stand under its name");
    }
  }
  BOOST_TEST(seen.size() == metric_names().size());
  for (const std::string_view known : metric_names()) BOOST_TEST(seen.count(std::string(known)) == 1U);
}

BOOST_AUTO_TEST_CASE(open_metrics_has_its_own_names_and_end) {
  BOOST_TEST((metrics_format("text/plain;version=0.0.4;q=0.5,*/*;q=0.1") == MetricsFormat::prometheus));
  BOOST_TEST((metrics_format("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5") ==
              MetricsFormat::open_metrics));
  const std::string seen = text(busy(), MetricsFormat::open_metrics);
  BOOST_TEST(seen.ends_with("\n# EOF\n"));
  BOOST_TEST(seen.find("# TYPE boshd_polls_cut counter\nboshd_polls_cut_total 0\n") != seen.npos);
  BOOST_TEST(text({}).find("# EOF") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_name_in_two_certificates_is_told_once_with_the_earlier_end) {
  Readings readings;
  readings.certificates = {{"a.pem", {"example.org", "*.example.org"}, WallTime(2000s)},
                           {"b.pem", {"example.org"}, WallTime(1000s)}};
  const std::string seen = text(readings);
  BOOST_TEST(sample(seen, "boshd_tls_certificate_expiry_timestamp_seconds{name=\"example.org\"}") == "1000");
  BOOST_TEST(sample(seen, "boshd_tls_certificate_expiry_timestamp_seconds{name=\"*.example.org\"}") ==
             "2000");
}

BOOST_AUTO_TEST_CASE(what_a_label_may_not_hold_is_escaped) {
  Readings readings;
  readings.certificates = {{"a.pem", {"a\"b\\c\nd"}, WallTime(1s)}};
  BOOST_TEST(sample(text(readings), R"(boshd_tls_certificate_expiry_timestamp_seconds{name="a\"b\\c\nd"})") ==
             "1");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(history)

/// A past that goes on in steps.
struct Past {
  History history;
  Totals totals;
  Time now{1h};

  void step() {
    now += History::step;
    history.add(now, totals);
  }
};

BOOST_AUTO_TEST_CASE(rates_are_those_of_the_last_ten_seconds) {
  Past past;
  past.step();
  past.totals.requests[0] = 1000;
  past.totals.begun[0] = 7;
  past.step();
  for (int i = 0; i < 5; ++i) past.step();
  BOOST_TEST(past.history.rates(past.now, past.totals).requests == 0);
  past.totals.requests[1] += 50;
  past.totals.stanzas_in += 20;
  past.totals.client_bytes_out += 3000;
  const History::Rates rates = past.history.rates(past.now, past.totals);
  BOOST_TEST(rates.requests == 5);
  BOOST_TEST(rates.stanzas_in == 2);
  BOOST_TEST(rates.stanzas_out == 0);
  BOOST_TEST(rates.bytes_out == 300);
  BOOST_TEST(rates.sessions == 0);
}

BOOST_AUTO_TEST_CASE(a_young_past_is_averaged_over_what_there_is) {
  Past past;
  BOOST_TEST(past.history.rates(past.now, past.totals).requests == 0);
  past.step();
  past.totals.requests[0] = 30;
  BOOST_TEST(past.history.rates(past.now + 3s, past.totals).requests == 10);
}

BOOST_AUTO_TEST_CASE(delays_are_those_of_the_last_minute) {
  Past past;
  past.totals.stanza_delay.buckets[0] = 100;
  past.step();
  BOOST_TEST(past.history.delays(past.now, past.totals).count() == 0U);
  past.totals.stanza_delay.buckets[3] = 10;
  for (int i = 0; i < 29; ++i) past.step();
  BOOST_TEST(past.history.delays(past.now, past.totals).count() == 10U);
  past.step();
  past.step();
  BOOST_TEST(past.history.delays(past.now, past.totals).count() == 0U);
}

BOOST_AUTO_TEST_CASE(there_is_a_point_for_each_step_and_no_more_than_ten_minutes) {
  Past past;
  past.step();
  BOOST_TEST(past.history.points().sessions.empty());
  past.totals.begun[1] = 3;
  past.totals.stanzas_out = 8;
  past.totals.client_bytes_in = 100;
  past.totals.stanza_delay.buckets[0] = 1;
  past.step();
  past.step();
  const History::Points points = past.history.points();
  BOOST_TEST((points.sessions == std::vector<std::uint64_t>{3, 3}));
  BOOST_TEST((points.stanzas == std::vector<double>{4, 0}));
  BOOST_TEST((points.bytes == std::vector<double>{50, 0}));
  BOOST_TEST(points.delay_p99.front().has_value());
  BOOST_TEST(!points.delay_p99.back().has_value());
  for (int i = 0; i < 400; ++i) past.step();
  BOOST_TEST(past.history.points().sessions.size() == History::most);
}

BOOST_AUTO_TEST_CASE(what_is_recent_ages) {
  Past past;
  past.step();
  past.totals.ended[0][1] = 5;
  past.totals.not_begun[2] = 2;
  past.step();
  const auto ended = [&] {
    return past.history.recently_ended(Transport::bosh, EndReason::inactive, past.now, past.totals);
  };
  BOOST_TEST(ended() == 5U);
  BOOST_TEST(past.history.recently_not_begun(2, past.now, past.totals) == 2U);
  for (int i = 0; i < 301; ++i) past.step();
  BOOST_TEST(ended() == 0U);
  past.totals.ended[0][1] = 6;
  BOOST_TEST(ended() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(status)

json status_of(const Readings& readings, const StatusFacts& facts = {}, const History& past = {}) {
  return json::parse(status_json(readings, past, facts, Time(1h), WallTime(1700000000500ms)));
}

BOOST_AUTO_TEST_CASE(all_parts_are_there_even_when_there_is_nothing_to_tell) {
  const json status = status_of({});
  std::set<std::string> keys;
  for (const auto& [key, value] : status.items()) keys.insert(key);
  const std::set<std::string> wanted{"version",
                                     "node",
                                     "now",
                                     "started",
                                     "state",
                                     "threads",
                                     "sessions",
                                     "held_requests",
                                     "http_connections",
                                     "upstream_connections",
                                     "delay_seconds",
                                     "rates",
                                     "history",
                                     "ended",
                                     "refused",
                                     "domains",
                                     "addresses",
                                     "certificates",
                                     "errors",
                                     "proxies",
                                     "process",
                                     "config"};
  BOOST_TEST(keys == wanted, boost::test_tools::per_element());
  BOOST_TEST(status["now"] == 1700000000.5);
  BOOST_TEST(status["delay_seconds"].is_null());
  BOOST_TEST(status["history"]["step_seconds"] == 2);
  for (const char* list :
       {"threads", "ended", "refused", "domains", "addresses", "certificates", "errors", "proxies"})
    BOOST_TEST((status[list].is_array() && status[list].empty()), list);
  for (const char* list : {"sessions", "stanzas", "bytes", "delay_p99"})
    BOOST_TEST(status["history"][list].is_array(), list);
}

BOOST_AUTO_TEST_CASE(reasons_that_came_are_listed_the_most_frequent_first) {
  Readings readings = busy();
  readings.state = ReadyState::draining;
  const json status = status_of(readings);
  const json ended = {{{"reason", "inactive"}, {"transport", "bosh"}, {"count", 3}, {"recent", 0}},
                      {{"reason", "client-lost"}, {"transport", "websocket"}, {"count", 1}, {"recent", 0}}};
  json shown = status["ended"];
  for (json& row : shown) row["recent"] = 0;
  BOOST_TEST(shown == ended);
  BOOST_TEST(status["refused"][0]["reason"] == "address-rate");
  BOOST_TEST(status["sessions"]["bosh"] == 4);
  BOOST_TEST(status["sessions"]["created"] == 7);
  BOOST_TEST(status["sessions"]["ended"] == 4);
  BOOST_TEST(status["sessions"]["refused"] == 4);
  BOOST_TEST(status["state"] == "draining");
  BOOST_TEST(status["threads"][0]["sessions"] == 4);
  BOOST_TEST(status["threads"][0]["lag_seconds"] == 0.25);
}

BOOST_AUTO_TEST_CASE(delays_have_three_quantiles) {
  History past;
  past.add(Time(59min + 50s), {});
  const json seen = status_of(busy(), {}, past)["delay_seconds"];
  BOOST_TEST(seen["window_seconds"] == 60);
  BOOST_TEST(seen["p50"].get<double>() <= 0.0005);
  BOOST_TEST(seen["p99"].get<double>() == 60.0);
}

BOOST_AUTO_TEST_CASE(what_only_a_status_tells) {
  StatusFacts facts;
  facts.node = "n1";
  facts.config_file = "/etc/boshd/boshd.toml";
  facts.domains = {{"example.org", 9}};
  facts.addresses = {{"192.0.2.1", 4}};
  facts.problems = {{WallTime(5s), "warning", "upstream-failed", "domain=a\xff", 3}};
  facts.proxies = {{"127.0.0.1", "http10", "proxy_http_version 1.1;", WallTime(6s), 2}};
  Readings readings;
  readings.certificates = {{"a.pem", {"example.org"}, WallTime(7s)}};
  readings.reloads.ok = false;
  readings.reloads.error = "line 3";
  const json status = status_of(readings, facts);
  BOOST_TEST(status["node"] == "n1");
  BOOST_TEST(status["domains"] == json({{{"name", "example.org"}, {"sessions", 9}}}));
  BOOST_TEST(status["addresses"] == json({{{"address", "192.0.2.1"}, {"sessions", 4}}}));
  BOOST_TEST(status["errors"][0]["text"] == "domain=a\xef\xbf\xbd");
  BOOST_TEST(status["errors"][0]["count"] == 3);
  BOOST_TEST(status["proxies"][0]["since"] == 6.0);
  BOOST_TEST(status["certificates"][0]["expires"] == 7.0);
  BOOST_TEST(status["config"]["reload_ok"] == false);
  BOOST_TEST(status["config"]["reload_error"] == "line 3");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(process)

BOOST_AUTO_TEST_CASE(the_system_tells_of_this_process) {
  const ProcessReadings readings = read_process();
  BOOST_TEST(readings.resident > 1000000U);
  BOOST_TEST(readings.virtual_size > readings.resident);
  BOOST_TEST(readings.open_files >= 3U);
  BOOST_TEST(readings.max_files > readings.open_files);
  BOOST_TEST(readings.cpu_seconds > 0);
  const double now = unix_seconds(std::chrono::system_clock::now());
  BOOST_TEST(std::abs(now - readings.started) < 600);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace boshd
