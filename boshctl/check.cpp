#include "boshctl/check.hpp"

#include <filesystem>
#include <optional>

#include "src/config_text.hpp"
#include "src/domain.hpp"

namespace boshctl {

namespace {

constexpr const char* usual_config = "/etc/boshd/boshd.toml";

struct Asked {
  std::string config;
  std::string url;
  std::string websocket;
  std::string domain;
};

Asked read_arguments(const std::vector<std::string>& arguments) {
  Asked asked;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    std::string* value = nullptr;
    if (word == "--config") value = &asked.config;
    if (word == "--url") value = &asked.url;
    if (word == "--websocket") value = &asked.websocket;
    if (value && i + 1 == arguments.size()) throw UsageError(word + " needs a value");
    if (value)
      *value = arguments[++i];
    else if (word.starts_with('-'))
      throw UsageError("check knows no option '" + word +
                       "'; it has --config FILE, --url URL and --websocket URL");
    else if (!asked.domain.empty())
      throw UsageError("check takes one domain; there are '" + asked.domain + "' and '" + word + "'");
    else
      asked.domain = word;
  }
  if (asked.domain.empty()) throw UsageError("check which domain? `boshctl check example.org`");
  return asked;
}

std::optional<boshd::Config> read_configuration(const std::string& given, Report& report) {
  std::string file = given;
  if (file.empty() && std::filesystem::exists(usual_config)) file = usual_config;
  try {
    boshd::Config config = file.empty() ? boshd::Config{} : boshd::read_config_file(file);
    report.ok("config",
              file.empty() ? "no configuration file: every setting has its default" : file + " is right");
    return config;
  } catch (const boshd::ConfigError& error) {
    report.fail("config", error.what(), "Mend the file; nothing else can be checked before.");
    return std::nullopt;
  }
}

}  // namespace

int check(const std::vector<std::string>& arguments, bool json) {
  const Asked asked = read_arguments(arguments);
  Report report(json);
  const auto domain = boshd::ascii_domain(asked.domain);
  if (!domain) {
    report.fail("domain", "'" + asked.domain + "' is neither a domain nor an address",
                "Give the part of a JID that stands behind its @.");
    return report.finish(asked.domain);
  }
  if (asked.url.empty() && asked.websocket.empty()) {
    if (const auto config = read_configuration(asked.config, report))
      check_upstream(*config, *domain, report);
  }
  if (!asked.url.empty()) check_bosh(asked.url, *domain, report);
  if (!asked.websocket.empty()) check_websocket(asked.websocket, report);
  return report.finish(*domain);
}

}  // namespace boshctl
