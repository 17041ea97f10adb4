#include "src/config.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "src/config_keys.hpp"
#include "src/text.hpp"

namespace boshd {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = 1024 * KiB;
constexpr std::size_t GiB = 1024 * MiB;

// The list of all keys. Each function goes through the keys of one table with a KeyReader or a KeyWriter.

constexpr auto listen_keys = [](auto& keys, Listen& listen) {
  keys.text("address", listen, address_form);
  keys.text("bosh_path", listen.bosh_path, path_form);
  keys.text("websocket_path", listen.websocket_path, path_form);
  keys.truth("script_syntax", listen.script_syntax);
};

constexpr auto proxy_keys = [](auto& keys, Config& config) {
  keys.list("trusted", config.trusted_proxies, network_form);
};

constexpr auto cors_keys = [](auto& keys, Config& config) {
  auto& origins = config.origins;
  keys.list("origins", origins, origin_form);
  const bool any = std::find(origins.begin(), origins.end(), "*") != origins.end();
  keys.check("origins", !any || origins.size() == 1, R"(must not list others beside "*")");
};

constexpr auto session_keys = [](auto& keys, SessionSettings& session) {
  keys.seconds("wait", session.wait, 1s, 600s);
  keys.number("hold", session.hold, 1, 8);
  keys.seconds("inactivity", session.inactivity, 1s, 3600s);
  keys.seconds("polling", session.polling, 0s, 60s);
  keys.check("polling", session.polling < session.inactivity, "must be shorter than session.inactivity");
  keys.seconds("max_pause", session.max_pause, 0s, 3600s);
  keys.number("streams", session.streams, 1, 16);
};

/// Clients are told of secure endpoints only (XEP-0156 §2.2).
bool is_secure(std::string_view scheme, std::string_view address) {
  return address.empty() || address.starts_with(scheme);
}

constexpr auto websocket_keys = [](auto& keys, WebSocketSettings& websocket) {
  keys.seconds("ping", websocket.ping, 0s, 3600s);
  keys.seconds("stall_timeout", websocket.stall_timeout, 1s, 600s);
  keys.truth("compression", websocket.compression);
  keys.text("see_other_uri", websocket.see_other_uri, endpoint_form);
};

constexpr auto discovery_keys = [](auto& keys, DiscoverySettings& discovery) {
  keys.text("bosh_url", discovery.bosh_url, endpoint_form);
  keys.check("bosh_url", is_secure("https://", discovery.bosh_url), "must begin with https://");
  keys.text("websocket_url", discovery.websocket_url, endpoint_form);
  keys.check("websocket_url", is_secure("wss://", discovery.websocket_url), "must begin with wss://");
};

constexpr auto limit_keys = [](auto& keys, LimitSettings& limits) {
  keys.bytes("max_request", limits.max_request, 1 * KiB, 64 * MiB);
  keys.bytes("max_stanza", limits.max_stanza, 10000, 64 * MiB);  // RFC 6120 §13.12 allows no less
  keys.number("max_depth", limits.max_depth, 8, 1000);
  keys.bytes("max_header", limits.max_header, 8 * KiB, 64 * KiB);
  keys.bytes("upstream_queue", limits.upstream_queue, 4 * KiB, 1 * GiB);
  keys.bytes("client_queue", limits.client_queue, 4 * KiB, 1 * GiB);
  keys.bytes("response_cache", limits.response_cache, 4 * KiB, 64 * MiB);
  keys.bytes("gzip_above", limits.gzip_above, 0, 64 * MiB);
  keys.seconds("request_timeout", limits.request_timeout, 1s, 600s);
  keys.seconds("idle_timeout", limits.idle_timeout, 1s, 86400s);
};

/// Without TLS only this machine is a safe way to the server, unless the operator says otherwise.
bool may_be_plain(UpstreamTls tls, const Server& server) {
  if (tls == UpstreamTls::off || !server.unix_path.empty() || server.host == "localhost") return true;
  const auto address = parse_ip(server.host);
  return address && is_loopback(*address);
}
constexpr std::string_view plain_rule =
    "is not on this machine, and this version speaks to the server in plain TCP only: set upstream.tls = "
    "\"off\" if "
    "the network between them is trusted";

constexpr auto upstream_keys = [](auto& keys, Upstream& upstream) {
  keys.text("server", upstream.server, server_form);
  keys.list("domains", upstream.domains, domain_form);
  keys.seconds("connect_timeout", upstream.connect_timeout, 1s, 300s);
  keys.text("tls", upstream.tls, tls_form);
  keys.check("server", may_be_plain(upstream.tls, upstream.server), plain_rule);
  keys.named_sections("domain", upstream.own, domain_form, [&](auto& own_keys, Server& server) {
    own_keys.required("server");
    own_keys.text("server", server, server_form);
    own_keys.check("server", may_be_plain(upstream.tls, server), plain_rule);
  });
};

constexpr auto log_keys = [](auto& keys, Config& config) {
  keys.text("level", config.log_level, level_form);
};

bool name_an_address_twice(const std::vector<Listen>& listens) {
  for (auto one = listens.begin(); one != listens.end(); ++one) {
    const bool again = std::any_of(one + 1, listens.end(), [&](const Listen& other) {
      return one->port != 0 && one->port == other.port && parse_ip(one->host) == parse_ip(other.host);
    });
    if (again) return true;
  }
  return false;
}

constexpr auto config_keys = [](auto& keys, Config& config) {
  keys.text("node", config.node, node_form);
  keys.number("threads", config.threads, 0, 64);
  keys.sections("listen", config.listen, listen_keys);
  keys.check("listen", !name_an_address_twice(config.listen), "must not name an address twice");
  keys.section("proxy", config, proxy_keys);
  keys.section("cors", config, cors_keys);
  keys.section("session", config.session, session_keys);
  keys.section("websocket", config.websocket, websocket_keys);
  keys.section("discovery", config.discovery, discovery_keys);
  keys.section("limits", config.limits, limit_keys);
  keys.section("upstream", config.upstream, upstream_keys);
  keys.section("log", config, log_keys);
};

[[noreturn]] void fail_to_read(const std::string& path) {
  throw ConfigError(path + ": can't be read: " + std::generic_category().message(errno));
}

std::string read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) fail_to_read(path);
  std::string text;
  char part[4096];
  while (const auto size = std::fread(part, 1, sizeof part, file.get())) text.append(part, size);
  if (std::ferror(file.get()) != 0) fail_to_read(path);
  return text;
}

}  // namespace

const Server* Upstream::find(std::string_view domain) const {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  std::string name(domain);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  if (const auto entry = own.find(name); entry != own.end()) return &entry->second;
  if (domains.empty() && own.empty()) return &server;
  const bool listed = std::any_of(domains.begin(), domains.end(),
                                  [&](const std::string& one) { return equal_ignoring_case(one, name); });
  return listed ? &server : nullptr;
}

Config read_config(std::string_view text, const std::string& file_name) {
  Config config;
  try {
    const auto table = toml::parse(text, file_name);
    KeyReader reader(table, {}, file_name);
    config_keys(reader, config);
    reader.finish();
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw ConfigError(file_name + ":" + std::to_string(at.line) + ": " + std::string(error.description()) +
                      " (column " + std::to_string(at.column) + ")");
  }
  return config;
}

Config read_config_file(const std::string& path) {
  return read_config(read_file(path), path);
}

std::string dump_config(const Config& config) {
  std::string text;
  KeyWriter writer(text);
  auto copy = config;  // the list of keys is one for reading and writing
  config_keys(writer, copy);
  return text;
}

}  // namespace boshd
