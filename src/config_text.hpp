// The kinds of values a configuration has, each as text: read, checked, brought to one form, and written
// again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "src/config.hpp"

namespace boshd {

/// One kind of value. `read` changes the value only when the text is right.
template <class Value>
struct Form {
  std::string_view allowed;  // goes on after "must be "
  bool (*read)(std::string_view text, Value& value);
  std::string (*write)(const Value& value);
};

extern const Form<std::string> node_form;
extern const Form<std::string> path_form;
extern const Form<std::string> domain_form;
extern const Form<std::string> pattern_form;  // a domain, or "*." and a domain
extern const Form<std::string> file_form;
extern const Form<std::string> parameter_form;
extern const Form<std::string> origin_form;
extern const Form<std::string> endpoint_form;
extern const Form<Listen> address_form;           // where it is, nothing else
extern const Form<std::string> name_server_form;  // an address and a port
extern const Form<Network> network_form;
extern const Form<Server> server_form;
extern const Form<UpstreamTls> tls_form;
extern const Form<ProxyHeader> proxy_header_form;
extern const Form<ForwardingHeader> forwarding_form;
extern const Form<bool> tls_version_form;  // whether only the newest
extern const Form<LogLevel> level_form;
extern const Form<LogTarget> log_target_form;
extern const Form<LogFormat> log_format_form;
extern const Form<AccessFormat> access_format_form;
extern const Form<Listen> optional_address_form;  // the same, or nowhere
extern const Form<std::string> control_form;

/// "60s", "2m", "1h", "500ms".
std::optional<std::chrono::milliseconds> read_duration(std::string_view text);
std::string write_duration(std::chrono::seconds);

/// "512 B", "256 KiB", "1 MiB", "1 GiB".
std::optional<std::uint64_t> read_size(std::string_view text);
std::string write_size(std::uint64_t bytes);

/// As a TOML string: in quotes, with what may not stand in one escaped.
std::string quoted(std::string_view text);

}  // namespace boshd
