#include "boshctl/show.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>

#include "boshctl/table.hpp"

namespace boshctl {

namespace {

/// A column of a list, made from a field; left out when no line has it.
struct Field {
  const char* title;
  const char* key;
  std::string (*show)(const Json& value);
  bool right = false;
};

std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_array()) {
    std::string all;
    for (const Json& one : value) all += (all.empty() ? "" : ", ") + plain(one);
    return all;
  }
  return value.dump();
}

std::string size(const Json& value) {
  return value.is_number() ? size_text(value.get<double>()) : "-";
}

std::string age(const Json& value) {
  return value.is_number() ? age_text(value.get<double>()) : "-";
}

std::string delay(const Json& value) {
  return value.is_number() ? delay_text(value.get<double>()) : "-";
}

std::string count(const Json& value) {
  return value.is_number() ? count_text(value.get<double>()) : "-";
}

std::string moment(const Json& value) {
  return value.is_number() ? clock_text(value.get<double>()) : "-";
}

std::string list(const std::vector<Json>& lines, const std::vector<Field>& fields, std::size_t width) {
  std::vector<Column> columns;
  std::vector<const Field*> shown;
  for (const Field& field : fields)
    if (std::ranges::any_of(lines, [&](const Json& line) { return line.contains(field.key); })) {
      columns.push_back({field.title, field.right});
      shown.push_back(&field);
    }
  std::vector<Row> rows;
  for (const Json& line : lines) {
    Row row;
    for (const Field* field : shown)
      row.push_back(line.contains(field->key) ? field->show(line[field->key]) : "-");
    rows.push_back(std::move(row));
  }
  return format_table(columns, rows, width);
}

/// Fields one below the other; objects in them are indented.
void describe(std::string& out, const Json& json, const std::string& indent) {
  std::size_t widest = 0;
  for (const auto& [key, value] : json.items()) widest = std::max(widest, key.size());
  for (const auto& [key, value] : json.items()) {
    std::string name = key;
    std::ranges::replace(name, '_', ' ');
    const bool nested =
        value.is_object() || (value.is_array() && !value.empty() && value.front().is_object());
    if (!nested) {
      const bool bytes = key.ends_with("bytes");
      const std::string shown = bytes                      ? size(value)
                                : key.ends_with("seconds") ? age(value)
                                                           : printable(plain(value));
      out += indent + name + std::string(widest - key.size() + 2, ' ') + shown + "\n";
      continue;
    }
    if (value.is_object()) {
      out += indent + name + "\n";
      describe(out, value, indent + "  ");
      continue;
    }
    for (const Json& one : value) {
      out += indent + name + "\n";
      describe(out, one, indent + "  ");
    }
  }
}

std::string describe_all(const std::vector<Json>& lines) {
  std::string out;
  for (const Json& line : lines) describe(out, line, "");
  return out;
}

std::string show_sessions(std::vector<Json> lines, std::size_t width) {
  if (lines.empty()) return "There are no sessions.\n";
  for (Json& line : lines) line["who"] = line.value("jid", Json()).is_string() ? line["jid"] : line["domain"];
  return list(lines,
              {{"ID", "id", plain},
               {"KEY", "key", plain},
               {"TRANSPORT", "transport", plain},
               {"WHO", "who", plain},
               {"ADDRESS", "address", plain},
               {"STATE", "state", plain},
               {"AGE", "seconds", age, true},
               {"HELD", "held", count, true},
               {"QUEUED", "queued_bytes", size, true},
               {"CACHED", "cached_bytes", size, true},
               {"REQUESTS", "requests", count, true},
               {"REPEATED", "replays", count, true},
               {"IN", "bytes_in", size, true},
               {"OUT", "bytes_out", size, true},
               {"MAX DELAY", "max_delay_seconds", delay, true},
               {"THREAD", "thread", count, true}},
              width);
}

std::string show_upstreams(std::vector<Json> lines, std::size_t width) {
  if (lines.empty()) return "No server has been asked for yet.\n";
  for (Json& line : lines)
    if (line.contains("last_failure"))
      line["last"] = clock_text(number(line["last_failure"], "time")) + " " +
                     text(line["last_failure"], "step") + ": " + text(line["last_failure"], "reason");
  return list(lines,
              {{"SERVER", "server", plain},
               {"OPEN", "open", count, true},
               {"CONNECTING", "connecting", count, true},
               {"ENCRYPTED", "encrypted", count, true},
               {"TLS", "tls", plain},
               {"FAILURES", "failures", count, true},
               {"LAST FAILURE", "last", plain}},
              width);
}

std::string show_limits(std::vector<Json> lines, std::size_t width) {
  for (Json& line : lines) {
    const bool bytes = text(line, "unit") == "bytes";
    const auto shown = [&](const Json& value) { return bytes ? size(value) : count(value); };
    const bool off = number(line, "value") == 0;
    line["share"] = off || !line["used"].is_number()
                        ? "-"
                        : count_text(std::ceil(100 * number(line, "used") / number(line, "value"))) + " %";
    line["used"] = shown(line["used"]);
    line["value"] = off ? "none" : shown(line["value"]) + (bytes ? "" : " " + text(line, "unit"));
  }
  return list(lines,
              {{"LIMIT", "limit", plain},
               {"VALUE", "value", plain, true},
               {"USED", "used", plain, true},
               {"SHARE", "share", plain, true},
               {"REFUSED", "refused", count, true}},
              width);
}

std::string show_tls(const std::vector<Json>& lines, std::size_t width) {
  if (lines.empty()) return "boshd has no certificates of its own: no listener speaks TLS.\n";
  return list(lines,
              {{"FILE", "file", plain}, {"NAMES", "names", plain}, {"DAYS LEFT", "days_left", count, true}},
              width);
}

std::string show_errors(const std::vector<Json>& lines, std::size_t width) {
  if (lines.empty()) return "There were no warnings and no errors.\n";
  return list(lines,
              {{"TIME", "time", moment},
               {"LEVEL", "level", plain},
               {"EVENT", "event", plain},
               {"COUNT", "count", count, true},
               {"TEXT", "text", plain}},
              width);
}

std::string show_reload(const std::vector<Json>& lines) {
  std::string out = "The configuration and the certificates were read anew.\n";
  const std::string keys = lines.empty() ? "" : plain(lines.front().value("need_restart", Json::array()));
  return keys.empty() ? out : out + "Only a restart changes " + keys + ".\n";
}

void add_list(std::string& out, const Json& status, const char* key, const char* title,
              const std::vector<Field>& fields, std::size_t width, std::size_t most) {
  if (!status.contains(key) || status[key].empty()) return;
  const std::vector<Json> all = status[key].get<std::vector<Json>>();
  const std::vector<Json> first(all.begin(),
                                all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size())));
  out += std::string("\n") + title + "\n" + list(first, fields, width);
}

}  // namespace

double number(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_number() ? json[key].get<double>() : 0;
}

std::string text(const Json& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

std::string clock_text(double time) {
  const auto whole = static_cast<std::time_t>(std::floor(time));
  std::tm local{};
  ::localtime_r(&whole, &local);
  char date[32];
  std::strftime(date, sizeof date, "%H:%M:%S", &local);
  char all[48];
  std::snprintf(all, sizeof all, "%s.%03d", date, static_cast<int>((time - std::floor(time)) * 1000));
  return all;
}

std::string show_status(const Json& status, std::size_t width) {
  static const Json none = Json::object();
  const auto part = [&](const char* key) -> const Json& { return status.contains(key) ? status[key] : none; };
  const Json& sessions = part("sessions");
  const Json& rates = part("rates");
  const Json& delays = part("delay_seconds");
  const double all = number(sessions, "bosh") + number(sessions, "websocket");
  const auto delay_of = [&](const char* key) {
    return delays.is_object() ? delay_text(number(delays, key)) : "-";
  };
  std::string out = "boshd " + text(status, "version") + "  " + text(status, "state");
  if (const double started = number(status, "started"); started > 0)
    out += "  up " + age_text(number(status, "now") - started);
  out += "\nsessions " + count_text(all) + " of " + count_text(number(sessions, "limit")) + " (bosh " +
         count_text(number(sessions, "bosh")) + ", websocket " + count_text(number(sessions, "websocket")) +
         ")  held requests " + count_text(number(status, "held_requests")) + "  http connections " +
         count_text(number(status, "http_connections")) + "\na second: sessions " +
         count_text(number(rates, "sessions")) + "  requests " + count_text(number(rates, "requests")) +
         "  stanzas in " + count_text(number(rates, "stanzas_in")) + ", out " +
         count_text(number(rates, "stanzas_out")) + "  bytes in " + size_text(number(rates, "bytes_in")) +
         ", out " + size_text(number(rates, "bytes_out")) + "\ndelay p50 " + delay_of("p50") + "  p90 " +
         delay_of("p90") + "  p99 " + delay_of("p99") + "  created " +
         count_text(number(sessions, "created")) + "  ended " + count_text(number(sessions, "ended")) +
         "  refused " + count_text(number(sessions, "refused")) + "\n";
  constexpr std::size_t most = 5;
  add_list(out, status, "ended", "Ends",
           {{"REASON", "reason", plain},
            {"TRANSPORT", "transport", plain},
            {"ALL", "count", count, true},
            {"10 MIN", "recent", count, true}},
           width, most);
  add_list(out, status, "refused", "Refused",
           {{"REASON", "reason", plain}, {"ALL", "count", count, true}, {"10 MIN", "recent", count, true}},
           width, most);
  add_list(out, status, "domains", "Domains",
           {{"NAME", "name", plain}, {"SESSIONS", "sessions", count, true}}, width, most);
  add_list(out, status, "addresses", "Addresses",
           {{"ADDRESS", "address", plain}, {"SESSIONS", "sessions", count, true}}, width, most);
  add_list(out, status, "proxies", "Proxies",
           {{"ADDRESS", "address", plain}, {"PROBLEM", "problem", plain}, {"ADVICE", "advice", plain}}, width,
           most);
  add_list(out, status, "errors", "Problems",
           {{"TIME", "time", moment},
            {"EVENT", "event", plain},
            {"COUNT", "count", count, true},
            {"TEXT", "text", plain}},
           width, most);
  return out;
}

std::string show_answer(std::string_view command, const std::vector<Json>& lines, std::size_t width) {
  if (command == "show sessions") return show_sessions(lines, width);
  if (command == "show upstreams") return show_upstreams(lines, width);
  if (command == "show limits") return show_limits(lines, width);
  if (command == "show tls") return show_tls(lines, width);
  if (command == "show errors") return show_errors(lines, width);
  if (command == "status" && !lines.empty()) return show_status(lines.front(), width);
  if (command.starts_with("kill") && !lines.empty())
    return "Session " + text(lines.front(), "id") + " is ended.\n";
  if (command == "drain") return "No new sessions begin; `boshctl resume` ends that.\n";
  if (command == "resume") return "New sessions begin again.\n";
  if (command.starts_with("log level"))
    return "The level of the log is " + std::string(command.substr(10)) + ".\n";
  if (command == "reload") return show_reload(lines);
  return describe_all(lines);
}

std::string show_trace(const Json& line) {
  const std::string event = text(line, "event");
  if (event == "following")
    return "Following; " + count_text(number(line, "sessions")) +
           " of the sessions that are there are meant.\n";
  if (event == "dropped") return "… " + count_text(number(line, "count")) + " lines were dropped …\n";
  const auto arrow = [&] {
    if (event == "request") return "client → boshd ";
    if (event == "answer") return "client ← boshd ";
    if (event == "to-server") return "         boshd → server ";
    if (event == "from-server") return "         boshd ← server ";
    return event == "upstream" ? "         boshd ↔ server " : "";
  };
  std::string out = clock_text(number(line, "time")) + " " + text(line, "id") + " " + arrow();
  if (event == "begin" || event == "end") out += event + " ";
  if (line.contains("rid")) out += "rid " + line["rid"].dump() + " ";
  if (const std::string what = text(line, "text"); !what.empty()) out += printable(what) + " ";
  if (event == "upstream") out += text(line, "server") + " ";
  const std::string xml = text(line, "xml");
  if (!xml.empty()) out += "\n    " + printable(xml);
  if (line.contains("cut_bytes")) out += " … and " + size_text(number(line, "cut_bytes")) + " more";
  while (out.ends_with(' ')) out.pop_back();
  return out + "\n";
}

}  // namespace boshctl
