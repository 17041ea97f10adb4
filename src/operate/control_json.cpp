#include "src/operate/control_json.hpp"

#include <nlohmann/json.hpp>

namespace boshd {

namespace {

using Json = nlohmann::ordered_json;

/// What isn't UTF-8 is replaced.
std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

double seconds(std::chrono::system_clock::time_point time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  return static_cast<double>(milliseconds.count()) / 1000;
}

void put_if(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

void put_if(Json& json, const char* key, const std::optional<std::chrono::seconds>& value) {
  if (value) json[key] = value->count();
}

Json leg_json(const LegFigures& leg) {
  Json json{{"stream", leg.stream}, {"domain", leg.domain}, {"server", leg.server}, {"step", leg.step}};
  put_if(json, "account", leg.account);
  if (leg.tls.empty())
    json["tls"] = nullptr;
  else
    json["tls"] = {{"version", leg.tls}, {"cipher", leg.cipher}};
  json["unsent_bytes"] = leg.unsent;
  json["stream_management"] = leg.managed;
  put_if(json, "open_within", leg.open_within);
  put_if(json, "log_in_within", leg.log_in_within);
  return json;
}

Json session_json(const SessionFigures& session) {
  Json json{{"id", session.id},
            {"key", key_text(session.key)},
            {"transport", session.websocket ? "websocket" : "bosh"},
            {"domain", session.domain},
            {"jid", session.jid.empty() ? Json() : Json(session.jid)},
            {"address", to_string(session.client.address)},
            {"seconds", session.age.count()},
            {"state", session.state},
            {"held", session.held},
            {"queued_bytes", session.queued},
            {"cached_bytes", session.cached},
            {"requests", session.requests},
            {"replays", session.replays},
            {"stanzas_in", session.stanzas_in},
            {"stanzas_out", session.stanzas_out},
            {"bytes_in", session.bytes_in},
            {"bytes_out", session.bytes_out},
            {"max_delay_seconds", static_cast<double>(session.longest_delay.count()) / 1000},
            {"thread", session.thread}};
  return json;
}

}  // namespace

std::string error_line(std::string_view sentence) {
  return line({{"error", sentence}});
}

std::string following_line(std::size_t sessions) {
  return line({{"event", "following"}, {"sessions", sessions}});
}

std::string dropped_line(std::uint64_t count) {
  return line({{"event", "dropped"}, {"count", count}});
}

std::string session_line(const SessionFigures& session) {
  return line(session_json(session));
}

std::string session_details(const SessionFigures& session) {
  Json json = session_json(session);
  json["port"] = session.client.port;
  json["client_tls"] = session.tls;
  json["script_syntax"] = session.script;
  json["waits_for_server"] = session.server_full;
  json["waits_for_client"] = session.client_full;
  put_if(json, "due_within", session.due_within);
  json["streams"] = Json::array();
  for (const LegFigures& leg : session.legs) json["streams"].push_back(leg_json(leg));
  return line(json);
}

std::string trace_line(const TraceEvent& event, Unmasked unmasked) {
  Json json{{"time", seconds(event.time)}, {"id", event.id}, {"key", key_text(event.key)}};
  put_if(json, "jid", event.jid);
  json["event"] = event.event;
  if (event.rid != 0) json["rid"] = event.rid;
  put_if(json, "server", event.server);
  put_if(json, "text", event.text);
  put_if(json, "xml", mask(event.xml, unmasked));
  if (event.cut > 0) json["cut_bytes"] = event.cut;
  return line(json);
}

std::string certificate_line(const ServerTls::Known& known, std::chrono::system_clock::time_point now) {
  const auto days = std::chrono::floor<std::chrono::days>(known.expires - now).count();
  return line({{"file", known.file},
               {"names", known.names},
               {"expires", seconds(known.expires)},
               {"days_left", days}});
}

std::string problem_line(const Problem& problem) {
  return line({{"time", seconds(problem.time)},
               {"level", to_string(problem.level)},
               {"event", problem.event},
               {"text", problem.text},
               {"count", problem.count}});
}

std::string server_line(const ServerUse& use) {
  Json json{{"server", use.server},
            {"open", use.open},
            {"connecting", use.connecting},
            {"encrypted", use.encrypted},
            {"tls", use.tls.empty() ? Json() : Json(use.tls)},
            {"failures", use.failures.count}};
  if (use.failures.count > 0)
    json["last_failure"] = {
        {"time", seconds(use.failures.at)}, {"step", use.failures.step}, {"reason", use.failures.reason}};
  return line(json);
}

}  // namespace boshd
