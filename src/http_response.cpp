#include "src/http_response.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <utility>

#include "src/coding.hpp"
#include "src/text.hpp"

namespace boshd {
namespace {

constexpr std::size_t most_echoed_names = 1000;  // bytes

bool is_one_line(std::string_view text) {
  return text.find('\r') == std::string_view::npos && text.find('\n') == std::string_view::npos;
}
bool has_no_content(unsigned status) {
  return status < 200 || status == 204 || status == 304;
}

/// `Date: …`, made once a second and thread (D-042).
std::string_view date_line() {
  thread_local std::time_t made_for = -1;
  thread_local std::array<char, 64> line;
  thread_local std::size_t size = 0;
  const auto now = std::time(nullptr);
  if (now != made_for) {
    constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&now, &utc);
    const int length = std::snprintf(
        line.data(), line.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday],
        utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    size = static_cast<std::size_t>(length);
    made_for = now;
  }
  return {line.data(), size};
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  assert(is_one_line(value));
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

/// The names to allow: Content-Type and those that were asked for, put together anew from checked names.
std::string allowed_headers(std::string_view asked) {
  std::string names = "Content-Type";
  if (asked.size() > most_echoed_names) return names;
  while (!asked.empty()) {
    const auto name = trim(cut(asked, ","));
    if (!is_token(name)) return "Content-Type";
    if (equal_ignoring_case(name, "Content-Type")) continue;
    names += ", ";
    names += name;
  }
  return names;
}

}  // namespace

OriginVerdict check_origin(const std::vector<std::string>& origins, std::string_view origin,
                           bool credentials) {
  const auto listed = [&](std::string_view one) {
    return std::find(origins.begin(), origins.end(), one) != origins.end();
  };
  if (listed("*")) return {.allowed = true, .header = "*", .vary = false};
  if (origin.empty()) return {.allowed = true, .header = "", .vary = true};
  const bool allowed = listed(origin);
  return {.allowed = allowed,
          .header = std::string(allowed ? origin : ""),
          .vary = true,
          .credentials = allowed && credentials};
}

HttpContext make_context(const HttpRequest& request, const OriginVerdict& origin) {
  return {.keep_alive = request.keep_alive,
          .version = request.version,
          .allowed_origin = origin.header,
          .vary_origin = origin.vary,
          .credentials = origin.credentials,
          .gzip = accepts_gzip(request.accept_encoding)};
}

void append_head(std::string& out, const HttpContext& context, unsigned status, std::string_view content_type,
                 std::size_t length, std::string_view extra) {
  constexpr std::size_t fixed_parts = 320;  // with the longest reason and the date
  assert(extra.empty() || extra.ends_with("\r\n"));
  const std::string_view caching = context.cacheable ? "public, max-age=3600" : "no-store";
  out.reserve(out.size() + fixed_parts + content_type.size() + caching.size() +
              context.allowed_origin.size() + extra.size());
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
  out += date_line();
  if (!has_no_content(status)) {
    append_line(out, "Content-Type", content_type);
    out += "Content-Length: ";
    append_number(out, length);
    out += "\r\n";
  }
  append_line(out, "Cache-Control", caching);
  out += "X-Content-Type-Options: nosniff\r\n";
  if (!context.allowed_origin.empty())
    append_line(out, "Access-Control-Allow-Origin", context.allowed_origin);
  if (context.credentials) out += "Access-Control-Allow-Credentials: true\r\n";
  if (context.vary_origin) out += "Vary: Origin\r\n";
  if (!context.keep_alive) {
    out += "Connection: close\r\n";
  } else if (context.version == 10) {
    out += "Connection: keep-alive\r\n";
  }
  out += extra;
  out += "\r\n";
}

std::string simple_response(const HttpContext& context, unsigned status, std::string_view text,
                            std::string_view extra, bool head_only) {
  const std::string body = text.empty() ? std::string(reason_phrase(status)) + "\n" : std::string(text);
  std::string response;
  append_head(response, context, status, "text/plain; charset=utf-8", body.size(), extra);
  if (!head_only && !has_no_content(status)) response += body;
  return response;
}

std::string options_response(const HttpContext& context, const HttpRequest& request, std::string_view allow) {
  std::string extra;
  append_line(extra, "Allow", allow);
  if (!context.allowed_origin.empty()) {
    append_line(extra, "Access-Control-Allow-Methods", allow);
    append_line(extra, "Access-Control-Allow-Headers", allowed_headers(request.request_headers));
    append_line(extra, "Access-Control-Max-Age", "7200");
  }
  return simple_response(context, 204, {}, extra);
}

std::string_view reason_phrase(unsigned status) {
  static constexpr std::pair<unsigned, std::string_view> phrases[] = {
      {200, "OK"},
      {204, "No Content"},
      {302, "Found"},
      {304, "Not Modified"},
      {400, "Bad Request"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {413, "Payload Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {505, "HTTP Version Not Supported"},
  };
  const auto* const found = std::ranges::find(phrases, status, &std::pair<unsigned, std::string_view>::first);
  return found == std::end(phrases) ? "" : found->second;
}

}  // namespace boshd
