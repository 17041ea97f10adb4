// What a reload leaves as it is, and which listeners it opens and closes.
#include "src/reload.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <iterator>

#include "src/listeners.hpp"

namespace boshd {
namespace {

using namespace std::chrono_literals;

const Time start = Time{} + 24h;

using Names = std::vector<std::string>;

/// The listeners of one thread.
using Serving = std::vector<Reloaded::Listener>;

Listen local(std::uint16_t port = 0, std::string bosh_path = "/b") {
  return {.host = "127.0.0.1", .port = port, .bosh_path = std::move(bosh_path)};
}

Listen at_path(const std::string& path) {
  return {.host = {}, .port = 0, .unix_path = path};
}

/// How many this process has open.
std::size_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::uint16_t port_of(int descriptor) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

/// Carries out what is wanted, and keeps the descriptors as a thread would.
struct House {
  ~House() {
    for (const int descriptor : descriptors) ::close(descriptor);
  }
  Serving take(const std::vector<Listen>& wanted, Time now = start) {
    auto each = listeners.carry_out(listeners.plan(wanted), now);
    for (const Serving& one : each)
      for (const Reloaded::Listener& listener : one)
        if (listener.descriptor >= 0) descriptors.push_back(listener.descriptor);
    BOOST_TEST(each.size() == 2U);
    return each.front();
  }

  Listeners listeners{2};
  std::vector<int> descriptors;
};

std::vector<ListenerId> ids(const Serving& serving) {
  std::vector<ListenerId> all;
  for (const Reloaded::Listener& listener : serving) all.push_back(listener.id);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reload)

BOOST_AUTO_TEST_CASE(what_needs_a_restart_stays_and_is_named) {
  Config present;
  Config fresh = present;
  BOOST_TEST(keep_fixed_keys(fresh, present).empty());
  fresh.node = "n2";
  fresh.threads = 7;
  fresh.upstream.nameservers = {"127.0.0.1:53"};
  fresh.metrics.listen.port = 1;
  fresh.control.socket = "/s";
  fresh.limits.sessions = 7;
  fresh.upstream.any = true;
  BOOST_TEST(keep_fixed_keys(fresh, present) ==
                 Names({"node", "threads", "upstream.nameservers", "metrics.address", "control.socket"}),
             boost::test_tools::per_element());
  present.limits.sessions = 7;
  present.upstream.any = true;
  BOOST_TEST((fresh == present));
}

BOOST_AUTO_TEST_CASE(places_in_the_file_make_no_difference) {
  const Config one = read_config("[[listen]]\naddress = \"127.0.0.1:1\"\n", "a.toml");
  const Config other = read_config("\n\n[[listen]]\naddress = \"127.0.0.1:1\"\n", "b.toml");
  BOOST_TEST((one == other));
  BOOST_TEST(to_string(one.listen.front().written) == "a.toml:2: listen.address: ");
  BOOST_TEST(to_string(other.listen.front().written) == "b.toml:4: listen.address: ");
  BOOST_TEST(to_string(Config{}.listen.front().written) == "");
}

BOOST_AUTO_TEST_CASE(a_place_is_the_table_s_when_the_key_is_not_there) {
  const Config config = read_config(
      "[[listen]]\nbosh_path = \"/b\"\n[upstream]\nca = \"/a.pem\"\n[upstream.domain.\"a\"]\n"
      "[upstream.domain.\"b\"]\nca = \"/b.pem\"\n",
      "f");
  BOOST_TEST(to_string(config.listen.front().written) == "f:1: listen.address: ");
  BOOST_TEST(to_string(config.upstream.own.at("a").ca_written) == "f:4: upstream.ca: ");
  BOOST_TEST(to_string(config.upstream.own.at("b").ca_written) == "f:7: upstream.domain.\"b\".ca: ");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(listeners)

BOOST_AUTO_TEST_CASE(who_stays_keeps_its_socket_and_what_did_not_change_is_shared) {
  House house;
  const Serving first = house.take({local(), local()});
  BOOST_TEST(first.size() == 2U);
  BOOST_TEST(port_of(first[0].descriptor) != port_of(first[1].descriptor));
  const Serving same = house.take({local(), local()});
  BOOST_TEST(ids(same) == ids(first), boost::test_tools::per_element());
  BOOST_TEST(same[0].descriptor == -1);
  BOOST_TEST(same[0].listen == first[0].listen);
  const Serving changed = house.take({local(0, "/c"), local()});
  BOOST_TEST(ids(changed) == ids(first), boost::test_tools::per_element());
  BOOST_TEST(changed[0].listen->bosh_path == "/c");
  BOOST_TEST(first[0].listen->bosh_path == "/b");
  BOOST_TEST(changed[1].listen == first[1].listen);
  BOOST_TEST(!house.listeners.has_retired());
}

BOOST_AUTO_TEST_CASE(a_retired_one_that_comes_back_is_the_same) {
  House house;
  std::uint16_t port = 0;
  {
    House other;
    port = port_of(other.take({local()}).front().descriptor);
  }
  const Serving first = house.take({local(port)});
  house.take({}, start);
  BOOST_TEST(house.listeners.has_retired());
  BOOST_TEST(house.listeners.finished(start + retirement - 1ms).empty());
  const Serving again = house.take({local(port)}, start + 500ms);
  BOOST_TEST(again.front().id == first.front().id);
  BOOST_TEST(again.front().descriptor == -1);
  BOOST_TEST(house.listeners.finished(start + 1h).empty());
  house.take({}, start + 2h);
  BOOST_TEST(house.listeners.finished(start + 2h).empty());
  BOOST_TEST(house.listeners.finished(start + 2h + retirement) == ids(first),
             boost::test_tools::per_element());
  BOOST_TEST(!house.listeners.has_retired());
}

BOOST_AUTO_TEST_CASE(a_plan_that_is_dropped_or_can_t_be_made_leaves_nothing_open) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("boshd-plan-" + std::to_string(::getpid()));
  House house;
  const Serving first = house.take({local()});
  const std::size_t before = descriptors();
  { const auto plan = house.listeners.plan({local(), at_path(path)}); }
  BOOST_TEST(!std::filesystem::exists(path));
  Listen elsewhere = local(5280);
  elsewhere.host = "192.0.2.1";
  BOOST_CHECK_THROW(house.listeners.plan({local(), local(), at_path(path), elsewhere}), std::runtime_error);
  BOOST_TEST(!std::filesystem::exists(path));
  BOOST_TEST(descriptors() == before);
  BOOST_TEST(ids(house.take({local()})) == ids(first), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
