#include "src/forwarding.hpp"

#include <algorithm>

#include "src/text.hpp"

namespace boshd {

namespace {

constexpr unsigned max_hops = 20;

/// Takes the last item off a list. From the right, since what stands on the left may be anybody's: a quote
/// that a client left open must not swallow what the proxy has added.
std::string_view take_last(std::string_view& list, bool quotes) {
  std::size_t comma = list.rfind(',');
  const auto inside = [&] { return std::ranges::count(list.substr(comma + 1), '"') % 2 != 0; };
  while (quotes && comma != list.npos && inside())
    comma = comma == 0 ? list.npos : list.rfind(',', comma - 1);
  const std::string_view item = list.substr(comma == list.npos ? 0 : comma + 1);
  list = list.substr(0, comma == list.npos ? 0 : comma);
  return trim(item);
}

/// What one hop of a Forwarded header says under a name (RFC 7239 §4), without quotes.
std::string_view parameter(std::string_view hop, std::string_view name) {
  while (!hop.empty()) {
    std::string_view value = trim(cut(hop, ";"));
    if (!equal_ignoring_case(trim(cut(value, "=")), name)) continue;
    value = trim(value);
    if (value.size() > 1 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

}  // namespace

Address client_address(const Address& peer, std::string_view list, ForwardingHeader header,
                       const std::vector<Network>& trusted) {
  Address client = peer;
  const bool standard = header == ForwardingHeader::forwarded;
  for (unsigned hop = 0; hop < max_hops && !list.empty() && is_in(client, trusted); ++hop) {
    const std::string_view item = take_last(list, standard);
    const auto address = parse_address(standard ? parameter(item, "for") : item);
    if (!address) break;
    client = *address;
  }
  return client;
}

Client client_of(const Peer& peer, const HttpRequest& request, ForwardingHeader header,
                 const std::vector<Network>& trusted) {
  const bool standard = header == ForwardingHeader::forwarded;
  const std::string& list = standard ? request.forwarded : request.x_forwarded_for;
  Client client{peer.remote, peer.local, peer.tls, false, request.host};
  if (list.empty() || !is_in(peer.remote.address, trusted)) return client;
  client.proxied = true;
  client.remote.address = client_address(peer.remote.address, list, header, trusted);
  std::string_view hops = standard ? list : request.x_forwarded_proto;
  std::string_view hosts = request.x_forwarded_host;
  const std::string_view latest = take_last(hops, standard);
  const std::string_view proto = standard ? parameter(latest, "proto") : latest;
  const std::string_view host = standard ? parameter(latest, "host") : take_last(hosts, false);
  if (!proto.empty()) client.tls = equal_ignoring_case(proto, "https");
  if (!host.empty()) client.host = host;
  return client;
}

}  // namespace boshd
