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
  keys.place("address", listen.written);
  keys.text("bosh_path", listen.bosh_path, path_form);
  keys.text("websocket_path", listen.websocket_path, path_form);
  keys.truth("script_syntax", listen.script_syntax);
  keys.truth("tls", listen.tls);
  keys.truth("proxy_protocol", listen.proxy_protocol);
};

constexpr auto certificate_keys = [](auto& keys, Certificate& certificate) {
  keys.required("chain");
  keys.text("chain", certificate.chain, file_form);
  keys.place("chain", certificate.chain_written);
  keys.required("key");
  keys.text("key", certificate.key, file_form);
  keys.place("key", certificate.key_written);
};

constexpr auto tls_keys = [](auto& keys, TlsSettings& tls) {
  keys.text("min_version", tls.only_13, tls_version_form);
  keys.sections("certificate", tls.certificates, certificate_keys);
};

constexpr auto proxy_keys = [](auto& keys, ProxySettings& proxy) {
  keys.list("trusted", proxy.trusted, network_form);
  keys.text("header", proxy.header, forwarding_form);
  keys.truth("adapt_wait", proxy.adapt_wait);
};

bool is_any(const OriginList& origins) {
  return std::find(origins.begin(), origins.end(), "*") != origins.end();
}

constexpr auto origin_keys = [](auto& keys, OriginList& origins) {
  keys.list("origins", origins, origin_form);
  keys.check("origins", !is_any(origins) || origins.size() == 1, R"(must not list others beside "*")");
};

constexpr auto cors_keys = [](auto& keys, CorsSettings& cors) {
  origin_keys(keys, cors.origins);
  keys.truth("credentials", cors.credentials);
  keys.named_sections("domain", cors.domains, domain_form, cors.origins, origin_keys);
  const bool open =
      is_any(cors.origins) || std::any_of(cors.domains.begin(), cors.domains.end(),
                                          [](const auto& entry) { return is_any(entry.second); });
  keys.check("credentials", !cors.credentials || !open, R"(needs lists of origins without "*")");
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
  keys.bytes("max_request", limits.max_request, 10000, 64 * MiB);  // RFC 6120 §13.12 again, W-031
  keys.bytes("max_stanza", limits.max_stanza, 10000, 64 * MiB);    // RFC 6120 §13.12 allows no less
  keys.number("max_depth", limits.max_depth, 8, 1000);
  keys.bytes("max_header", limits.max_header, 8 * KiB, 64 * KiB);
  keys.bytes("upstream_queue", limits.upstream_queue, 4 * KiB, 1 * GiB);
  keys.bytes("client_queue", limits.client_queue, 4 * KiB, 1 * GiB);
  keys.bytes("response_cache", limits.response_cache, 4 * KiB, 64 * MiB);
  keys.bytes("gzip_above", limits.gzip_above, 0, 64 * MiB);
  keys.seconds("request_timeout", limits.request_timeout, 1s, 600s);
  keys.seconds("idle_timeout", limits.idle_timeout, 1s, 86400s);
  keys.seconds("authentication_timeout", limits.authentication_timeout, 1s, 3600s);
  keys.number("sessions", limits.sessions, 1, 10'000'000);
  keys.bytes("memory", limits.memory, 0, 1024 * GiB);
  keys.number("sessions_per_address", limits.sessions_per_address, 0, 10'000'000);
  keys.number("new_sessions_per_second", limits.new_sessions_per_second, 0, 100'000);
  keys.number("requests_per_second", limits.requests_per_second, 0, 1'000'000);
  keys.number("login_failures", limits.login_failures, 0, 100'000);
};

bool is_from_dns(const Servers& servers) {
  return std::any_of(servers.list.begin(), servers.list.end(),
                     [](const Server& one) { return one.from_dns; });
}

/// The rules for the servers of a domain.
template <class Keys>
void check_servers(Keys& keys, const Servers& servers) {
  keys.check("server", !is_from_dns(servers) || servers.list.size() == 1,
             R"(must not list others beside "dns")");
  const bool contradiction =
      servers.tls == UpstreamTls::never &&
      std::any_of(servers.list.begin(), servers.list.end(), [](const Server& one) { return one.direct_tls; });
  keys.check("tls", !contradiction, R"(can't be "never" for a server whose address begins with tls://)");
}

constexpr auto server_keys = [](auto& keys, Servers& servers) {
  keys.one_or_more("server", servers.list, server_form);
  keys.text("tls", servers.tls, tls_form);
  keys.text("ca", servers.ca, file_form);
  keys.place("ca", servers.ca_written);
  keys.text("proxy_protocol", servers.proxy_protocol, proxy_header_form);
  keys.list("query", servers.query, parameter_form);
  check_servers(keys, servers);
};

constexpr auto upstream_keys = [](auto& keys, Upstream& upstream) {
  server_keys(keys, upstream.usual);
  keys.list("domains", upstream.domains, pattern_form);
  keys.truth("any", upstream.any);
  keys.list("routes", upstream.routes, server_form);
  keys.list("allow_networks", upstream.allow_networks, network_form);
  keys.list("nameservers", upstream.nameservers, name_server_form);
  keys.seconds("connect_timeout", upstream.connect_timeout, 1s, 300s);
  keys.number("connects", upstream.connects, 1, 100'000);
  keys.named_sections("domain", upstream.own, pattern_form, upstream.usual, server_keys);
  const bool closed = upstream.any || !upstream.domains.empty() || !upstream.own.empty();
  keys.check(
      "server", closed || !is_from_dns(upstream.usual),
      "asks DNS, so the domains that are served have to be named in upstream.domains; upstream.any = true "
      "opens the way to all");
};

constexpr auto metrics_keys = [](auto& keys, MetricsSettings& metrics) {
  keys.text("address", metrics.listen, optional_address_form);
  keys.place("address", metrics.listen.written);
};

constexpr auto control_keys = [](auto& keys, ControlSettings& control) {
  keys.text("socket", control.socket, control_form);
};

constexpr auto stop_keys = [](auto& keys, StopSettings& stop) {
  keys.seconds("drain", stop.drain, 0s, 3600s);
};

constexpr auto log_keys = [](auto& keys, LogSettings& log) {
  keys.text("level", log.level, level_form);
  keys.text("target", log.target, log_target_form);
  keys.text("format", log.format, log_format_form);
  keys.text("access", log.access, file_form);
  keys.place("access", log.access_written);
  keys.text("access_format", log.access_format, access_format_form);
};

bool name_an_address_twice(const std::vector<Listen>& listens) {
  for (auto one = listens.begin(); one != listens.end(); ++one) {
    const bool again = std::any_of(one + 1, listens.end(), [&](const Listen& other) {
      if (!one->unix_path.empty() || !one->inherited.empty())
        return one->unix_path == other.unix_path && one->inherited == other.inherited;
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
  const bool tls =
      std::any_of(config.listen.begin(), config.listen.end(), [](const Listen& l) { return l.tls; });
  keys.section("tls", config.tls, tls_keys);
  keys.check("listen", !tls || !config.tls.certificates.empty(),
             "with tls = true needs a [[tls.certificate]]");
  keys.section("proxy", config.proxy, proxy_keys);
  keys.section("cors", config.cors, cors_keys);
  keys.section("session", config.session, session_keys);
  keys.section("websocket", config.websocket, websocket_keys);
  keys.section("discovery", config.discovery, discovery_keys);
  keys.section("limits", config.limits, limit_keys);
  keys.section("upstream", config.upstream, upstream_keys);
  keys.section("metrics", config.metrics, metrics_keys);
  keys.section("control", config.control, control_keys);
  keys.section("stop", config.stop, stop_keys);
  keys.section("log", config.log, log_keys);
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

namespace {

std::string plain_name(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  std::string name(domain);
  std::transform(name.begin(), name.end(), name.begin(), lower);
  return name;
}

/// "*.example.org" for "chat.example.org" and for "a.chat.example.org"; empty for a single label.
std::string_view above(std::string_view name) {
  const auto dot = name.find('.');
  return dot == name.npos ? std::string_view() : name.substr(dot + 1);
}

/// What a table says of a name: by itself, or by the nearest "*." above it.
template <class Find>
auto find_pattern(const std::string& name, Find find) -> decltype(find(name)) {
  if (auto found = find(name)) return found;
  for (std::string_view rest = above(name); !rest.empty(); rest = above(rest))
    if (auto found = find("*." + std::string(rest))) return found;
  return {};
}

}  // namespace

const Servers* Upstream::find(std::string_view domain) const {
  const std::string name = plain_name(domain);
  const auto in_own = [this](const std::string& pattern) -> const Servers* {
    const auto entry = own.find(pattern);
    return entry == own.end() ? nullptr : &entry->second;
  };
  if (const Servers* found = find_pattern(name, in_own)) return found;
  const auto in_list = [this](const std::string& pattern) -> const Servers* {
    return std::find(domains.begin(), domains.end(), pattern) == domains.end() ? nullptr : &usual;
  };
  if (any || (domains.empty() && own.empty())) return &usual;
  return find_pattern(name, in_list);
}

OriginList CorsSettings::everyone() const {
  OriginList all = origins;
  for (const auto& [domain, list] : domains) all.insert(all.end(), list.begin(), list.end());
  return is_any(all) ? OriginList{"*"} : all;
}

const OriginList& CorsSettings::of(std::string_view domain) const {
  const auto entry = domains.find(plain_name(domain));
  return entry == domains.end() ? origins : entry->second;
}

std::string to_string(const Written& written) {
  if (written.file.empty()) return {};
  return written.file + ":" + std::to_string(written.line) + ": " + written.key + ": ";
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
