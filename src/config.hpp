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
#include "src/log.hpp"

namespace boshd {

/// One address that serves HTTP.
struct Listen {
  std::string host = "127.0.0.1";  // an IP address
  std::uint16_t port = 5280;       // 0: any free one, told in the log
  std::string bosh_path = "/http-bind";
  std::string websocket_path = "/xmpp-websocket";
  bool script_syntax = false;  // XEP-0252: pages of any origin may then open sessions
  friend bool operator==(const Listen&, const Listen&) = default;
};

/// Where an XMPP server is: a TCP host and port, or the path of a Unix socket.
struct Server {
  std::string host = "127.0.0.1";  // an IP address or a name; empty with a Unix socket
  std::uint16_t port = 5222;
  std::string unix_path;
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

enum class UpstreamTls { automatic, off };

struct Upstream {
  Server server;                      // where a domain without an entry of its own goes
  std::vector<std::string> domains;   // empty, and no entries in `own`: every domain
  std::map<std::string, Server> own;  // domain (lower case) → its server
  std::chrono::seconds connect_timeout{10};
  UpstreamTls tls = UpstreamTls::automatic;

  /// The server for a domain, nullptr when the domain is not served. Compared without regard to ASCII case.
  const Server* find(std::string_view domain) const;
  friend bool operator==(const Upstream&, const Upstream&) = default;
};

struct Config {
  std::string node;
  unsigned threads = 0;  // 0: one per core
  std::vector<Listen> listen{Listen{}};
  std::vector<Network> trusted_proxies{loopback_networks()};
  std::vector<std::string> origins{"*"};
  SessionSettings session;
  WebSocketSettings websocket;
  DiscoverySettings discovery;
  LimitSettings limits;
  Upstream upstream;
  LogLevel log_level = LogLevel::info;
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
