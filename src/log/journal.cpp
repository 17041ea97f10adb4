#include "src/log/journal.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>

// A line says what it is about by itself; where in the source it was written is of no use to an operator.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "src/log/log_text.hpp"
#include "src/text.hpp"

namespace boshd {

namespace {

constexpr std::array<std::string_view, 4> priorities{"7", "6", "4", "3"};  // syslog(3)

constexpr std::array<KnownEvent, 22> events{{
    {"accept-failed", "c149121d37ac4d15b87a056393dface5", true},
    {"access-log-failed", "c06bab23f1a84873a97c0dd7e60fb11a"},
    {"certificate", "38e73e68000b44dba276afcd06406062"},
    {"certificate-useless", "daae1944072d4a4da8642e8f55636b19"},
    {"certificates-kept", "6a347fe5ddc24eb1b4596caf79e2fd1e"},
    {"certificates-renewed", "91a83061496b4ce9aa0b5e44066bfbd7"},
    {"connection-refused", "a2cecb4003bd4959b6327f75fc3ebac2", true},
    {"draining", "965f8825e41e48fb8fe75d169d6e2c81"},
    {"listening", "8f7cb263d7464f9bb8c8d353792a73a1"},
    {"listening-no-more", "017b221606c34a31b9a74042481ea562"},
    {"proxy-header-refused", "11d670575ba74e7c8cefc65b3a113928", true},
    {"proxy-problem", "d82d497b09a74a73aa4e50c1fd8b04bd", true},
    {"reload-failed", "9b96a41b03774afea4461b87469ce538"},
    {"reloaded", "bc0f75bd16fc46b6ba9c718068e4c8f8"},
    {"resumed", "98a9646e46894a318a491c7465a55e61"},
    {"session-end", "02f8b89da82f48b49f65560cbcd2b0b6"},
    {"session-refused", "af1e12fa4f3c4346a191183d0d8a7be0", true},
    {"stopping", "9dd3ca16de454bbe85f9cd67616d9e0a"},
    {"suppressed", "5dbc968f19174214a33ae5b36272fbb1"},
    {"upstream-failed", "aeb3b169245742ada5d09ca46b7ed8b4", true},
    {"upstream-lost", "9927c3ba200f4ce89819d78e219d8c78"},
    {"upstream-next", "515ddda0782449619a0a94b72a1d8a31", true},
}};
static_assert(std::ranges::is_sorted(events, {}, &KnownEvent::name));

std::string journal_name(std::string_view key) {
  std::string name = "BOSHD_";
  for (const char c : key)
    name += is_digit(c) ? c : is_letter(c) ? static_cast<char>(lower(c) - 'a' + 'A') : '_';
  return name;
}

}  // namespace

std::span<const KnownEvent> known_events() {
  return events;
}

const KnownEvent* find_event(std::string_view name) {
  const auto* found = std::ranges::lower_bound(events, name, {}, &KnownEvent::name);
  return found != events.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string> journal_fields(LogLevel level, std::string_view event,
                                        std::span<const Field> fields) {
  const std::string text = fields_text(fields);
  std::vector<std::string> all;
  all.reserve(fields.size() + 5);
  all.push_back("MESSAGE=" + std::string(event) + (text.empty() ? "" : " ") + text);
  all.push_back("PRIORITY=" + std::string(priorities[static_cast<std::size_t>(level)]));
  all.emplace_back("SYSLOG_IDENTIFIER=boshd");
  if (const KnownEvent* known = find_event(event))
    all.push_back("MESSAGE_ID=" + std::string(known->message_id));
  all.push_back("BOSHD_EVENT=" + std::string(event));
  for (const Field& field : fields) {
    std::string_view value = field.value;
    // What is to be searched for has to be typed.
    if (field.key == "sid" && value.ends_with("…")) value.remove_suffix(std::string_view("…").size());
    all.push_back(journal_name(field.key) + '=' + std::string(value));
  }
  return all;
}

bool is_journal_stream(const char* journal_stream, int descriptor) {
  struct stat known {};
  if (journal_stream == nullptr || ::fstat(descriptor, &known) != 0) return false;
  return std::to_string(known.st_dev) + ':' + std::to_string(known.st_ino) == journal_stream;
}

bool journal_is_there() {
  return ::access("/run/systemd/journal/socket", W_OK) == 0;
}

bool send_to_journal(std::span<const std::string> fields) {
  std::vector<iovec> parts(fields.size());
  // The kernel only reads what a vector for sending points to.
  std::ranges::transform(fields, parts.begin(), [](const std::string& field) {
    return iovec{const_cast<char*>(field.data()), field.size()};
  });
  return ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) >= 0;
}

}  // namespace boshd
