// TLS on both sides: which servers are trusted with a password, and how clients come by https and wss.
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/ssl.h>

#include <csignal>
#include <functional>

#include "tests/integration/client.hpp"
#include "tests/integration/web_client.hpp"

namespace integration {
namespace {

constexpr int tls_1_1 = TLS1_1_VERSION;
constexpr int tls_1_2 = TLS1_2_VERSION;
constexpr std::string_view proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view start_tls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view offers_tls =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><mechanisms "
    "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
constexpr std::string_view requires_tls =
    "<stream:features><starttls "
    "xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";

const Authority& authority() {
  static const Authority made;
  return made;
}

Claim for_names(std::string names) {
  Claim claim;
  claim.names = std::move(names);
  return claim;
}

std::string creation() {
  return body_element("rid='1' " + std::string(Session::usual));
}

/// A daemon of one domain whose server speaks TLS, and the server.
struct Secured {
  explicit Secured(std::string_view policy, bool direct = false, std::string_view more = {})
      : daemon("threads = 1\nproxy.trusted = []\nupstream.domains = [\"example.org\"]\nupstream.server = \"" +
               std::string(direct ? "tls://" : "") + server.address() + "\"\nupstream.tls = \"" +
               std::string(policy) + "\"\nupstream.ca = \"" + directory.write("ca.pem", authority().pem()) +
               "\"\n" + std::string(more)),
        client(daemon) {}

  /// Accepts the next connection, as far as the handshake.
  Wire accept(bool direct, const Identity& identity, std::string_view offer = offers_tls) const {
    Wire wire = server.accept();
    if (!direct) {
      read_stream_start(wire);
      wire.send(stream_start("plain") + std::string(offer));
      wire.read_until(start_tls);
      wire.send(proceed);
    }
    wire.accept_tls(identity);
    return wire;
  }

  TemporaryDirectory directory;
  FakeServer server;
  Daemon daemon;
  HttpClient client;
};

void open_stream(Wire& wire) {
  read_stream_start(wire);
  wire.send(stream_start() + std::string(features));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(upstream_tls)

// --- The matrix of certificates ---

struct Shown {
  const char* name;
  std::function<Identity()> make;
  bool good;
  const char* fault;  // in the log
};

std::ostream& operator<<(std::ostream& out, const Shown& shown) {
  return out << shown.name;
}

Identity below_an_authority_that_is_not_sent(bool sent) {
  const Authority middle("Middle", &authority());
  return middle.issue(for_names("DNS:example.org"), sent);
}

Claim expired() {
  Claim claim = for_names("DNS:example.org");
  claim.days_from = -10;
  claim.days_until = -1;
  return claim;
}

Claim common_name_only() {
  Claim claim;
  claim.common_name = "example.org";
  return claim;
}

const Shown certificates[] = {
    {"a DNS name", [] { return authority().issue(for_names("DNS:example.org")); }, true, ""},
    {"an SRV name", [] { return authority().issue(for_names(srv_name("_xmpp-client.example.org"))); }, true,
     ""},
    {"an XMPP address", [] { return authority().issue(for_names(xmpp_address("example.org"))); }, true, ""},
    {"a chain", [] { return below_an_authority_that_is_not_sent(true); }, true, ""},
    {"a broken chain", [] { return below_an_authority_that_is_not_sent(false); }, false, "unable to"},
    {"another name",
     [] { return authority().issue(for_names("DNS:localhost,DNS:xexample.org,DNS:*.example.org")); }, false,
     "is not for example.org"},
    {"a common name", [] { return authority().issue(common_name_only()); }, false, "is not for example.org"},
    {"expired", [] { return authority().issue(expired()); }, false, "expired"},
    {"self-signed", [] { return self_signed(for_names("DNS:example.org")); }, false, "self-signed"},
    {"of a service between servers",
     [] { return authority().issue(for_names(srv_name("_xmpp-server.example.org"))); }, false,
     "is not for example.org"},
};

const char* const policies[] = {"required", "opportunistic", "never"};

BOOST_DATA_TEST_CASE(U_045_U_047_U_056_U_057_U_059_every_certificate_under_every_policy,
                     boost::unit_test::data::make({false, true}) *
                         boost::unit_test::data::make(certificates) * boost::unit_test::data::make(policies),
                     direct, shown, policy) {
  const bool never = std::string_view(policy) == "never";
  if (direct && never) return;  // the configuration refuses that
  const Secured secured(policy, direct);
  HttpClient client(secured.daemon);
  client.post(creation());
  if (never) {
    Wire wire = secured.server.accept();
    read_stream_start(wire);
    wire.send(stream_start() + std::string(offers_tls));
    const std::string answer = said(client.answer());
    BOOST_TEST(has(answer, "PLAIN"), answer);
    BOOST_TEST(!has(answer, "starttls"), answer);
    return;
  }
  const bool trusted = shown.good || std::string_view(policy) == "opportunistic";
  if (trusted) {
    Wire wire = secured.accept(direct, shown.make());
    open_stream(wire);
    const std::string answer = said(client.answer());
    BOOST_TEST(has(answer, "ANONYMOUS"), answer);
    BOOST_TEST(!has(answer, "PLAIN"), answer);  // what was said before TLS is forgotten
    return;
  }
  try {
    Wire wire = secured.accept(direct, shown.make());
    BOOST_TEST(wire.read_to_end() == "");  // U-041: nothing is said to it
  } catch (const Failure&) {               // the alert came within the handshake
  }
  BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
  const std::string line = secured.daemon.wait_for_log("upstream-failed");
  BOOST_TEST(has(line, shown.fault), line);
  BOOST_TEST(has(line, "step=tls"), line);
  BOOST_TEST(has(line, "domain=example.org server=" + secured.server.address()), line);
  BOOST_TEST(has(secured.daemon.wait_for_log("session-end"), "reason=server-tls-failed"));
}

// --- STARTTLS ---

BOOST_AUTO_TEST_CASE(U_034_U_038_U_042_U_043_U_049_the_client_sees_the_encrypted_stream_only) {
  const Secured secured("required");
  HttpClient client(secured.daemon);
  client.post(creation());
  Wire wire = secured.accept(false, authority().issue(for_names("DNS:example.org")));
  BOOST_TEST(wire.server_name() == "example.org");
  BOOST_TEST(wire.protocol() == "");
  BOOST_TEST(has(read_stream_start(wire), "to='example.org'"));
  wire.send(stream_start("secret-1") +
            "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" +
            "<x xmlns='urn:x'/></stream:features>");
  const Response answer = client.answer();
  BOOST_TEST(root_attribute(answer.body, "authid") == "secret-1");
  BOOST_TEST(has(answer.body, "urn:x"));
  BOOST_TEST(!has(answer.body, "starttls"));  // U-039
  BOOST_TEST(!has(answer.body, "PLAIN"));
}

struct Refused {
  const char* says;  // the server, instead of TLS
  const char* why;
};

BOOST_AUTO_TEST_CASE(U_036_U_040_U_044_a_server_that_does_not_encrypt_gets_no_client) {
  const Refused cases[] = {
      {"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
       "</mechanisms></stream:features>",
       "offers no STARTTLS"},
      {"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>",
       "something else than <proceed/>"},
      {"<iq type='result'/>", "something else than <proceed/>"},
      {"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><stream:features/>", "plain text follows"},
      {"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\n", "plain text follows"},
      {"</stream:stream>", "something else than <proceed/>"},
  };
  for (const Refused& one : cases) BOOST_TEST_CONTEXT(one.says) {
      const Secured secured("required");
      HttpClient client(secured.daemon);
      client.post(creation());
      Wire wire = secured.server.accept();
      read_stream_start(wire);
      wire.send(stream_start());
      if (!std::string_view(one.says).starts_with("<stream:features>")) {
        wire.send(offers_tls);
        wire.read_until(start_tls);
      }
      wire.send(one.says);
      const Response answer = client.answer();
      BOOST_TEST(said(answer) == "terminate remote-connection-failed");
      BOOST_TEST(!has(answer.body, "PLAIN"));
      const std::string line = secured.daemon.wait_for_log("upstream-failed");
      BOOST_TEST(has(line, one.why), line);
    }
}

BOOST_AUTO_TEST_CASE(U_037_plain_text_where_TLS_should_be_ends_the_connection) {
  const Secured secured("required");
  HttpClient client(secured.daemon);
  client.post(creation());
  Wire wire = secured.server.accept();
  read_stream_start(wire);
  wire.send(stream_start() + std::string(offers_tls));
  wire.read_until(start_tls);
  wire.send(proceed);
  wire.read(5);  // of the ClientHello
  wire.send(stream_start() + std::string(features));
  BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
  BOOST_TEST(has(secured.daemon.wait_for_log("upstream-failed"), "step=tls"));
}

BOOST_AUTO_TEST_CASE(U_041_U_072_a_server_that_is_not_trusted_hears_nothing_and_the_client_no_details) {
  const Secured secured("required", true);
  HttpClient client(secured.daemon);
  client.post(creation());
  Wire wire = secured.server.accept();
  std::string heard;
  try {
    wire.accept_tls(authority().issue(for_names("DNS:other.example")));
    heard = wire.read_to_end();
  } catch (const Failure&) {
  }
  BOOST_TEST(heard == "");
  const Response answer = client.answer();
  BOOST_TEST(said(answer) == "terminate remote-connection-failed");
  BOOST_TEST(!has(answer.body, "certificate"));
}

BOOST_AUTO_TEST_CASE(U_046_a_server_of_old_versions_is_refused_and_one_of_TLS_1_2_is_not) {
  for (const auto& [version, good] : {std::pair(tls_1_1, false), std::pair(tls_1_2, true)}) {
    const Secured secured("required", true);
    HttpClient client(secured.daemon);
    client.post(creation());
    Wire wire = secured.server.accept();
    bool agreed = true;
    try {
      wire.accept_tls(authority().issue(for_names("DNS:example.org")), false, version);
    } catch (const Failure&) {
      agreed = false;
    }
    BOOST_TEST(agreed == good);
    if (!good) {
      BOOST_TEST(said(client.answer()) == "terminate remote-connection-failed");
      continue;
    }
    BOOST_TEST(has(std::string(SSL_get_cipher_name(wire.tls())), "ECDHE"));
    open_stream(wire);
    BOOST_TEST(has(said(client.answer()), "ANONYMOUS"));
  }
}

BOOST_AUTO_TEST_CASE(U_048_U_051_nothing_is_negotiated_anew_and_nothing_comes_early) {
  const Secured secured("required", true);
  HttpClient client(secured.daemon);
  client.post(creation());
  Wire wire = secured.server.accept();
  wire.accept_tls(authority().issue(for_names("DNS:example.org")), false, tls_1_2);
  BOOST_TEST(SSL_get_early_data_status(wire.tls()) != SSL_EARLY_DATA_ACCEPTED);
  BOOST_TEST(SSL_session_reused(wire.tls()) == 0);
  open_stream(wire);
  client.answer();
  SSL_renegotiate(wire.tls());
  SSL_do_handshake(wire.tls());
  BOOST_CHECK_THROW(wire.read_until("never"), Failure);  // boshd's alert, or the end
  BOOST_TEST(SSL_total_renegotiations(wire.tls()) <= 1);
  BOOST_TEST(SSL_is_init_finished(wire.tls()) == 0);
}

BOOST_AUTO_TEST_CASE(B_210_U_045_on_this_machine_TLS_is_used_when_the_server_wants_it) {
  const Secured secured("auto");
  HttpClient client(secured.daemon);
  client.post(creation());
  Wire wire = secured.accept(false, self_signed(for_names("DNS:whatever")), requires_tls);
  open_stream(wire);
  BOOST_TEST(has(said(client.answer()), "ANONYMOUS"));
  HttpClient other(secured.daemon);
  other.post(creation());
  Wire plain = secured.server.accept();
  read_stream_start(plain);
  plain.send(stream_start() + std::string(offers_tls));
  BOOST_TEST(has(said(other.answer()), "PLAIN"));
}

BOOST_AUTO_TEST_CASE(U_052_U_053_direct_TLS_names_the_domain_and_the_protocol) {
  const Secured secured("required", true);
  HttpClient client(secured.daemon);
  client.post(creation());
  Wire wire = secured.server.accept();
  wire.accept_tls(authority().issue(for_names("DNS:example.org")), true);
  BOOST_TEST(wire.server_name() == "example.org");
  BOOST_TEST(wire.protocol() == "xmpp-client");
  open_stream(wire);
  BOOST_TEST(has(said(client.answer()), "ANONYMOUS"));
}

BOOST_AUTO_TEST_CASE(U_054_U_055_a_server_without_ALPN_and_with_STARTTLS_inside_TLS_is_fine) {
  const Secured secured("required", true);
  HttpClient client(secured.daemon);
  client.post(creation());
  Wire wire = secured.accept(true, authority().issue(for_names("DNS:example.org")));
  read_stream_start(wire);
  wire.send(stream_start() + std::string(offers_tls));
  const std::string answer = said(client.answer());
  BOOST_TEST(has(answer, "PLAIN"), answer);
  BOOST_TEST(!has(answer, "starttls"), answer);
}

BOOST_AUTO_TEST_CASE(U_010_a_server_with_a_bad_certificate_is_passed_over_for_the_next) {
  const TemporaryDirectory directory;
  const FakeServer bad;
  const FakeServer good;
  const Daemon daemon(
      "threads = 1\nupstream.domains = [\"example.org\"]\nupstream.tls = \"required\"\nupstream.ca = \"" +
      directory.write("ca.pem", authority().pem()) + "\"\nupstream.server = [\"tls://" + bad.address() +
      "\", \"" + good.address() + "\"]");
  HttpClient client(daemon);
  client.post(creation());
  Wire first = bad.accept();
  BOOST_CHECK_THROW(
      {
        first.accept_tls(self_signed(for_names("DNS:example.org")));
        first.read(1);
      },
      Failure);
  Wire second = good.accept();
  read_stream_start(second);
  second.send(stream_start() + std::string(offers_tls));
  second.read_until(start_tls);
  second.send(proceed);
  second.accept_tls(authority().issue(for_names("DNS:example.org")));
  open_stream(second);
  BOOST_TEST(has(said(client.answer()), "ANONYMOUS"));
  BOOST_TEST(has(daemon.wait_for_log("upstream-next"), "step=tls"));
}

BOOST_AUTO_TEST_CASE(U_044_a_server_that_offers_no_TLS_is_passed_over_for_the_next) {
  const TemporaryDirectory directory;
  const FakeServer bad;
  const FakeServer good;
  const Daemon daemon(
      "threads = 1\nupstream.domains = [\"example.org\"]\nupstream.tls = \"required\"\nupstream.ca = \"" +
      directory.write("ca.pem", authority().pem()) + "\"\nupstream.server = [\"" + bad.address() +
      "\", \"tls://" + good.address() + "\"]");
  HttpClient client(daemon);
  client.post(creation());
  Wire first = bad.accept();
  read_stream_start(first);
  first.send(stream_start() + std::string(features));
  Wire second = good.accept();
  second.accept_tls(authority().issue(for_names("DNS:example.org")));
  open_stream(second);
  BOOST_TEST(has(said(client.answer()), "ANONYMOUS"));
}

BOOST_AUTO_TEST_CASE(U_099_U_100_the_end_of_an_encrypted_stream_is_told_by_TLS_too) {
  const Secured secured("required", true);
  HttpClient client(secured.daemon);
  client.post(creation());
  Wire wire = secured.accept(true, authority().issue(for_names("DNS:example.org")));
  open_stream(wire);
  const std::string sid = root_attribute(client.answer().body, "sid");
  client.ask(body_element("rid='2' type='terminate' sid='" + sid + "'"));
  wire.read_until(stream_end);
  wire.send(stream_end);
  BOOST_TEST(wire.read_to_end() == "");
  BOOST_TEST((SSL_get_shutdown(wire.tls()) & SSL_RECEIVED_SHUTDOWN) != 0);
}

BOOST_AUTO_TEST_SUITE_END()

// --- Clients ---

BOOST_AUTO_TEST_SUITE(https)

/// A daemon with https and wss, for two names.
struct Served {
  explicit Served(std::string_view more = {})
      : one(authority().issue(for_names("DNS:one.example"))),
        two(authority().issue(for_names("DNS:two.example,DNS:*.two.example"))),
        bridge("listen.tls = true\nsession.polling = \"0s\"\n" + std::string(more) + "\ntls.certificate = [" +
               entry("one", one) + ", " + entry("two", two) + "]") {}

  std::string entry(const std::string& name, const Identity& identity) const {
    return "{ chain = \"" + directory.write(name + ".pem", identity.chain) + "\", key = \"" +
           directory.write(name + ".key", identity.key) + "\" }";
  }
  HttpClient connect(const std::string& name = "one.example") const {
    HttpClient client(bridge.daemon);
    client.wire.start_tls({.ca = authority().pem(), .name = name});
    return client;
  }

  TemporaryDirectory directory;
  Identity one;
  Identity two;
  Bridge bridge;
};

BOOST_AUTO_TEST_CASE(X_066_a_session_lives_over_https) {
  Served served;
  HttpClient client = served.connect();
  Session session(served.bridge, client);
  client.post(session.next(message(1)));
  BOOST_TEST(read_message(session.server) == message(1));
  session.server.send(message(2));
  BOOST_TEST(said(client.answer()) == message(2));
  const std::string large = "<message id='3'><body>" + std::string(300'000, 'x') + "</body></message>";
  client.post(session.next());
  session.server.send(large);
  BOOST_TEST((said(client.answer()) == large));
}

BOOST_AUTO_TEST_CASE(a_name_gets_its_certificate) {
  const Served served;
  for (const auto* name : {"one.example", "two.example", "TWO.example", "x.two.example"})
    served.connect(name);
  BOOST_CHECK_THROW(served.connect("three.example"), Failure);  // gets the first, which is not its own
  BOOST_CHECK_THROW(served.connect("x.y.two.example"), Failure);
}

BOOST_AUTO_TEST_CASE(browsers_are_told_which_protocol_it_is) {
  const Served served;
  for (const auto* offer : {"\x08http/1.1", "\x02h2\x08http/1.1"}) {
    HttpClient client(served.bridge.daemon);
    client.wire.start_tls({.ca = authority().pem(), .name = "one.example", .protocols = offer});
    BOOST_TEST(client.wire.protocol() == "http/1.1");
  }
}

BOOST_AUTO_TEST_CASE(B_207_B_208_a_session_that_began_by_https_is_not_spoken_to_by_http) {
  const TemporaryDirectory directory;
  const Identity identity = authority().issue(for_names("DNS:one.example"));
  const FakeServer server;
  const Daemon daemon("threads = 1\nproxy.trusted = []\nupstream.server = \"" + server.address() +
                      "\"\nlisten.tls = true\ntls.certificate = [{ chain = \"" +
                      directory.write("c", identity.chain) + "\", key = \"" +
                      directory.write("k", identity.key) +
                      "\" }]\n[[listen]]\naddress = \"unix:" + directory.path("http") + "\"\n");
  HttpClient client(daemon);
  client.wire.start_tls(TlsClient{});
  client.post(creation());
  Wire wire = server.accept();
  open_stream(wire);
  const std::string sid = root_attribute(client.answer().body, "sid");
  const std::string next = body_element("rid='2' sid='" + sid + "'", message(1));
  HttpClient plain(daemon);
  daemon.wait_for_log("listening address=unix:");
  plain.wire = Wire::connect(directory.path("http"));
  plain.post(next);
  BOOST_TEST(plain.wire.read_to_end() == "");
  client.post(next);
  BOOST_TEST(read_message(wire) == message(1));
}

BOOST_AUTO_TEST_CASE(plain_HTTP_and_garbage_on_an_https_port_harm_nobody) {
  Served served;
  for (const std::string& start :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string(100'000, '\x16'),
        std::string("\x16\x03\x01\x02\x00\x01", 6), std::string()}) {
    HttpClient client(served.bridge.daemon);
    try {
      client.send(start);
    } catch (const Failure&) {  // cut off before all was sent
    }
    client.wire.finish();
    client.wire.read_to_end();
  }
  HttpClient client = served.connect();
  Session session(served.bridge, client);
}

BOOST_AUTO_TEST_CASE(old_versions_of_TLS_are_refused) {
  const Served served;
  HttpClient client(served.bridge.daemon);
  BOOST_CHECK_THROW(client.wire.start_tls(TlsClient{.ca = {}, .max_version = tls_1_1}), Failure);
  HttpClient newer(served.bridge.daemon);
  newer.wire.start_tls(TlsClient{.ca = {}, .max_version = tls_1_2});
  const Served strict("tls.min_version = \"1.3\"");
  HttpClient refused(strict.bridge.daemon);
  BOOST_CHECK_THROW(refused.wire.start_tls(TlsClient{.ca = {}, .max_version = tls_1_2}), Failure);
}

BOOST_AUTO_TEST_CASE(a_renewed_certificate_serves_new_connections_and_drops_none) {
  Served served;
  HttpClient client = served.connect();
  Session session(served.bridge, client);
  session.hold(client);
  const Authority newer("Newer");
  const Identity renewed = newer.issue(for_names("DNS:one.example"));
  served.directory.write("one.pem", renewed.chain);
  served.bridge.daemon.signal(SIGHUP);  // the key is still the old one
  BOOST_TEST(has(served.bridge.daemon.wait_for_log("reload-failed"), "one.key"));
  HttpClient still = served.connect();
  served.directory.write("one.key", renewed.key);
  served.bridge.daemon.signal(SIGHUP);
  served.bridge.daemon.wait_for_log("reloaded");
  const auto gets_the_new_one = [&] {
    HttpClient fresh(served.bridge.daemon);
    try {
      fresh.wire.start_tls({.ca = newer.pem(), .name = "one.example"});
      return true;
    } catch (const Failure&) {
      return false;
    }
  };
  BOOST_TEST(gets_the_new_one());
  session.server.send(message(7));
  BOOST_TEST(said(client.answer()) == message(7));
  still.post(session.next(message(8)));
  BOOST_TEST(read_message(session.server) == message(8));
}

BOOST_AUTO_TEST_CASE(the_log_tells_when_certificates_expire) {
  const Served served;
  const std::string line = served.bridge.daemon.wait_for_log("two.pem");
  BOOST_TEST(has(line, "names=two.example,*.two.example"), line);
  BOOST_TEST(has(line, "expires_in_days=29"), line);
}

struct WrongFile {
  std::string chain, key, place, why;
  int status = 2;
};

/// What is wrong with certificates, each as boshd must tell it.
std::vector<WrongFile> wrong_files(const TemporaryDirectory& directory) {
  const Identity one = authority().issue(for_names("DNS:a"));
  const std::string chain = directory.write("chain", one.chain);
  const std::string key = directory.write("key", one.key);
  const std::string other = directory.write("other", authority().issue(for_names("DNS:a")).key);
  const std::string garbage = directory.write("garbage", "no certificate");
  const std::string locked = directory.write(
      "locked", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n");
  const std::string folder = directory.path("");
  const std::string at_chain = ":5: tls.certificate.chain: ";
  const std::string at_key = ":6: tls.certificate.key: ";
  return {
      {garbage, key, at_chain + garbage, "no certificate chain can be read"},
      {chain, garbage, at_key + garbage, "no private key can be read"},
      {chain, locked, at_key + locked, "without a password"},
      {chain, other, at_key + other, "is not the key of the certificate in " + chain},
      {directory.path("none"), key, at_chain + directory.path("none"), "No such file", 1},
      {chain, folder, at_key + folder, "Is a directory; name a file that the user boshd runs as may read", 1},
  };
}

std::string with_certificate(const std::string& chain, const std::string& key) {
  return "[[listen]]\naddress = \"127.0.0.1:0\"\ntls = true\n[[tls.certificate]]\nchain = \"" + chain +
         "\"\nkey = \"" + key + "\"\n";
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_certificate_is_told_with_its_place_in_the_configuration) {
  const TemporaryDirectory directory;
  for (const WrongFile& wrong : wrong_files(directory)) {
    const std::string file = directory.write("boshd.toml", with_certificate(wrong.chain, wrong.key));
    for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"--check"}}) {
      std::vector<std::string> arguments{"--config", file};
      arguments.insert(arguments.end(), options.begin(), options.end());
      const Outcome outcome = run_boshd(arguments);
      BOOST_TEST(outcome.status == wrong.status, outcome.err);
      BOOST_TEST(has(outcome.err, file + wrong.place + ": "), outcome.err);
      BOOST_TEST(has(outcome.err, wrong.why), outcome.err);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_file_of_authorities_is_checked_too) {
  const TemporaryDirectory directory;
  const std::string garbage = directory.write("garbage", "no certificate");
  const std::string none = directory.path("none");
  struct Case {
    std::string ca;
    int status;
    const char* why;
  };
  for (const Case& c :
       {Case{garbage, 2, "no certificates can be read"}, Case{none, 1, "can't be read: No such file"}}) {
    const std::string file = directory.write(
        "boshd.toml", "[upstream]\n[upstream.domain.\"example.org\"]\nca = \"" + c.ca + "\"\n");
    const Outcome outcome = run_boshd({"--config", file, "--check"});
    BOOST_TEST(outcome.status == c.status);
    BOOST_TEST(has(outcome.err, file + ":3: upstream.domain.\"example.org\".ca: " + c.ca + ": " + c.why),
               outcome.err);
  }
}

// A start goes on with it: other listeners and the way back to a good one matter more.
BOOST_AUTO_TEST_CASE(an_expired_certificate_is_an_error_and_serves_on) {
  const TemporaryDirectory directory;
  const Identity old = authority().issue(upstream_tls::expired());
  const std::string text =
      with_certificate(directory.write("chain", old.chain), directory.write("key", old.key));
  const std::string file = directory.write("boshd.toml", text);
  const Outcome outcome = run_boshd({"--config", file, "--check"});
  BOOST_TEST(outcome.status == 2);
  BOOST_TEST(has(outcome.err, file + ":5: tls.certificate.chain: "), outcome.err);
  BOOST_TEST(has(outcome.err, "the certificate has expired on "), outcome.err);
  BOOST_TEST(has(outcome.err, "renew it"), outcome.err);
  Process process({"--config", file});
  BOOST_TEST(has(process.err.wait_for_line("certificate-useless"), "has expired on "));
  process.err.wait_for_line("listening address=");
  process.signal(SIGTERM);
  BOOST_TEST(process.exit_status() == 0);
}

BOOST_AUTO_TEST_CASE(a_WebSocket_lives_over_wss) {
  Served served;
  HttpClient http = served.connect();
  http.send(WebClient::request());
  BOOST_TEST(http.wire.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  http.send(client_frame(0x81, web_open));
  Wire server = served.bridge.server.accept();
  open_stream(server);
  BOOST_TEST(has(http.wire.read_until("</stream:features>"), "ANONYMOUS"));
  http.send(client_frame(0x81, message(1)));
  BOOST_TEST(read_message(server) == message(1));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace integration
