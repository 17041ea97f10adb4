// The program: its options, its configuration, how it starts and ends, and what its log tells.
#include <signal.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/integration/client.hpp"

namespace integration {
namespace {

namespace data = boost::unit_test::data;

}  // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(what_the_options_print) {
  const TemporaryDirectory directory;
  const std::string empty = directory.write("empty.toml", "");
  struct Case {
    std::vector<std::string> arguments;
    int status;
    const char* out;
    const char* err;
  };
  const Case cases[] = {
      {{"--version"}, 0, "boshd ", ""},
      {{"--help"}, 0, "--config FILE", ""},
      {{"--config", empty, "--check"}, 0, "", ""},
      {{"--config", empty, "--dump-config"}, 0, "[limits]", ""},
      {{"--nonsense"}, 2, "", "--nonsense"},
      {{"--config"}, 2, "", "--config"},
      {{"--config", directory.path("missing.toml")}, 2, "", "missing.toml"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = run_boshd(c.arguments);
    BOOST_TEST_CONTEXT(c.arguments.front() << ": " << outcome.out << outcome.err) {
      BOOST_TEST(outcome.status == c.status);
      BOOST_TEST(has(outcome.out, c.out));
      BOOST_TEST(has(outcome.err, c.err));
      BOOST_TEST(outcome.err.empty() == (c.status == 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_dumped_configuration_means_the_same) {
  const TemporaryDirectory directory;
  const std::string file = directory.write("boshd.toml", "node = \"n1\"\n[limits]\nmax_stanza = \"2 MiB\"\n");
  const std::string dump = run_boshd({"--config", file, "--dump-config"}).out;
  BOOST_TEST(has(dump, "max_stanza = \"2 MiB\""), dump);
  const Outcome again = run_boshd({"--config", directory.write("dump.toml", dump), "--dump-config"});
  BOOST_TEST(again.status == 0);
  BOOST_TEST(again.out == dump);
}

struct Mistake {
  const char* toml;
  std::vector<const char*> parts;  // of the message, beside file and line
};

const Mistake mistakes[] = {
    {"\nsesion.wait = \"60s\"", {":2", "sesion", "session"}},
    {"[session]\n\nwiat = \"60s\"", {":3", "wiat", "wait"}},
    {"[limits]\nmax_request = \"many\"", {":2", "max_request"}},
    {"[session]\nwait = \"60 parsecs\"", {":2", "wait"}},
    {"threads = 65", {":1", "threads", "64"}},
    {"threads = \"two\"", {":1", "threads"}},
    {"node = \"N 1\"", {":1", "node"}},
    {"[[listen]]\naddress = \"nowhere:1\"", {":2", "address"}},
    {"[upstream]\nserver = \"127.0.0.1:99999\"", {":2", "server"}},
    {"[upstream]\nserver = \"dns\"", {":2", "domains", "any"}},
    {"[proxy]\ntrusted = [\"127.0.0.1/99\"]", {":2", "trusted"}},
    {"[log]\nlevel = \"chatty\"", {":2", "level", "debug"}},
    {"threads = 1\nthreads = 2", {":2", "threads"}},
    {"[session\nwait = 1", {":1"}},
    {"\xff\xfe", {":1"}},
};

BOOST_AUTO_TEST_CASE(a_bad_configuration_names_file_line_key_and_what_is_allowed) {
  const TemporaryDirectory directory;
  for (const Mistake& mistake : mistakes) {
    const std::string file = directory.write("boshd.toml", mistake.toml);
    for (const char* option : {"--check", "--dump-config"}) {
      const Outcome outcome = run_boshd({"--config", file, option});
      BOOST_TEST_CONTEXT(mistake.toml << ": " << outcome.err) {
        BOOST_TEST(outcome.status == 2);
        BOOST_TEST(has(outcome.err, file));
        for (const char* part : mistake.parts)
          BOOST_TEST(has(outcome.err, part), part << " is not in the message");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_second_daemon_on_the_same_port_fails_with_a_reason) {
  Bridge bridge;
  const TemporaryDirectory directory;
  const std::string address = "127.0.0.1:" + std::to_string(bridge.daemon.port());
  for (const char* threads : {"1", "2"}) {
    const std::string file = directory.write(
        "boshd.toml", "threads = " + std::string(threads) + "\n[[listen]]\naddress = \"" + address + "\"\n");
    const Outcome outcome = run_boshd({"--config", file});
    BOOST_TEST(outcome.status != 0);
    BOOST_TEST(has(outcome.err, address), outcome.err);
    BOOST_TEST(has(outcome.err, "in use"), outcome.err);
  }
  HttpClient client = bridge.connect();
  BOOST_TEST(said(client.ask(body_element("rid='1'"))) == "terminate improper-addressing");
}

struct Unavailable {
  std::string toml;
  std::vector<std::string> parts;
};

// What the system refuses is the environment's fault (1), but it is written in the configuration.
BOOST_AUTO_TEST_CASE(what_the_system_refuses_is_told_with_its_place_in_the_configuration) {
  const FakeServer occupied;
  const TemporaryDirectory directory;
  const std::string missing = directory.path("none/s");
  const Unavailable all[] = {
      {"threads = 1\n[[listen]]\naddress = \"" + occupied.address() + "\"\n",
       {":3: listen.address: can't listen on " + occupied.address() + ": Address already in use",
        "write another address"}},
      {"[[listen]]\n\naddress = \"192.0.2.1:5280\"\n",
       {":3: listen.address: can't listen on 192.0.2.1:5280: Cannot assign",
        "write an address of this machine"}},
      {"[[listen]]\naddress = \"unix:" + missing + "\"\n",
       {":2: listen.address: can't listen on unix:" + missing + ": No such file", "make the folder first"}},
      {"[[listen]]\naddress = \"inherited:web\"\n", {":2: listen.address: can't listen on inherited:web"}},
      {"[[listen]]\naddress = \"127.0.0.1:0\"\n[log]\naccess = \"" + missing + "\"\n",
       {":4: log.access: the access log " + missing + " can't be opened: No such file"}},
  };
  for (const Unavailable& one : all) {
    const std::string file = directory.write("boshd.toml", "metrics.address = \"\"\n" + one.toml);
    Process process({"--config", file});
    BOOST_TEST(process.exit_status() == 1, process.err.text());
    std::string first = one.parts.front();
    first[1] = static_cast<char>(first[1] + 1);  // the line in front
    BOOST_TEST(has(process.err.text(), "boshd: " + file + first), process.err.text());
    for (std::size_t i = 1; i < one.parts.size(); ++i) BOOST_TEST(has(process.err.text(), one.parts[i]));
  }
}

BOOST_AUTO_TEST_CASE(several_listeners) {
  const FakeServer server;
  const Daemon daemon("upstream.server = \"" + server.address() +
                      "\"\n[[listen]]\naddress = \"[::1]:0\"\nbosh_path = \"/b\"");
  BOOST_TEST(has(daemon.wait_for_log("address=[::1]:"), "path=/b"));
  HttpClient client(daemon);
  BOOST_TEST(said(client.ask(body_element("rid='1'"))) == "terminate improper-addressing");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(stopping)

// Two threads, direct and proxied connections, sessions with and without a held request, data that waits, a
// request that is not complete: each gets what it can still get.
BOOST_DATA_TEST_CASE(a_signal_ends_everything_in_order, data::make({SIGTERM, SIGINT})) {
  constexpr std::size_t count = 20;
  Bridge bridge("threads = 2\nproxy.trusted = [\"127.0.0.1\"]");
  std::vector<HttpClient> clients;
  std::vector<Session> sessions;
  const std::string proxied = "X-Forwarded-For: 192.0.2.1\r\n";
  for (std::size_t i = 0; i < count; ++i) {
    HttpClient opener = bridge.connect();
    sessions.emplace_back(bridge, opener);
    clients.push_back(bridge.connect());
    clients[i].post(sessions[i].next(message(i)), i % 2 == 0 ? proxied : std::string());
    BOOST_TEST(read_message(sessions[i].server) == message(i));
  }
  HttpClient opener = bridge.connect();
  Session silent(bridge, opener);
  HttpClient idle = bridge.connect();
  HttpClient unfinished = bridge.connect();
  unfinished.send("POST /http-bind HTTP/1.1\r\n");
  bridge.settle();

  bridge.daemon.signal(sample);
  for (std::size_t i = 0; i < count; ++i) {
    BOOST_TEST(said(clients[i].answer()) == "terminate system-shutdown");
    BOOST_TEST(clients[i].wire.read_to_end() == "");
    BOOST_TEST(sessions[i].server.read_until(">") == stream_end);
  }
  BOOST_TEST(silent.server.read_until(">") == stream_end);
  BOOST_TEST(idle.wire.read_to_end() == "");
  unfinished.wire.read_to_end();
  sessions.clear();  // the servers close, too, and the clients
  clients.clear();
  silent.server.close();
  opener.wire.close();
  unfinished.wire.close();
  BOOST_TEST(bridge.daemon.exit_status() == 0);
  BOOST_TEST(bridge.daemon.log_lines("session-end reason=shutdown").size() == count + 1);
  BOOST_CHECK_THROW(bridge.connect(), Failure);
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_read_does_not_stop_the_end) {
  Bridge bridge("limits.upstream_queue = \"1 MiB\"", ServerOn::unix_socket);
  HttpClient clients[] = {bridge.connect(), bridge.connect()};
  Session session(bridge, clients[0]);
  for (std::size_t i = 0; i < 10; ++i)
    clients[i % 2].post(session.next(message(i) + std::string(50'000, ' ')));
  bridge.settle();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(bridge.daemon.exit_status() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(logging)

BOOST_AUTO_TEST_CASE(B_215_no_level_tells_a_stanza_a_password_or_a_whole_sid) {
  const std::string secret = "c3VwZXJzZWNyZXQ";
  Bridge bridge("log.level = \"debug\"\nlimits.max_request = \"16 KiB\"");
  HttpClient client = bridge.connect();
  std::vector<std::string> hidden{secret};
  const auto open = [&] {
    Session session(bridge, client);
    hidden.push_back(session.sid);
    return session;
  };
  Session good = open();
  client.post(
      good.next("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + secret + "</auth>"));
  good.server.read_until("</auth>");
  good.server.send("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + secret + "</challenge>");
  client.answer();
  client.ask(good.next("<message><body>" + secret + "</body></message>", "type='terminate'"));

  Session malformed = open();
  client.ask(malformed.next("<message>" + secret + "</iq>"));
  Session text = open();
  client.ask(text.next(secret));
  Session numbers = open();
  client.ask(numbers.next({}, "wait='" + secret + "'"));
  Session server = open();
  server.server.send("<message>" + secret + "</iq>");
  client.ask(server.next());
  Session error = open();
  error.server.send("<stream:error><x xmlns='urn:x'>" + secret + "</x></stream:error>");
  client.ask(error.next());
  client.ask(body_element("rid='1' sid='" + secret + "'"));
  client.send("GET /" + secret + " HTTP/1.1\r\nHost: a\r\nAuthorization: " + secret + "\r\n\r\n");
  client.answer();
  Session large = open();
  client.post(large.next("<message>" + secret + std::string(20000, ' ') + "</message>"));
  client.answer();

  for (Session* session : {&good, &malformed, &text, &numbers, &server, &error, &large})
    session->server.close();
  client.wire.close();
  bridge.daemon.signal(SIGTERM);
  BOOST_TEST(bridge.daemon.exit_status() == 0);
  const std::string log = bridge.daemon.log();
  for (const std::string& part : hidden) BOOST_TEST(!has(log, part), log);
  BOOST_TEST(bridge.daemon.log_lines("session-end").size() == hidden.size() - 1);
}

BOOST_AUTO_TEST_CASE(levels_filter_lines) {
  const FakeServer server;
  const Daemon daemon("upstream.server = \"" + server.address() + "\"\nlog.level = \"info\"");
  BOOST_TEST(daemon.log_lines(" debug ").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
