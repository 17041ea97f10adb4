#include "src/config_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "src/domain.hpp"
#include "src/text.hpp"

namespace boshd {
namespace {

constexpr std::size_t longest_domain = 253;
constexpr std::size_t longest_label = 63;
constexpr std::size_t longest_unix_path = 107;  // sockaddr_un

template <class Test>
bool all(std::string_view text, Test test) {
  return std::all_of(text.begin(), text.end(), test);
}

bool is_letter_or_digit(char c) {
  return is_letter(c) || is_digit(c);
}
bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

template <class Number>
std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) return {};
  return number;
}

/// A number, at most one blank, and one of the units; the number times what the unit stands for.
template <std::size_t Count>
std::optional<std::uint64_t> read_with_unit(
    std::string_view text, const std::pair<std::string_view, std::uint64_t> (&units)[Count]) {
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto number = read_number<std::uint32_t>(digits);
  auto unit = text.substr(digits.size());
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  const auto* const found =
      std::find_if(units, units + Count, [&](const auto& u) { return u.first == unit; });
  if (!number || found == units + Count) return {};
  return *number * found->second;
}

constexpr std::pair<std::string_view, std::uint64_t> durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr std::pair<std::string_view, std::uint64_t> sizes[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}};

// Names beyond ASCII pass: XMPP domains may be written in any script.
bool is_label(std::string_view text, std::string_view marks) {
  if (text.empty() || text.size() > longest_label || text.front() == '-' || text.back() == '-') return false;
  return all(text, [&](char c) {
    return is_letter_or_digit(c) || is_beyond_ascii(c) || marks.find(c) != std::string_view::npos;
  });
}

bool is_name(std::string_view text, std::string_view marks) {
  if (text.empty() || text.size() > longest_domain || text.ends_with('.')) return false;
  while (!text.empty()) {
    if (!is_label(cut(text, "."), marks)) return false;
  }
  return true;
}

bool read_node(std::string_view text, std::string& node) {
  const bool right =
      text.size() <= 16 && all(text, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); });
  if (right) node = text;
  return right;
}

bool read_path(std::string_view text, std::string& path) {
  const bool right =
      text.starts_with('/') && text.size() <= 200 && all(text, [](char c) {
        return is_letter_or_digit(c) || std::string_view("-._~/").find(c) != std::string_view::npos;
      });
  if (!right) return false;
  if (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  path = text;
  return true;
}

bool read_domain(std::string_view text, std::string& domain) {
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto ascii = is_name(text, "-") ? ascii_domain(text) : std::nullopt;
  if (ascii) domain = *ascii;
  return ascii.has_value();
}

bool read_pattern(std::string_view text, std::string& pattern) {
  if (!text.starts_with("*.")) return read_domain(text, pattern);
  std::string domain;
  if (!read_domain(text.substr(2), domain)) return false;
  pattern = "*." + domain;
  return true;
}

bool is_file_path(std::string_view text) {
  return text.starts_with('/') && text.find('\0') == text.npos;
}

bool read_file_path(std::string_view text, std::string& file) {
  if (!text.empty() && !is_file_path(text)) return false;
  file = text;
  return true;
}

bool read_parameter(std::string_view text, std::string& name) {
  const bool right = !text.empty() && text.size() <= 64 && all(text, [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  });
  if (right) name = text;
  return right;
}

/// The text of a host and its port; the host in brackets when it has colons, and returned without them.
struct HostPort {
  std::string_view host;
  std::optional<std::string_view> port;
  bool brackets = false;
};

std::optional<HostPort> split_host_port(std::string_view text) {
  HostPort result;
  result.brackets = text.starts_with('[');
  const auto host_end = result.brackets ? text.find(']') : text.find(':');
  if (result.brackets && host_end == std::string_view::npos) return {};
  result.host = result.brackets ? text.substr(1, host_end - 1) : text.substr(0, host_end);
  auto rest = text.substr(std::min(text.size(), result.brackets ? host_end + 1 : host_end));
  if (rest.empty()) return result;
  if (rest.front() != ':') return {};
  result.port = rest.substr(1);
  return result;
}

bool is_right_host(const HostPort& text) {
  const bool colons = text.host.find(':') != std::string_view::npos;
  if (colons || text.brackets) return colons && text.brackets && parse_ip(text.host);
  return is_name(text.host, "-_");
}

std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

void place(Listen& listen, std::string host, std::uint16_t port, std::string unix_path,
           std::string inherited) {
  listen.host = std::move(host);
  listen.port = port;
  listen.unix_path = std::move(unix_path);
  listen.inherited = std::move(inherited);
}

bool is_unix_path(std::string_view path) {
  return is_file_path(path) && path.size() <= longest_unix_path;
}

bool read_address(std::string_view text, Listen& listen) {
  if (text.starts_with("unix:")) {
    if (!is_unix_path(text.substr(5))) return false;
    place(listen, "", 0, std::string(text.substr(5)), "");
    return true;
  }
  if (text.starts_with("inherited:")) {
    std::string name;
    if (!read_parameter(text.substr(10), name)) return false;
    place(listen, "", 0, "", std::move(name));
    return true;
  }
  const auto parts = split_host_port(text);
  if (!parts || !parts->port || !is_right_host(*parts) || !parse_ip(parts->host)) return false;
  const auto port = read_number<std::uint16_t>(*parts->port);
  if (!port) return false;
  place(listen, std::string(parts->host), *port, "", "");
  return true;
}

std::string write_address(const Listen& listen) {
  if (!listen.unix_path.empty()) return "unix:" + listen.unix_path;
  if (!listen.inherited.empty()) return "inherited:" + listen.inherited;
  return in_brackets(listen.host) + ":" + std::to_string(listen.port);
}

bool read_server(std::string_view text, Server& server) {
  if (text == "dns") {
    server = {.host = "", .port = 0, .from_dns = true};
    return true;
  }
  if (text.starts_with("unix:")) {
    const bool right = is_unix_path(text.substr(5));
    if (right) server = {.host = "", .port = 0, .unix_path = std::string(text.substr(5))};
    return right;
  }
  const bool direct_tls = text.starts_with("tls://");
  if (direct_tls) text.remove_prefix(6);
  const auto parts = split_host_port(text);
  if (!parts || !is_right_host(*parts)) return false;
  const auto port = read_number<std::uint16_t>(parts->port.value_or(direct_tls ? "5223" : "5222"));
  if (!port || *port == 0) return false;
  server = {.host = lower_case(parts->host), .port = *port, .unix_path = "", .direct_tls = direct_tls};
  return true;
}

std::string write_server(const Server& server) {
  if (server.from_dns) return "dns";
  if (!server.unix_path.empty()) return "unix:" + server.unix_path;
  return (server.direct_tls ? "tls://" : "") + in_brackets(server.host) + ":" + std::to_string(server.port);
}

bool read_name_server(std::string_view text, std::string& server) {
  const bool bare_ipv6 = text.find(':') != text.rfind(':') && !text.starts_with('[');
  const auto parts = bare_ipv6 ? HostPort{text, {}, true} : split_host_port(text);
  if (!parts || !parse_ip(parts->host)) return false;
  const auto port = read_number<std::uint16_t>(parts->port.value_or("53"));
  if (!port || *port == 0) return false;
  server = in_brackets(std::string(parts->host)) + ":" + std::to_string(*port);
  return true;
}

/// Browsers leave the scheme's own port out of an origin.
bool is_default_port(std::string_view scheme, std::uint16_t port) {
  return (scheme == "http" && port == 80) || (scheme == "https" && port == 443);
}

bool read_origin(std::string_view text, std::string& origin) {
  if (text == "*") {
    origin = text;
    return true;
  }
  auto authority = text;
  const auto scheme = lower_case(cut(authority, "://"));
  const bool right_scheme = !scheme.empty() && is_letter(scheme.front()) && all(scheme, [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '+' || c == '.';
  });
  const auto parts = split_host_port(authority);
  if (!right_scheme || !parts || !is_right_host(*parts)) return false;
  const auto port = read_number<std::uint16_t>(parts->port.value_or("1"));
  if (!port || *port == 0) return false;
  origin = scheme + "://" + in_brackets(lower_case(parts->host));
  if (parts->port && !is_default_port(scheme, *port)) origin += ":" + std::to_string(*port);
  return true;
}

/// The address of another endpoint, for clients; or none.
bool read_endpoint(std::string_view text, std::string& endpoint) {
  const bool known = text.starts_with("wss://") || text.starts_with("https://") ||
                     text.starts_with("ws://") || text.starts_with("http://");
  const bool plain = text.find_first_of(" \t\r\n'\"<>\\") == text.npos && text.size() <= 2000;
  endpoint = text;
  return text.empty() || (known && plain);
}

bool read_network(std::string_view text, Network& network) {
  const auto parsed = text == "unix" ? Network{} : parse_network(text);
  if (parsed) network = *parsed;
  return parsed.has_value();
}

/// One of some words, and what it stands for.
template <class Value, std::size_t Count>
bool read_word(std::string_view text, Value& value,
               const std::pair<std::string_view, Value> (&words)[Count]) {
  const auto* const found =
      std::find_if(words, words + Count, [&](const auto& w) { return w.first == text; });
  if (found == words + Count) return false;
  value = found->second;
  return true;
}
template <class Value, std::size_t Count>
std::string write_word(const Value& value, const std::pair<std::string_view, Value> (&words)[Count]) {
  return std::string(
      std::find_if(words, words + Count, [&](const auto& w) { return w.second == value; })->first);
}

constexpr std::pair<std::string_view, UpstreamTls> tls_words[] = {
    {"auto", UpstreamTls::automatic},
    {"required", UpstreamTls::required},
    {"opportunistic", UpstreamTls::opportunistic},
    {"never", UpstreamTls::never}};
constexpr std::pair<std::string_view, ProxyHeader> proxy_header_words[] = {
    {"off", ProxyHeader::none}, {"v1", ProxyHeader::v1}, {"v2", ProxyHeader::v2}};
constexpr std::pair<std::string_view, ForwardingHeader> forwarding_words[] = {
    {"X-Forwarded-For", ForwardingHeader::x_forwarded}, {"Forwarded", ForwardingHeader::forwarded}};
constexpr std::pair<std::string_view, bool> tls_version_words[] = {{"1.2", false}, {"1.3", true}};
constexpr std::pair<std::string_view, LogTarget> log_target_words[] = {
    {"auto", LogTarget::automatic}, {"journal", LogTarget::journal}, {"stderr", LogTarget::standard_error}};
constexpr std::pair<std::string_view, LogFormat> log_format_words[] = {{"text", LogFormat::text},
                                                                       {"json", LogFormat::json}};
constexpr std::pair<std::string_view, AccessFormat> access_format_words[] = {
    {"combined", AccessFormat::combined}, {"json", AccessFormat::json}};

bool read_optional_address(std::string_view text, Listen& listen) {
  if (!text.empty()) return read_address(text, listen);
  place(listen, "", 0, "", "");
  return true;
}

std::string write_optional_address(const Listen& listen) {
  const bool none = listen.host.empty() && listen.unix_path.empty() && listen.inherited.empty();
  return none ? "" : write_address(listen);
}

bool read_control(std::string_view text, std::string& path) {
  if (!text.empty() && text != "auto" && !is_unix_path(text)) return false;
  path = text;
  return true;
}

bool read_level(std::string_view text, LogLevel& level) {
  for (const auto one : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (text != to_string(one)) continue;
    level = one;
    return true;
  }
  return false;
}

std::string same(const std::string& text) {
  return text;
}

}  // namespace

const Form<std::string> node_form{R"("" or 1 to 16 of a-z and 0-9, such as "n2")", read_node, same};
const Form<std::string> path_form{R"(a path of "/", letters, digits and "-._~", such as "/http-bind")",
                                  read_path, same};
const Form<std::string> domain_form{R"(a domain name, such as "example.org")", read_domain, same};
const Form<std::string> pattern_form{
    R"(a domain name, such as "example.org", or all below one, such as "*.example.org")", read_pattern, same};
const Form<std::string> file_form{R"("" or the whole path of a file, such as "/etc/ssl/certs/example.pem")",
                                  read_file_path, same};
const Form<std::string> parameter_form{R"(a name of letters, digits and "-_.", such as "token")",
                                       read_parameter, same};
const Form<std::string> origin_form{
    R"("*" or an origin without path, such as "https://chat.example.org" or "http://localhost:8000")",
    read_origin, same};
const Form<std::string> endpoint_form{R"("" or an address such as "wss://xmpp.example.org/xmpp-websocket")",
                                      read_endpoint, same};
const Form<Listen> address_form{
    R"(an IP address and a port, such as "127.0.0.1:5280", "0.0.0.0:5280" or "[::]:5280", a Unix socket, such as )"
    R"("unix:/run/boshd/http.sock", or a descriptor by its name, such as "inherited:http")",
    read_address, write_address};
const Form<std::string> name_server_form{
    R"(a name server, such as "192.0.2.53", "127.0.0.1:5353" or "[::1]:53")", read_name_server, same};
const Form<Network> network_form{
    R"(an IP address or network, such as "192.0.2.1", "10.0.0.0/8" or "2001:db8::/32", or "unix")",
    read_network, [](const Network& network) { return network == Network{} ? "unix" : to_string(network); }};
const Form<Server> server_form{
    R"(a server, such as "127.0.0.1:5222", "xmpp.example.org:5222", "[::1]:5222", "tls://xmpp.example.org:5223" )"
    R"(or "unix:/run/xmpp.sock", or "dns" to ask the domain's)",
    read_server, write_server};
const Form<UpstreamTls> tls_form{
    R"("auto", "required", "opportunistic" or "never")",
    [](std::string_view text, UpstreamTls& tls) { return read_word(text, tls, tls_words); },
    [](const UpstreamTls& tls) { return write_word(tls, tls_words); }};
const Form<ProxyHeader> proxy_header_form{
    R"("off", "v1" or "v2")",
    [](std::string_view text, ProxyHeader& header) { return read_word(text, header, proxy_header_words); },
    [](const ProxyHeader& header) { return write_word(header, proxy_header_words); }};
const Form<ForwardingHeader> forwarding_form{
    R"("X-Forwarded-For" or "Forwarded")",
    [](std::string_view text, ForwardingHeader& header) { return read_word(text, header, forwarding_words); },
    [](const ForwardingHeader& header) { return write_word(header, forwarding_words); }};
const Form<bool> tls_version_form{
    R"("1.2" or "1.3")",
    [](std::string_view text, bool& newest) { return read_word(text, newest, tls_version_words); },
    [](const bool& newest) { return write_word(newest, tls_version_words); }};
const Form<LogLevel> level_form{R"("debug", "info", "warning" or "error")", read_level,
                                [](const LogLevel& level) { return std::string(to_string(level)); }};

const Form<LogTarget> log_target_form{
    R"("auto", "journal" or "stderr")",
    [](std::string_view text, LogTarget& target) { return read_word(text, target, log_target_words); },
    [](const LogTarget& target) { return write_word(target, log_target_words); }};
const Form<LogFormat> log_format_form{
    R"("text" or "json")",
    [](std::string_view text, LogFormat& format) { return read_word(text, format, log_format_words); },
    [](const LogFormat& format) { return write_word(format, log_format_words); }};
const Form<AccessFormat> access_format_form{
    R"("combined" or "json")",
    [](std::string_view text, AccessFormat& format) { return read_word(text, format, access_format_words); },
    [](const AccessFormat& format) { return write_word(format, access_format_words); }};
const Form<Listen> optional_address_form{
    R"("" or an IP address and a port, such as "127.0.0.1:5281" or "[::1]:5281", a Unix socket, such as )"
    R"("unix:/run/boshd/metrics.sock", or a descriptor by its name, such as "inherited:metrics")",
    read_optional_address, write_optional_address};
const Form<std::string> control_form{
    R"("auto", "" or the whole path of a Unix socket, such as "/run/boshd/control.sock")", read_control,
    same};

std::optional<std::chrono::milliseconds> read_duration(std::string_view text) {
  const auto milliseconds = read_with_unit(text, durations);
  if (!milliseconds) return {};
  return std::chrono::milliseconds(*milliseconds);
}

std::string write_duration(std::chrono::seconds duration) {
  return std::to_string(duration.count()) + "s";
}

std::optional<std::uint64_t> read_size(std::string_view text) {
  return read_with_unit(text, sizes);
}

std::string write_size(std::uint64_t bytes) {
  const auto* const unit =
      std::find_if(std::begin(sizes), std::end(sizes), [&](const auto& u) { return bytes % u.second == 0; });
  if (bytes == 0) return "0 B";
  return std::to_string(bytes / unit->second) + " " + std::string(unit->first);
}

std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      result += "\\u00";
      result += digits[byte >> 4];
      result += digits[byte & 15];
    } else {
      result += c;
    }
  }
  return result + '"';
}

}  // namespace boshd
