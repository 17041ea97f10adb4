// The configuration: TOML in, one immutable value out. Every key has a default; an empty file runs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "src/address.hpp"
#include "src/forwarding.hpp"
#include "src/log/log.hpp"

namespace boshd {

/// Where in a file something was written, for messages. It makes no difference between values.
struct Written {
  std::string file{};  // empty: nowhere, it is a default
  unsigned line = 0;
  std::string key{};
  friend bool operator==(const Written&, const Written&) { return true; }
};
/// "file:line: key: ", or nothing.
std::string to_string(const Written&);

/// One address that serves HTTP: an IP address and a port, the path of a Unix socket, or a descriptor that
/// the process was started with (socket activation).
struct Listen {
  std::string host = "127.0.0.1";  // an IP address; empty: one of the others
  std::uint16_t port = 5280;       // 0: any free one, told in the log
  std::string unix_path{};
  std::string inherited{};      // its name, LISTEN_FDNAMES
  bool tls = false;             // https and wss
  bool proxy_protocol = false;  // connections begin with a PROXY header, and only trusted proxies may connect
  std::string bosh_path = "/http-bind";
  std::string websocket_path = "/xmpp-websocket";
  bool script_syntax = false;  // XEP-0252: pages of any origin may then open sessions
  Written written{};           // its address
  friend bool operator==(const Listen&, const Listen&) = default;
};

/// Where an XMPP server is: a TCP host and port, the path of a Unix socket, or wherever DNS says.
struct Server {
  std::string host = "127.0.0.1";  // an IP address or a name; empty: one of the others
  std::uint16_t port = 5222;
  std::string unix_path{};
  bool direct_tls = false;  // TLS from the first byte (XEP-0368)
  bool from_dns = false;    // SRV records of the domain
  friend bool operator==(const Server&, const Server&) = default;
};

/// What a session may ask for (XEP-0124 §7).
struct SessionSettings {
  std::chrono::seconds wait{60};
  unsigned hold = 1;
  std::chrono::seconds inactivity{90};
  std::chrono::seconds polling{2};      // 0: as often as the client likes
  std::chrono::seconds max_pause{120};  // 0: none
  unsigned streams = 4;                 // open at a time in one session
  friend bool operator==(const SessionSettings&, const SessionSettings&) = default;
};

/// The name of every buffer's limit, and of every patience.
struct LimitSettings {
  std::size_t max_request = std::size_t{256} * 1024;
  std::size_t max_stanza = std::size_t{1024} * 1024;
  unsigned max_depth = 64;
  std::size_t max_header = std::size_t{16} * 1024;
  std::size_t upstream_queue = std::size_t{1024} * 1024;
  std::size_t client_queue = std::size_t{1024} * 1024;
  std::size_t response_cache = std::size_t{256} * 1024;
  std::size_t gzip_above = std::size_t{4} * 1024;  // 0: no answer is compressed
  std::chrono::seconds request_timeout{15};
  std::chrono::seconds idle_timeout{120};
  std::chrono::seconds authentication_timeout{30};
  unsigned sessions = 100'000;
  std::size_t memory = 0;                 // resident; above it no session begins; 0: no limit
  unsigned sessions_per_address = 50;     // of IPv6 a /64 is one address; 0: no limit, here and below
  unsigned new_sessions_per_second = 10;  // for an address; it may have saved up those of ten seconds
  unsigned requests_per_second = 100;     // the same, and for a thread
  unsigned login_failures = 10;           // of an address or an account in a minute
  friend bool operator==(const LimitSettings&, const LimitSettings&) = default;
};

/// XMPP over WebSocket (RFC 7395).
struct WebSocketSettings {
  std::chrono::seconds ping{30};           // after so much silence; 0: none
  std::chrono::seconds stall_timeout{30};  // so long a client may take nothing of what is there for it
  bool compression = false;                // permessage-deflate, when the client offers it
  std::string see_other_uri;               // where clients are sent when the daemon stops; may be empty
  friend bool operator==(const WebSocketSettings&, const WebSocketSettings&) = default;
};

/// What clients are told of the endpoints (XEP-0156); empty: what a trusted proxy says, if it speaks TLS.
struct DiscoverySettings {
  std::string bosh_url;
  std::string websocket_url;
  friend bool operator==(const DiscoverySettings&, const DiscoverySettings&) = default;
};

/// `automatic`: required, but on this machine as the server likes it. Only what is required is authenticated.
enum class UpstreamTls { automatic, required, opportunistic, never };

/// Version of the PROXY header that a server is sent.
enum class ProxyHeader { none, v1, v2 };

/// How the servers of a domain are found and spoken to.
struct Servers {
  std::vector<Server> list{Server{}};  // tried in this order
  UpstreamTls tls = UpstreamTls::automatic;
  std::string ca;  // a file of trusted certificates; empty: the system's
  Written ca_written{};
  ProxyHeader proxy_protocol = ProxyHeader::none;
  std::vector<std::string> query;  // parameters of the client's URL that the server is told
  friend bool operator==(const Servers&, const Servers&) = default;
};

struct Upstream {
  Servers usual;                         // of domains without an entry of their own
  std::vector<std::string> domains;      // may begin with "*."
  std::map<std::string, Servers> own;    // domain (lower case) → its servers
  bool any = false;                      // every domain that a client names
  std::vector<Server> routes;            // where clients may ask to be taken
  std::vector<Network> allow_networks;   // in which DNS may place servers, though they are not public
  std::vector<std::string> nameservers;  // addresses and ports; empty: the system's
  std::chrono::seconds connect_timeout{10};
  unsigned connects = 100;  // under way at a time, for a domain and a thread

  /// The servers for a domain in ASCII, nullptr when the domain is not served. With a fixed server and no
  /// list, all domains are its own to judge.
  const Servers* find(std::string_view domain) const;
  friend bool operator==(const Upstream&, const Upstream&) = default;
};

/// A certificate with its key, both files in PEM. Which one a client gets is decided by its names.
struct Certificate {
  std::string chain;
  std::string key;
  Written chain_written{};
  Written key_written{};
  friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// For listeners with TLS.
struct TlsSettings {
  std::vector<Certificate> certificates;
  bool only_13 = false;  // no TLS 1.2
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

/// Whose word counts for a client.
struct ProxySettings {
  std::vector<Network> trusted{loopback_networks()};
  ForwardingHeader header = ForwardingHeader::x_forwarded;
  bool adapt_wait = true;  // new sessions behind a proxy that cuts held requests wait for a shorter time
  friend bool operator==(const ProxySettings&, const ProxySettings&) = default;
};

using OriginList = std::vector<std::string>;

/// The web pages that may use the service.
struct CorsSettings {
  OriginList origins{"*"};
  bool credentials = false;
  std::map<std::string, OriginList> domains;  // domain → who may open it, instead of `origins`

  /// Who may open one domain at least.
  OriginList everyone() const;
  /// Who may open this domain.
  const OriginList& of(std::string_view domain) const;
  friend bool operator==(const CorsSettings&, const CorsSettings&) = default;
};

enum class LogTarget { automatic, journal, standard_error };
enum class LogFormat { text, json };
enum class AccessFormat { combined, json };

/// Where the log goes, and how.
struct LogSettings {
  LogLevel level = LogLevel::info;
  LogTarget target = LogTarget::automatic;  // the journal if systemd has started the process
  LogFormat format = LogFormat::text;       // on stderr
  std::string access;                       // a file for a line of each request; empty: none
  Written access_written{};
  AccessFormat access_format = AccessFormat::combined;
  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

/// Where metrics, health and status are served.
struct MetricsSettings {
  /// No host, path or inherited descriptor: nowhere.
  Listen listen{.port = 5281};
  bool is_on() const {
    return !listen.host.empty() || !listen.unix_path.empty() || !listen.inherited.empty();
  }
  friend bool operator==(const MetricsSettings&, const MetricsSettings&) = default;
};

/// The socket that boshctl speaks to.
struct ControlSettings {
  std::string socket = "auto";  // in systemd's RUNTIME_DIRECTORY if there is one; empty: none
  friend bool operator==(const ControlSettings&, const ControlSettings&) = default;
};

struct StopSettings {
  std::chrono::seconds drain{5};  // so long the sessions there are go on, and no new ones begin
  friend bool operator==(const StopSettings&, const StopSettings&) = default;
};

struct Config {
  std::string node;
  unsigned threads = 0;  // 0: one per core
  std::vector<Listen> listen{Listen{}};
  TlsSettings tls;
  ProxySettings proxy;
  CorsSettings cors;
  SessionSettings session;
  WebSocketSettings websocket;
  DiscoverySettings discovery;
  LimitSettings limits;
  Upstream upstream;
  MetricsSettings metrics;
  ControlSettings control;
  StopSettings stop;
  LogSettings log;
  friend bool operator==(const Config&, const Config&) = default;
};

/// A mistake in the configuration; what() names file, line, key and what is allowed.
struct ConfigError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads a configuration. Throws ConfigError; an unknown key is one, and names the nearest known key.
Config read_config(std::string_view toml, const std::string& file_name);

/// The same from a file. Throws ConfigError also when the file can't be read.
Config read_config_file(const std::string& path);

/// The whole configuration as TOML with every effective value; read_config of it gives the same again.
std::string dump_config(const Config&);

}  // namespace boshd
