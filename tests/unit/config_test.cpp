// The configuration: defaults, every key, and what a mistake is told as.
#include "src/config.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "src/config_text.hpp"

namespace boshd {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

Config read(std::string_view toml) {
  return read_config(toml, "boshd.toml");
}

/// What a configuration is refused with; empty when it is not.
std::string refusal(std::string_view toml) {
  try {
    read(toml);
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

/// Checks that a configuration is refused at a line and that the message has all of some parts.
void refused(std::string_view toml, int line, std::initializer_list<std::string_view> parts) {
  const auto message = refusal(toml);
  BOOST_TEST_CONTEXT(toml << "\n→ " << message) {
    BOOST_TEST(message.starts_with("boshd.toml:" + std::to_string(line) + ": "));
    for (const auto part : parts) BOOST_TEST((message.find(part) != std::string::npos), part);
  }
}

std::string upstream_with(std::string_view server) {
  return "[upstream]\nserver = " + quoted(server);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(an_empty_file_is_the_default) {
  BOOST_TEST((read("") == Config{}));
  BOOST_TEST((read("# nothing\n\n[session]\n[upstream]\n") == Config{}));
}

BOOST_AUTO_TEST_CASE(the_sample_has_every_key_at_its_default) {
  const std::string path = BOSHD_SOURCE_DIR "/etc/boshd.toml";
  BOOST_TEST((read_config_file(path) == Config{}));
  std::ifstream file(path);
  const std::string sample{std::istreambuf_iterator<char>(file), {}};
  const auto keys = dump_config(Config{});
  for (std::size_t at = 0; at < keys.size(); at = keys.find('\n', at) + 1) {
    const auto line = "\n" + keys.substr(at, keys.find('\n', at) - at);
    BOOST_TEST((sample.find(line) != std::string::npos), "missing:" << line);
  }
}

BOOST_AUTO_TEST_CASE(every_key_is_read) {
  const auto c = read(R"(
node = "n2"
threads = 4
[[listen]]
address = "[::1]:0"
bosh_path = "/bosh/"
websocket_path = "/ws/"
script_syntax = true
[[listen]]
address = "0.0.0.0:80"
[proxy]
trusted = ["10.0.0.0/8", "2001:db8::1"]
[cors]
origins = ["https://Chat.Example.org", "http://localhost:8000"]
[session]
wait = "2m"
hold = 1
inactivity = "1h"
polling = "0s"
max_pause = "0s"
streams = 1
[websocket]
ping = "10s"
stall_timeout = "7s"
compression = true
see_other_uri = "wss://two.example/ws"
[discovery]
bosh_url = "https://x.example/bosh"
websocket_url = "wss://x.example/ws"
[limits]
max_request = 10000
max_stanza = "2 MiB"
max_depth = 8
max_header = "8KiB"
upstream_queue = "1 GiB"
client_queue = "4096 B"
response_cache = "1 MiB"
gzip_above = "0 B"
request_timeout = "1s"
idle_timeout = "2000ms"
authentication_timeout = "1m"
sessions = 7
memory = "1 GiB"
sessions_per_address = 0
new_sessions_per_second = 3
requests_per_second = 4
login_failures = 5
[tls]
min_version = "1.3"
[[tls.certificate]]
chain = "/etc/c.pem"
key = "/etc/k.pem"
[upstream]
server = ["xmpp.example.org", "tls://b.example.org"]
domains = ["Example.ORG", "b.example.", "*.C.example"]
any = true
routes = ["r.example:5222"]
allow_networks = ["10.0.0.0/8"]
nameservers = ["192.0.2.53", "[::1]:5353", "2001:db8::53"]
connect_timeout = "5s"
connects = 9
tls = "required"
ca = "/etc/ca.pem"
proxy_protocol = "v2"
query = ["token"]
[upstream.domain."Own.Example"]
server = "unix:/run/xmpp.sock"
tls = "never"
proxy_protocol = "v1"
query = []
[upstream.domain."*.third"]
server = "[2001:db8::1]:5223"
ca = ""
[log]
level = "debug"
)");
  BOOST_TEST(c.node == "n2");
  BOOST_TEST(c.threads == 4U);
  BOOST_TEST_REQUIRE(c.listen.size() == 2U);
  BOOST_TEST(
      (c.listen[0] ==
       Listen{
           .host = "::1", .port = 0, .bosh_path = "/bosh", .websocket_path = "/ws", .script_syntax = true}));
  BOOST_TEST((c.listen[1] == Listen{.host = "0.0.0.0", .port = 80, .bosh_path = "/http-bind"}));
  BOOST_TEST((c.proxy.trusted == std::vector{*parse_network("10.0.0.0/8"), *parse_network("2001:db8::1")}));
  BOOST_TEST((c.cors.origins == std::vector{"https://chat.example.org"s, "http://localhost:8000"s}));
  BOOST_TEST(
      (c.session ==
       SessionSettings{
           .wait = 120s, .hold = 1, .inactivity = 3600s, .polling = 0s, .max_pause = 0s, .streams = 1}));
  BOOST_TEST(
      (c.websocket ==
       WebSocketSettings{
           .ping = 10s, .stall_timeout = 7s, .compression = true, .see_other_uri = "wss://two.example/ws"}));
  BOOST_TEST((c.discovery == DiscoverySettings{.bosh_url = "https://x.example/bosh",
                                               .websocket_url = "wss://x.example/ws"}));
  const LimitSettings limits{.max_request = 10000,
                             .max_stanza = 2 << 20,
                             .max_depth = 8,
                             .max_header = 8192,
                             .upstream_queue = 1 << 30,
                             .client_queue = 4096,
                             .response_cache = 1 << 20,
                             .gzip_above = 0,
                             .request_timeout = 1s,
                             .idle_timeout = 2s,
                             .authentication_timeout = 60s,
                             .sessions = 7,
                             .memory = 1 << 30,
                             .sessions_per_address = 0,
                             .new_sessions_per_second = 3,
                             .requests_per_second = 4,
                             .login_failures = 5};
  BOOST_TEST((c.limits == limits));
  BOOST_TEST((c.tls == TlsSettings{.certificates = {{"/etc/c.pem", "/etc/k.pem"}}, .only_13 = true}));
  const Servers usual{.list = {{.host = "xmpp.example.org", .port = 5222},
                               {.host = "b.example.org", .port = 5223, .direct_tls = true}},
                      .tls = UpstreamTls::required,
                      .ca = "/etc/ca.pem",
                      .proxy_protocol = ProxyHeader::v2,
                      .query = {"token"}};
  Servers own = usual;
  own.list = {{.host = "", .port = 0, .unix_path = "/run/xmpp.sock"}};
  own.tls = UpstreamTls::never;
  own.proxy_protocol = ProxyHeader::v1;
  own.query = {};
  Servers third = usual;  // what a domain does not say is as for all
  third.list = {{.host = "2001:db8::1", .port = 5223}};
  third.ca = "";
  const Upstream upstream{.usual = usual,
                          .domains = {"example.org", "b.example", "*.c.example"},
                          .own = {{"own.example", own}, {"*.third", third}},
                          .any = true,
                          .routes = {{.host = "r.example", .port = 5222}},
                          .allow_networks = {*parse_network("10.0.0.0/8")},
                          .nameservers = {"192.0.2.53:53", "[::1]:5353", "[2001:db8::53]:53"},
                          .connect_timeout = 5s,
                          .connects = 9};
  BOOST_TEST((c.upstream == upstream));
  BOOST_TEST((c.log.level == LogLevel::debug));
  BOOST_TEST((read(dump_config(c)) == c));
}

BOOST_AUTO_TEST_CASE(what_is_dumped_is_read_again) {
  BOOST_TEST((read(dump_config(Config{})) == Config{}));
  auto c = Config{};
  c.cors.origins = {};
  c.proxy.trusted = {};
  c.limits.max_request = 10001;
  c.upstream.usual.list = {{.host = "", .port = 0, .unix_path = "/tmp/a \"b\\\n\x7fü"}};
  BOOST_TEST((read(dump_config(c)) == c));
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_named_with_the_nearest) {
  BOOST_TEST(refusal("[session]\ninactvity = \"90s\"") ==
             "boshd.toml:2: unknown key 'session.inactvity'; did you mean 'inactivity'? "
             "Allowed here: wait, hold, inactivity, polling, max_pause, streams");
  BOOST_TEST(refusal("colour = 1") ==
             "boshd.toml:1: unknown key 'colour'. "
             "Allowed here: node, threads, listen, tls, proxy, cors, session, websocket, discovery, limits, "
             "upstream, metrics, control, stop, log");
  refused("\n\n[sesion]\n", 3, {"'sesion'", "'session'"});
  refused("[[listen]]\naddress = \"127.0.0.1:80\"\n[[listen]]\nadress = \"127.0.0.1:81\"", 4,
          {"'listen.adress'", "'address'", "bosh_path"});
  refused("[upstream.domain.\"a.example\"]\nserver = \"[::1]\"\nport = 5", 3,
          {"'upstream.domain.\"a.example\".port'", "Allowed here: server"});
  refused("[log]\nb = 1\na = 1", 2, {"'log.b'"});
  refused("[log]\n\"two words\\u0007\" = 1", 2, {R"('log."two words\u0007"')"});
  refused("[session]\nWait = \"60s\"", 2, {"did you mean 'wait'"});
  refused("[upstream]\ndomian = []", 2, {"did you mean 'domain'"});
}

BOOST_AUTO_TEST_CASE(broken_toml_is_told_with_its_line) {
  refused("node = \"a\"\nnode = \"b\"", 2, {"node"});
  refused("[log]\nlevel = info", 2, {"column"});
  refused("[log\n", 1, {});
  refused("[log]\n[log]\n", 2, {});
  refused("node = \"\xff\"", 1, {});
}

BOOST_AUTO_TEST_CASE(a_wrong_type_is_told_with_what_is_allowed) {
  refused("node = 2", 1, {"node must be", "such as \"n2\"", "found 2"});
  refused("threads = \"4\"", 1, {"threads must be a whole number from 0 to 64; found \"4\""});
  refused("threads = 1.5", 1, {"found a number with a fraction"});
  refused("session = 1", 1, {"session must be a table, written as [session]; found 1"});
  refused("[listen]\naddress = \"127.0.0.1:80\"", 1,
          {"listen must be written as [[listen]]", "found a table"});
  refused("listen = []", 1, {"[[listen]]", "found a list"});
  refused("listen = [1]", 1, {"[[listen]]"});
  refused("[cors]\norigins = \"*\"", 2, {"cors.origins must be a list in brackets", "found \"*\""});
  refused("[cors]\norigins = [\n  \"https://a.example\",\n  true]", 4,
          {"each entry of cors.origins", "found true"});
  refused("[upstream]\ndomain = 1", 2, {"[upstream.domain.name]"});
  refused("[upstream]\ndomain.x = 1", 2, {"upstream.domain.\"x\"", "a table"});
  refused("[log]\nlevel = 2026-11-20", 2, {"found a date or time"});
}

BOOST_AUTO_TEST_CASE(times_are_whole_seconds_within_bounds) {
  for (const auto right : {"1s", "600s", "10m", "60 s", "2000ms", "060s"}) {
    BOOST_TEST(refusal("[session]\nwait = \""s + right + "\"") == "");
  }
  for (const auto wrong : {"\"0s\"", "\"601s\"", "\"11m\"", "\"500ms\"", "\"1500ms\"", "\"60\"", "\"60  s\"",
                           "\"s\"", "\"\"", "\"-1s\"", "\"+1s\"", "\"1.5s\"", "\"60sec\"", "\"60S\"",
                           "\" 60s\"", "60", "\"99999999999999999999s\"", "\"4294967295h\"", "00:01:00"}) {
    refused(
        "[session]\nwait = "s + wrong, 2,
        {R"(session.wait must be a time in whole seconds from "1s" to "600s")", R"(such as "60s"; found )"});
  }
}

BOOST_AUTO_TEST_CASE(W_031_U_094_sizes_have_units_or_are_bytes) {
  for (const auto right : {"10000", "\"10000 B\"", "\"10 KiB\"", "\"10KiB\"", "\"64 MiB\"", "67108864"}) {
    BOOST_TEST(refusal("[limits]\nmax_request = "s + right) == "");
  }
  for (const auto wrong : {"9999", "67108865", "-1", "\"256\"", "\"256 kB\"", "\"256 KB\"", "\"256 kib\"",
                           "\"KiB\"", "\"1.5 MiB\"", "\"1 GiB\"", "\"4294967295 GiB\"", "1.0", "[]"}) {
    refused(
        "[limits]\nmax_request = "s + wrong, 2,
        {R"(limits.max_request must be a size from "10000 B" to "64 MiB")", R"(such as "256 KiB"; found )"});
  }
}

BOOST_AUTO_TEST_CASE(every_number_has_bounds) {
  struct Case {
    std::string table, key, below, least, most, above;
  };
  const Case cases[] = {
      {"", "threads", "-1", "0", "64", "65"},
      {"session", "hold", "0", "1", "8", "9"},
      {"session", "inactivity", "\"0s\"", "\"3s\"", "\"3600s\"", "\"3601s\""},
      {"session", "polling", "\"-1s\"", "\"0s\"", "\"60s\"", "\"61s\""},
      {"limits", "max_stanza", "9999", "10000", "\"64 MiB\"", "67108865"},
      {"limits", "max_depth", "7", "8", "1000", "1001"},
      {"limits", "max_header", "8191", "\"8 KiB\"", "\"64 KiB\"", "65537"},
      {"limits", "upstream_queue", "4095", "\"4 KiB\"", "\"1 GiB\"", "1073741825"},
      {"limits", "client_queue", "4095", "\"4 KiB\"", "\"1 GiB\"", "1073741825"},
      {"limits", "response_cache", "4095", "\"4 KiB\"", "\"64 MiB\"", "67108865"},
      {"limits", "request_timeout", "\"0s\"", "\"1s\"", "\"600s\"", "\"601s\""},
      {"limits", "idle_timeout", "\"0s\"", "\"1s\"", "\"24h\"", "\"86401s\""},
      {"upstream", "connect_timeout", "\"0s\"", "\"1s\"", "\"300s\"", "\"301s\""},
  };
  for (const auto& c : cases) {
    const auto start = (c.table.empty() ? "\n" : "[" + c.table + "]\n") + c.key + " = ";
    for (const auto& right : {c.least, c.most}) BOOST_TEST(refusal(start + right) == "", start + right);
    for (const auto& wrong : {c.below, c.above}) refused(start + wrong, 2, {c.key + " must be", "found"});
  }
}

BOOST_AUTO_TEST_CASE(polling_is_shorter_than_inactivity) {
  refused("[session]\npolling = \"5s\"\ninactivity = \"5s\"", 2, {"session.polling must be shorter than"});
  refused("\n[session]\ninactivity = \"1s\"", 2, {"session.polling must be shorter than"});
}

BOOST_AUTO_TEST_CASE(node_labels) {
  for (const auto right : {"", "a", "n2", "0123456789abcdef"})
    BOOST_TEST(read("node = \""s + right + "\"").node == right);
  for (const auto wrong : {"N2", "n-2", "n_2", "n 2", "é", "0123456789abcdefg"}) {
    refused("node = \""s + wrong + "\"", 1, {"node must be", "1 to 16 of a-z and 0-9"});
  }
}

BOOST_AUTO_TEST_CASE(listen_addresses) {
  for (const auto wrong : {"", "127.0.0.1", "localhost:80", ":80", "*:80", "::1:80", "[::1]",
                           "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:", "127.0.0.1:80x", "[127.0.0.1]:80",
                           "127.0.0.1:80:80", "[::1]80", "[::1%lo]:80", "[::1:80", "unix:x"}) {
    refused("[[listen]]\naddress = \""s + wrong + "\"", 2, {"listen.address must be", "\"[::]:5280\""});
  }
  refused("[[listen]]\naddress = \"[::1]:80\"\n[[listen]]\naddress = \"[0::1]:80\"", 1, {"an address twice"});
  BOOST_TEST(refusal("[[listen]]\naddress = \"[::1]:0\"\n[[listen]]\naddress = \"[::1]:0\"") == "");
  BOOST_TEST(refusal("[[listen]]\naddress = \"[::1]:80\"\n[[listen]]\naddress = \"127.0.0.1:80\"") == "");
}

BOOST_AUTO_TEST_CASE(paths) {
  const auto path = [](const std::string& text) {
    return read("[[listen]]\nbosh_path = " + quoted(text)).listen.at(0).bosh_path;
  };
  BOOST_TEST(path("/http-bind/") == "/http-bind");
  BOOST_TEST(path("/") == "/");
  BOOST_TEST(path("/a/b_c.d~e") == "/a/b_c.d~e");
  for (const auto& wrong :
       {""s, "http-bind"s, "/a?b"s, "/a#b"s, "/a b"s, "/%41"s, "/é"s, "/\n"s, "/" + std::string(200, 'x')}) {
    refused("[[listen]]\nbosh_path = " + quoted(wrong), 2, {"listen.bosh_path must be a path"});
  }
}

BOOST_AUTO_TEST_CASE(D_003_only_secure_addresses_are_told_to_clients) {
  BOOST_TEST(refusal("[discovery]\nbosh_url = \"https://a.example/b\"") == "");
  refused("[discovery]\nbosh_url = \"http://a.example/b\"", 2,
          {"discovery.bosh_url must begin with https://"});
  refused("[discovery]\nwebsocket_url = \"ws://a.example/b\"", 2,
          {"discovery.websocket_url must begin with wss://"});
  for (const auto wrong : {"a.example", "ftp://a.example/", "wss://a b", "wss://a'b", "wss://a\\\\b"})
    refused("[discovery]\nwebsocket_url = \""s + wrong + "\"", 2, {"discovery.websocket_url must be"});
}

BOOST_AUTO_TEST_CASE(proxies) {
  for (const auto wrong : {"", "10.0.0.0/33", "10.1.2.3/8", "proxy.example", "*", "[::1]", "127.0.0.1:80"}) {
    refused("[proxy]\ntrusted = [\"::1\",\n\""s + wrong + "\"]", 3,
            {"each entry of proxy.trusted must be an IP"});
  }
  BOOST_TEST(read("[proxy]\ntrusted = []").proxy.trusted.empty());
}

BOOST_AUTO_TEST_CASE(origins) {
  const auto origin = [](const std::string& text) {
    return read("[cors]\norigins = [\"" + text + "\"]").cors.origins.at(0);
  };
  BOOST_TEST(origin("*") == "*");
  BOOST_TEST(origin("HTTPS://Chat.Example") == "https://chat.example");
  BOOST_TEST(origin("https://chat.example:443") == "https://chat.example");
  BOOST_TEST(origin("http://chat.example:80") == "http://chat.example");
  BOOST_TEST(origin("http://chat.example:443") == "http://chat.example:443");
  BOOST_TEST(origin("http://[::1]:8000") == "http://[::1]:8000");
  BOOST_TEST(origin("capacitor://localhost") == "capacitor://localhost");
  for (const auto wrong : {"", "null", "chat.example", "https://", "https://chat.example/", "https://a/b",
                           "//a", "https://*.example", "https://u@a", "https://a:0", "https://a:x", "1x://a",
                           "https://a?b", "https://::1", "https://a,https://b"}) {
    refused("[cors]\norigins = [\""s + wrong + "\"]", 2,
            {"each entry of cors.origins must be \"*\" or an origin"});
  }
  refused("[cors]\norigins = [\"*\", \"https://a.example\"]", 2,
          {"cors.origins must not list others beside \"*\""});
}

BOOST_AUTO_TEST_CASE(servers) {
  const auto server = [](const std::string& text) {
    return read(upstream_with(text)).upstream.usual.list.at(0);
  };
  BOOST_TEST((server("127.0.0.1:15222") == Server{"127.0.0.1", 15222, ""}));
  BOOST_TEST((server("XMPP.example.org") == Server{"xmpp.example.org", 5222, ""}));
  BOOST_TEST((server("[::1]") == Server{"::1", 5222, ""}));
  BOOST_TEST((server("[2001:db8::1]:5269") == Server{"2001:db8::1", 5269, ""}));
  BOOST_TEST((server("my_prosody:5222") == Server{"my_prosody", 5222, ""}));
  BOOST_TEST((server("unix:/run/x y.sock") == Server{"", 0, "/run/x y.sock"}));
  for (const auto& wrong : {""s,
                            ":5222"s,
                            "a:0"s,
                            "a:65536"s,
                            "a:"s,
                            "a:b"s,
                            "::1"s,
                            "::1:5222"s,
                            "[::1"s,
                            "[::1]:"s,
                            "[::1]x"s,
                            "[a]:1"s,
                            "a b"s,
                            "-a"s,
                            "a..b"s,
                            "a/b"s,
                            "unix:"s,
                            "unix:x"s,
                            "unix:/" + std::string(107, 'x'),
                            std::string(64, 'x'),
                            "tcp://a:1"s}) {
    refused(upstream_with(wrong), 2, {"upstream.server must be a server", "unix:/run/xmpp.sock"});
  }
}

BOOST_AUTO_TEST_CASE(domains) {
  for (const auto right :
       {"a", "a.example", "xn--mnchen-3ya.example", "münchen.example", "1.2", "A.Example."}) {
    BOOST_TEST(refusal("[upstream]\ndomains = [\""s + right + "\"]") == "");
  }
  for (const auto& wrong : {""s, "."s, "a..b"s, ".a"s, "a b"s, "a@b"s, "a/b"s, "-a.b"s, "a-.b"s, "a_b"s, "*"s,
                            "a:1"s, std::string(64, 'x'), "a.b.."s}) {
    refused("[upstream]\ndomains = [\"" + wrong + "\"]", 2,
            {"each entry of upstream.domains must be a domain name"});
    refused("[upstream.domain.\"" + wrong + "\"]\nserver = \"[::1]\"", 1,
            {"must be a domain name", "upstream.domain."});
  }
  refused("[upstream.domain.\"A.B\"]\nserver = \"[::1]\"\n[upstream.domain.\"a.b\"]\nserver = \"[::1]\"", 3,
          {"twice"});
}

BOOST_AUTO_TEST_CASE(servers_that_speak_TLS_at_once_and_those_that_DNS_names) {
  const auto list = [](const std::string& value) {
    return read("[upstream]\nany = true\nserver = " + value).upstream.usual.list;
  };
  BOOST_TEST((list(R"("tls://A.example")") ==
              std::vector{Server{.host = "a.example", .port = 5223, .direct_tls = true}}));
  BOOST_TEST((list(R"(["a", "tls://b:443"])") ==
              std::vector{Server{.host = "a"}, Server{.host = "b", .port = 443, .direct_tls = true}}));
  BOOST_TEST((list(R"("dns")") == std::vector{Server{.host = "", .port = 0, .from_dns = true}}));
  refused("[upstream]\nserver = []", 2, {"upstream.server must name one at least"});
  refused("[upstream]\nserver = [\"dns\", \"a\"]", 2, {"must not list others beside \"dns\""});
  refused("[upstream]\ntls = \"never\"\nserver = \"tls://a\"", 2, {"upstream.tls can't be \"never\""});
  refused("[upstream]\ntls = \"on\"", 2,
          {"upstream.tls must be \"auto\", \"required\", \"opportunistic\" or \"never\""});
}

BOOST_AUTO_TEST_CASE(B_201_who_asks_DNS_has_to_name_the_domains) {
  refused("[upstream]\nserver = \"dns\"", 2,
          {"upstream.server asks DNS", "upstream.domains", "upstream.any"});
  for (const auto* closed : {"any = true", "domains = [\"a\"]", "domain.a.server = \"[::1]\""})
    BOOST_TEST(refusal("[upstream]\nserver = \"dns\"\n"s + closed) == "");
}

BOOST_AUTO_TEST_CASE(listeners) {
  const auto listen = [](const std::string& text) {
    return read("[[listen]]\naddress = \"" + text + "\"").listen.at(0);
  };
  BOOST_TEST((listen("unix:/run/x.sock") == Listen{.host = "", .port = 0, .unix_path = "/run/x.sock"}));
  BOOST_TEST((listen("inherited:http") == Listen{.host = "", .port = 0, .inherited = "http"}));
  for (const auto* wrong : {"unix:", "unix:x", "inherited:", "inherited:a b", "inherited"})
    refused("[[listen]]\naddress = \""s + wrong + "\"", 2, {"listen.address must be"});
  refused("[[listen]]\naddress = \"unix:/a\"\n[[listen]]\naddress = \"unix:/a\"", 1,
          {"must not name an address twice"});
  refused("[[listen]]\ntls = true", 1, {"listen with tls = true needs a [[tls.certificate]]"});
  refused("[[tls.certificate]]\nchain = \"/a\"", 1, {"tls.certificate.key is missing"});
  refused("[[tls.certificate]]\nchain = \"a\"\nkey = \"/b\"", 2, {"the whole path of a file"});
}

BOOST_AUTO_TEST_CASE(pages_of_a_domain) {
  const auto cors = read(
                        "[cors]\norigins = [\"https://a.example\"]\ncredentials = true\n"
                        "[cors.domain.\"B.example\"]\norigins = [\"https://b.example\"]")
                        .cors;
  BOOST_TEST((cors.of("b.EXAMPLE.") == OriginList{"https://b.example"}));
  BOOST_TEST((cors.of("c.example") == OriginList{"https://a.example"}));
  BOOST_TEST((cors.everyone() == OriginList{"https://a.example", "https://b.example"}));
  BOOST_TEST((CorsSettings{}.everyone() == OriginList{"*"}));
  refused("[cors]\ncredentials = true", 2, {"cors.credentials needs lists of origins without \"*\""});
}

BOOST_AUTO_TEST_CASE(without_domains_every_domain_goes_to_the_server) {
  const Upstream upstream;
  BOOST_TEST(upstream.find("a.example") == &upstream.usual);
  BOOST_TEST(upstream.find("") == &upstream.usual);
}

BOOST_AUTO_TEST_CASE(with_domains_only_they_are_served) {
  auto c = read("[upstream]\ndomains = [\"a.example\"]\n[upstream.domain.\"b.example\"]\nserver = \"[::1]\"");
  const auto& upstream = c.upstream;
  const auto* const own = &upstream.own.at("b.example");
  for (const auto name : {"a.example", "A.Example", "a.example."})
    BOOST_TEST(upstream.find(name) == &upstream.usual);
  for (const auto name : {"b.example", "B.EXAMPLE", "b.example."}) BOOST_TEST(upstream.find(name) == own);
  for (const auto name : {"c.example", "", ".", "a.example..", "xa.example", "example"}) {
    BOOST_TEST(upstream.find(name) == nullptr, name);
  }
  c.upstream.domains = {"b.example"};
  BOOST_TEST(upstream.find("b.example") == own);
  c.upstream.domains = {};
  BOOST_TEST(upstream.find("a.example") == nullptr);
}

BOOST_AUTO_TEST_CASE(a_star_stands_for_all_names_below) {
  const auto upstream =
      read("[upstream]\ndomains = [\"*.a.example\"]\n[upstream.domain.\"*.b.a.example\"]\n").upstream;
  for (const auto* name : {"x.a.example", "X.Y.A.example.", "b.a.example"})
    BOOST_TEST(upstream.find(name) == &upstream.usual, name);
  BOOST_TEST(upstream.find("x.b.a.example") == &upstream.own.at("*.b.a.example"));
  for (const auto* name : {"a.example", "xa.example", "example", "*.example"})
    BOOST_TEST(upstream.find(name) == nullptr, name);
}

BOOST_AUTO_TEST_CASE(a_file_that_cant_be_read_is_named) {
  const auto failure = [](const std::string& path) {
    try {
      read_config_file(path);
      return ""s;
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
  };
  BOOST_TEST(failure("/nowhere/boshd.toml") ==
             "/nowhere/boshd.toml: can't be read: No such file or directory");
  BOOST_TEST(failure("/") == "/: can't be read: Is a directory");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
