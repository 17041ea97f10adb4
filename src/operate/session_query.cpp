#include "src/operate/session_query.hpp"

#include <algorithm>
#include <charconv>

#include "src/text.hpp"

namespace boshd {

namespace {

constexpr std::size_t least_digits = 4;  // of a sid: fewer are everybody's
constexpr std::string_view ellipsis = "…";

bool is_jid(std::string_view jid, std::string_view wanted) {
  if (wanted.find('/') != wanted.npos) {
    const auto size = wanted.find('/');  // resources differ in case
    return jid.size() == wanted.size() && equal_ignoring_case(jid.substr(0, size), wanted.substr(0, size)) &&
           jid.substr(size) == wanted.substr(size);
  }
  return equal_ignoring_case(jid.substr(0, jid.find('/')), wanted);
}

}  // namespace

bool SessionQuery::matches(const SessionNames& session) const {
  if (key != 0) return session.key == key;
  if (client) return session.client == *client;
  if (!jid.empty()) return is_jid(session.jid, jid);
  return !sid.empty() && session.sid.starts_with(sid);
}

std::optional<SessionQuery> read_session_query(std::string_view text, std::string_view label) {
  SessionQuery query;
  if (text.starts_with('#')) {
    text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), query.key, 16);
    if (error != std::errc() || end != text.data() + text.size() || query.key == 0) return std::nullopt;
    return query;
  }
  if (const auto at = text.find('@'); at != text.npos) {
    if (at == 0 || at + 1 == text.size()) return std::nullopt;
    query.jid = text;
    return query;
  }
  if ((query.client = parse_ip(text))) return query;
  if (text.ends_with(ellipsis)) text.remove_suffix(ellipsis.size());
  if (text.ends_with("...")) text.remove_suffix(3);
  std::string_view digits = text;
  if (!label.empty()) {
    if (!digits.starts_with(label) || digits.substr(label.size(), 1) != "-") return std::nullopt;
    digits.remove_prefix(label.size() + 1);
  }
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  if (digits.size() < least_digits || !std::ranges::all_of(digits, is_hex)) return std::nullopt;
  query.sid = text;
  return query;
}

std::string key_text(std::uint64_t key) {
  char digits[17];
  const auto end = std::to_chars(digits, digits + sizeof digits, key, 16).ptr;
  return "#" + std::string(digits, end);
}

}  // namespace boshd
