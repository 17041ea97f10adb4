// Servers that mean harm, in plain text and by TLS: the client is told in time, memory stays bounded, and
// other sessions notice nothing.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "tests/integration/client.hpp"

namespace integration {
namespace {

namespace data = boost::unit_test::data;

constexpr std::size_t MiB = std::size_t{1024} * 1024;

Claim for_bad_example() {
  Claim claim;
  claim.names = "DNS:bad.example";
  return claim;
}

/// A daemon with a good server and a bad one, and a session at the good one that goes on talking.
class Hostile {
 public:
  explicit Hostile(bool tls)
      : tls_(tls),
        daemon(
            "threads = 1\nproxy.trusted = []\n" + std::string(unlimited) +
            "session.polling = \"0s\"\nupstream.connect_timeout = \"2s\"\nlimits.client_queue = \"256 KiB\"\n"
            "upstream.domains = [\"example.org\"]\nupstream.server = \"" +
            good_.address() + "\"\n[upstream.domain.\"bad.example\"]\nserver = \"" + (tls ? "tls://" : "") +
            bad_.address() + "\"\ntls = \"" + (tls ? "opportunistic" : "never") + "\"\n"),
        bystander_(daemon) {
    bystander_.post(body_element("rid='1' " + std::string(Session::usual)));
    bystander_server_ = good_.accept();
    read_stream_start(bystander_server_);
    bystander_server_.send(stream_start() + std::string(features));
    sid_ = root_attribute(bystander_.answer().body, "sid");
  }

  /// Opens a session at the bad server; what it says is the test's.
  Wire begin(HttpClient& client, bool shakes_hands = true) {
    client.post(body_element("rid='1' ver='1.6' wait='60' hold='1' to='bad.example'"));
    Wire wire = bad_.accept();
    if (tls_ && shakes_hands) wire.accept_tls(self_signed(for_bad_example()));
    return wire;
  }

  /// The good session's messages go both ways.
  void check_bystander() {
    ++rid_;
    bystander_.post(body_element("rid='" + std::to_string(rid_) + "' sid='" + sid_ + "'", message(rid_)));
    BOOST_TEST(read_message(bystander_server_) == message(rid_));
    bystander_server_.send(message(rid_));
    BOOST_TEST(said(bystander_.answer()) == message(rid_));
  }

  void check_end(HttpClient& client, std::string_view reason) {
    BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
    BOOST_TEST(has(daemon.wait_for_log("session-end"), "reason=" + std::string(reason) + " "), reason);
    check_bystander();
  }

 private:
  bool tls_;
  FakeServer good_;
  FakeServer bad_;

 public:
  Daemon daemon;

 private:
  HttpClient bystander_;
  Wire bystander_server_;
  std::string sid_;
  std::uint64_t rid_ = 1;
};

/// As much as the other end takes; true if it takes it all.
bool send_all(Wire& wire, std::string_view bytes) {
  try {
    wire.send(bytes);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

std::string opening() {
  return stream_start("1", "bad.example") + std::string(features);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile_servers)

const bool ways[] = {false, true};

BOOST_DATA_TEST_CASE(one_that_says_nothing, data::make(ways), tls) {
  Hostile hostile(tls);
  HttpClient client(hostile.daemon);
  const Wire wire = hostile.begin(client);
  hostile.check_bystander();
  hostile.check_end(client, "server-silent");
}

BOOST_AUTO_TEST_CASE(one_that_never_shakes_hands) {
  Hostile hostile(true);
  HttpClient client(hostile.daemon);
  const Wire wire = hostile.begin(client, false);
  hostile.check_bystander();
  hostile.check_end(client, "server-silent");
  BOOST_TEST(has(hostile.daemon.wait_for_log("upstream-failed"), "step=tls"));
}

BOOST_DATA_TEST_CASE(one_that_drips, data::make(ways), tls) {
  Hostile hostile(tls);
  HttpClient client(hostile.daemon);
  Wire wire = hostile.begin(client);
  const std::string slow = opening();
  std::size_t sent = 0;  // one byte whenever the bystander has been served, until boshd has had enough
  while (sent < slow.size() && !client.wire.readable()) {
    if (!send_all(wire, slow.substr(sent, 1))) break;
    sent += client.wire.readable_within(std::chrono::milliseconds(50)) ? 0 : 1;
    hostile.check_bystander();
  }
  BOOST_TEST(sent < slow.size());
  hostile.check_end(client, "server-silent");
}

BOOST_DATA_TEST_CASE(U_092_one_whose_stanza_has_a_hundred_megabytes, data::make(ways), tls) {
  Hostile hostile(tls);
  HttpClient client(hostile.daemon);
  Wire wire = hostile.begin(client);
  wire.send(opening());
  const std::string sid = root_attribute(client.answer().body, "sid");
  client.post(body_element("rid='2' sid='" + sid + "'"));
  const std::size_t before = hostile.daemon.resident();
  send_all(wire, "<message><body>");
  const std::string chunk(MiB, 'x');
  int sent = 0;
  while (sent < 100 && send_all(wire, chunk)) ++sent;
  BOOST_TEST(sent < 100);
  BOOST_TEST(hostile.daemon.has_grown_less(before, 16 * MiB));
  hostile.check_end(client, "server-bad-xml");
}

struct Poison {
  const char* name;
  std::string bytes;
};
std::ostream& operator<<(std::ostream& out, const Poison& poison) {
  return out << poison.name;
}

std::string nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "<a>";
  return text;
}

const Poison poisons[] = {
    {"deep nesting", nested(100'000)},
    {"a document type", "<!DOCTYPE a [<!ENTITY b 'c'>]>"},
    {"an entity", "<message>&lol;</message>"},
    {"invalid UTF-8", "<message><body>\xc3\x28</body></message>"},
    {"an overlong NUL", "<message><body>\xc0\x80</body></message>"},
    {"a surrogate", "<message><body>\xed\xa0\x80</body></message>"},
    {"garbage", std::string("\0\1\2\3\xff\xfe", 6)},
    {"a name without end", "<" + std::string(4 * MiB, 'a')},
    {"attributes without end",
     [] {
       std::string text = "<message";
       for (int i = 0; i < 100'000; ++i) text += " a" + std::to_string(i) + "='x'";
       return text;
     }()},
    {"a second header", stream_start()},
};

BOOST_DATA_TEST_CASE(U_087_U_088_U_089_U_092_one_that_sends_poison, data::make(ways) * data::make(poisons),
                     tls, poison) {
  Hostile hostile(tls);
  HttpClient client(hostile.daemon);
  Wire wire = hostile.begin(client);
  wire.send(opening());
  const std::string sid = root_attribute(client.answer().body, "sid");
  client.post(body_element("rid='2' sid='" + sid + "'"));
  const std::size_t before = hostile.daemon.resident();
  send_all(wire, poison.bytes);
  BOOST_TEST(hostile.daemon.has_grown_less(before, 16 * MiB));
  const std::string answer = said(client.answer());
  BOOST_TEST(answer == "terminate remote-connection-failed", poison.name);
  hostile.check_bystander();
}

/// Everything that a server says up to its features; it closes after each byte of it in turn.
BOOST_DATA_TEST_CASE(U_108_one_that_closes_at_any_stage, data::make(ways), tls) {
  Hostile hostile(tls);
  const std::string whole = opening();
  for (std::size_t length = 0; length < whole.size(); length += tls ? 17 : 3) {
    HttpClient client(hostile.daemon);
    Wire wire = hostile.begin(client);
    wire.send(whole.substr(0, length));
    if (length % 2 == 0)
      wire.close();
    else
      wire.reset();
    BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed", length);
  }
  hostile.check_bystander();
}

BOOST_AUTO_TEST_CASE(one_that_closes_within_the_handshake) {
  Hostile hostile(true);
  for (const std::size_t length : {std::size_t{1}, std::size_t{5}, std::size_t{100}}) {
    HttpClient client(hostile.daemon);
    Wire wire = hostile.begin(client, false);
    wire.read(length);
    wire.reset();
    BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
  }
  const std::string line = hostile.daemon.wait_for_log("upstream-failed");
  BOOST_TEST(has(line, "step=tls"), line);
  hostile.check_bystander();
}

BOOST_DATA_TEST_CASE(B_091_one_that_floods_a_client_that_does_not_poll, data::make(ways), tls) {
  Hostile hostile(tls);
  HttpClient client(hostile.daemon);
  Wire wire = hostile.begin(client);
  wire.send(opening());
  const std::string sid = root_attribute(client.answer().body, "sid");
  const std::size_t before = hostile.daemon.resident();
  const std::string stanzas = [] {
    std::string text;
    while (text.size() < MiB) text += message(1);
    return text;
  }();
  std::size_t sent = 0;  // what boshd does not read the kernel does not take for ever
  for (int silent = 0; silent < 3 && sent < 200 * MiB;) {
    const std::size_t step = wire.send_some(std::string_view(stanzas).substr(sent % stanzas.size()));
    sent += step;
    if (step == 0) hostile.check_bystander();
    silent = step == 0 ? silent + 1 : 0;
  }
  BOOST_TEST(sent < 200 * MiB);
  BOOST_TEST(hostile.daemon.has_grown_less(before, 16 * MiB));
  hostile.check_bystander();
  const Response fetched = client.ask(body_element("rid='2' sid='" + sid + "'"));
  BOOST_TEST(fetched.body.size() > 100'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
