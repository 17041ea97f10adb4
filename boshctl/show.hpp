// boshd's lines of JSON as text for people.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace boshctl {

using Json = nlohmann::ordered_json;

/// How the answer to this command is shown: `command` as it is sent, `lines` without the last.
std::string show_answer(std::string_view command, const std::vector<Json>& lines, std::size_t width);
/// One line of a trace.
std::string show_trace(const Json& line);
/// /status.json; a screen that is refreshed shows the sessions, too.
std::string show_status(const Json& status, std::size_t width);

/// Fields that may be missing.
double number(const Json& json, const char* key);
std::string text(const Json& json, const char* key);
/// "12:03:04.567" in local time.
std::string clock_text(double time);

}  // namespace boshctl
