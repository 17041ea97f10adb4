#include "src/operate/doctor.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "src/forwarding.hpp"
#include "src/text.hpp"

namespace boshd {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_patients = 200;
constexpr Doctor::Duration memory_of_evidence = 1h;

// Of one address, before anything is said.
constexpr std::uint64_t enough_requests = 20;
constexpr std::uint64_t enough_sessions = 3;
constexpr std::uint64_t enough_handshakes = 5;
constexpr std::uint64_t enough_faulty_handshakes = 3;

// Clients leave at any time, a proxy's patience always ends at the same one. Pages that are reloaded at once
// leave within seconds; a proxy that were so impatient would be of no use at all.
constexpr Doctor::Duration least_cut = 5s;
constexpr Doctor::Duration tolerance = 1s;
constexpr std::size_t enough_cuts = 5;     // of the latest eight
constexpr std::size_t enough_moments = 3;  // a proxy that is restarted cuts many at one moment
constexpr Doctor::Duration moment = 1s;

bool is_this_machine(std::string_view host) {
  if (const auto address = parse_address(host)) return is_loopback(*address);
  host = host.substr(0, host.find(':'));
  return equal_ignoring_case(host, "localhost") || host.empty();
}

/// Whether a page or a host from elsewhere is named: who comes from this machine with it comes through a
/// proxy on it.
bool names_another_machine(const HttpRequest& request) {
  std::string_view origin = request.origin;
  cut(origin, "://");
  return !is_this_machine(origin.empty() ? std::string_view(request.host) : origin);
}

std::string_view name_of(ForwardingHeader header) {
  return header == ForwardingHeader::forwarded ? "Forwarded" : "X-Forwarded-For";
}

const std::string& list_of(const HttpRequest& request, ForwardingHeader header) {
  return header == ForwardingHeader::forwarded ? request.forwarded : request.x_forwarded_for;
}

std::string advice_without_header(const HttpRequest& request, ForwardingHeader header) {
  const bool standard = header == ForwardingHeader::forwarded;
  const ForwardingHeader other = standard ? ForwardingHeader::x_forwarded : ForwardingHeader::forwarded;
  std::string text =
      "it sends no " + std::string(name_of(header)) + ", so all its clients count as one address; ";
  if (!list_of(request, other).empty())
    return text + "it sends " + std::string(name_of(other)) + ": name that in [proxy] header";
  if (standard) return text + "let it send the header, or X-Forwarded-For and name that in [proxy] header";
  return text +
         "nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; HAProxy: option forwardfor; "
         "Apache sends it "
         "by itself";
}

std::string advice_to_trust(const Address& proxy, ForwardingHeader header) {
  return "it names its clients in " + std::string(name_of(header)) +
         ", but is not trusted, so all of them count as one address; if it is your proxy, add '" +
         to_string(proxy) + "' to [proxy] trusted";
}

std::string advice_on_cuts(std::chrono::seconds after, const Config& config) {
  const std::string enough = std::to_string((config.session.wait + 15s).count());
  std::string text = "it cuts held requests after " + std::to_string(after.count()) +
                     " s; nginx: proxy_read_timeout " + enough + "s; Apache: ProxyTimeout " + enough +
                     ", or timeout=" + enough + " at ProxyPass; HAProxy: timeout server " + enough + "s";
  if (config.proxy.adapt_wait)
    text += "; until then requests behind it are held for " + std::to_string(patience_below(after).count()) +
            " s";
  return text;
}

constexpr std::string_view advice_on_version =
    "it speaks HTTP/1.0: a new connection for each request, and no WebSocket; nginx: proxy_http_version 1.1; "
    "and "
    "proxy_set_header Connection '';";
constexpr std::string_view advice_on_upgrade =
    "it passes WebSocket handshakes on without Upgrade; nginx: proxy_http_version 1.1; proxy_set_header "
    "Upgrade "
    "$http_upgrade; proxy_set_header Connection upgrade; Apache: upgrade=websocket at ProxyPass; HAProxy "
    "passes them on by "
    "itself";

}  // namespace

std::string_view to_string(ProxyProblem problem) {
  constexpr std::array<std::string_view, proxy_problems> words{"no-forwarded-for", "untrusted-forwarded-for",
                                                               "held-requests-cut", "http10", "no-upgrade"};
  return words[static_cast<std::size_t>(problem)];
}

std::chrono::seconds patience_below(std::chrono::seconds cut_after) {
  return std::max(cut_after - 5s, 5s);
}

// --- Evidence ---

/// Whoever sends headers can become one: there is room for so many, and the one that was quiet for the
/// longest time goes.
Doctor::Patient& Doctor::patient(const Address& proxy, Time now) {
  if (patients_.size() >= most_patients && !patients_.contains(proxy))
    patients_.erase(
        std::ranges::min_element(patients_, {}, [](const auto& entry) { return entry.second.seen; }));
  Patient& found = patients_[proxy];
  found.seen = now;
  return found;
}

void Doctor::add(Evidence& evidence, bool opens, Time now) {
  if (evidence.requests == 0 || now - evidence.since > memory_of_evidence) evidence = {.since = now};
  ++evidence.requests;
  if (opens) ++evidence.sessions;
}

void Doctor::tell(ProxyProblem problem, const Address& proxy, Evidence& evidence, std::string advice) {
  const std::uint64_t requests = std::exchange(evidence, {}).requests;
  report_({problem, proxy, std::move(advice), requests, {}});
}

bool is_enough(Doctor::Kind kind, std::uint64_t requests, std::uint64_t sessions) {
  if (kind == Doctor::Kind::websocket) return requests >= enough_handshakes;
  return requests >= enough_requests && sessions >= enough_sessions;
}

// --- Requests ---

bool Doctor::looks_at(const HttpRequest& request, bool proxied, Kind kind, bool opens,
                      ForwardingHeader header) const {
  if (kind == Kind::websocket || request.version == 10 || !patients_.empty()) return true;
  return !proxied && (opens || !list_of(request, header).empty());
}

void Doctor::on_request(const Passage& passage, const HttpRequest& request, Kind kind, bool opens,
                        const Config& config, Time now) {
  const bool upgrades = request.connection_upgrade && !request.upgrade.empty();
  if (kind == Kind::websocket && !upgrades) {
    Evidence& evidence = patient(passage.proxy, now).no_upgrade;
    add(evidence, false, now);
    if (evidence.requests >= enough_faulty_handshakes)
      tell(ProxyProblem::no_upgrade, passage.proxy, evidence, std::string(advice_on_upgrade));
    return;
  }
  if (!passage.by_header) look_at_header(passage, request, kind, opens, config, now);
  if (request.version == 10) look_at_version(passage, request, kind, now);
}

void Doctor::look_at_header(const Passage& passage, const HttpRequest& request, Kind kind, bool opens,
                            const Config& config, Time now) {
  const ForwardingHeader header = config.proxy.header;
  const std::string& list = list_of(request, header);
  const auto index = static_cast<std::size_t>(kind);
  if (!passage.trusted) {
    if (!list.empty()) look_at_foreign(passage, list, kind, opens, config, now);
    return;
  }
  if (!list.empty()) {
    // One request with the header shows that the others are not the proxy's fault.
    if (const auto known = patients_.find(passage.proxy); known != patients_.end())
      known->second.bare[index] = {};
    return;
  }
  if (is_loopback(passage.proxy) && !names_another_machine(request)) return;
  Evidence& evidence = patient(passage.proxy, now).bare[index];
  add(evidence, opens, now);
  if (is_enough(kind, evidence.requests, evidence.sessions))
    tell(ProxyProblem::no_forwarded_for, passage.proxy, evidence, advice_without_header(request, header));
}

/// A proxy on the clients' side says such things, too: it is known by the private addresses of its clients,
/// or by having only one.
void Doctor::look_at_foreign(const Passage& passage, std::string_view list, Kind kind, bool opens,
                             const Config& config, Time now) {
  const Address client = client_address(passage.proxy, list, config.proxy.header, {{passage.proxy}});
  if (client == passage.proxy || (is_public(passage.proxy) && !is_public(client))) return;
  Patient& seen = patient(passage.proxy, now);
  Evidence& evidence = seen.foreign[static_cast<std::size_t>(kind)];
  add(evidence, opens, now);
  if (seen.first_client == Address{}) seen.first_client = client;
  seen.several_clients |= seen.first_client != client;
  if (seen.several_clients && is_enough(kind, evidence.requests, evidence.sessions))
    tell(ProxyProblem::untrusted_forwarded_for, passage.proxy, evidence,
         advice_to_trust(passage.proxy, config.proxy.header));
}

void Doctor::look_at_version(const Passage& passage, const HttpRequest& request, Kind kind, Time now) {
  const bool forwards = !request.x_forwarded_for.empty() || !request.forwarded.empty();
  const bool proxy =
      passage.by_header ||
      (passage.trusted && (forwards || !is_loopback(passage.proxy) || names_another_machine(request)));
  if (!proxy) return;
  Evidence& evidence = patient(passage.proxy, now).old_version;
  add(evidence, false, now);
  const std::uint64_t enough = kind == Kind::websocket ? enough_faulty_handshakes : enough_requests;
  if (evidence.requests >= enough)
    tell(ProxyProblem::http10, passage.proxy, evidence, std::string(advice_on_version));
}

// --- Held requests ---

void Doctor::on_cut(const Address& proxy, Duration held, const Config& config, Time now) {
  if (held < least_cut) return;
  Patient& seen = patient(proxy, now);
  seen.cuts[seen.cut_count++ % seen.cuts.size()] = {held, now};
  suspects_cuts_ = true;
  judge_cuts(proxy, seen, config);
}

void Doctor::on_answer(const Address& proxy, Duration held, Time now) {
  const auto known = patients_.find(proxy);
  if (known == patients_.end() || known->second.cut_count == 0) return;
  Patient& seen = known->second;
  if (held <= seen.longest_answered && now - seen.answered_at < memory_of_evidence) return;
  seen.longest_answered = held;
  seen.answered_at = now;
}

void Doctor::judge_cuts(const Address& proxy, Patient& seen, const Config& config) {
  std::vector<Cut> cuts(seen.cuts.begin(), seen.cuts.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                   seen.cut_count, seen.cuts.size())));
  if (cuts.size() < enough_cuts) return;
  std::ranges::sort(cuts, {}, &Cut::held);
  const Duration usual = cuts[cuts.size() / 2].held;
  std::erase_if(cuts,
                [&](const Cut& cut) { return cut.held < usual - tolerance || cut.held > usual + tolerance; });
  if (cuts.size() < enough_cuts) return;
  std::ranges::sort(cuts, {}, &Cut::at);
  std::size_t moments = 1;
  for (Time last = cuts.front().at; const Cut& cut : cuts)
    if (cut.at - last >= moment) {
      ++moments;
      last = cut.at;
    }
  // Who was held for longer, and answered, shows that it isn't the proxy.
  const bool outlived = seen.longest_answered > usual + 2 * tolerance && seen.answered_at >= cuts.front().at;
  if (moments < enough_moments || outlived) return;
  seen.cut_count = 0;
  seen.longest_answered = {};
  const auto after = std::chrono::round<std::chrono::seconds>(usual);
  report_({ProxyProblem::held_requests_cut, proxy, advice_on_cuts(after, config), cuts.size(), after});
}

}  // namespace boshd
