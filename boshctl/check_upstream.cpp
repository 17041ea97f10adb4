// From boshd to the servers of a domain: configuration, DNS, TCP, the stream, TLS.
#include <openssl/ssl.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>

#include "boshctl/check.hpp"
#include "boshctl/table.hpp"
#include "boshctl/wire.hpp"
#include "src/config_text.hpp"
#include "src/connector.hpp"
#include "src/proxy_header.hpp"
#include "src/resolver.hpp"
#include "src/tls.hpp"
#include "xml/splitter.hpp"
#include "xmpp/features.hpp"
#include "xmpp/header.hpp"

namespace boshctl {

namespace {

using namespace boshd;

constexpr std::chrono::seconds dns_patience{20};
constexpr std::size_t most_addresses = 16;
constexpr std::uint16_t usual_port = 5222;
constexpr long near_days = 14;
constexpr std::string_view starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view sasl_ns = "urn:ietf:params:xml:ns:xmpp-sasl";
constexpr std::string_view sasl2_ns = "urn:xmpp:sasl:2";

/// One way in: an address, or a Unix socket.
struct Target {
  std::string name;  // for people
  SocketAddress address;
  bool direct_tls = false;
  bool local = false;
};

/// Questions to DNS, one after the other.
class Dns {
 public:
  explicit Dns(const std::vector<std::string>& name_servers) : resolver_(loop_, counters_, name_servers) {}

  HostAnswer host(const std::string& name) {
    return wait<HostAnswer>([&](auto done) { resolver_.find_host(name, done); });
  }
  SrvAnswer services(const std::string& name) {
    return wait<SrvAnswer>([&](auto done) { resolver_.find_srv(name, done); });
  }

 private:
  template <class Answer>
  Answer wait(const std::function<void(std::function<void(const Answer&)>)>& ask) {
    const auto got = std::make_shared<std::optional<Answer>>();
    ask([got](const Answer& answer) { *got = answer; });
    const auto end = std::chrono::steady_clock::now() + dns_patience;
    while (!*got && std::chrono::steady_clock::now() < end) loop_.run_for(std::chrono::milliseconds(20));
    if (*got) return **got;
    Answer late;
    late.error = "the name servers do not answer";
    return late;
  }

  Loop loop_;
  Counters counters_;
  Resolver resolver_;
};

/// What the server's features say.
struct Features {
  bool there = false;
  xmpp::TlsOffer tls;
  std::vector<std::string> mechanisms;
};

class UpstreamCheck {
 public:
  UpstreamCheck(const Config& config, const Servers& servers, const std::string& domain, Report& report)
      : config_(config),
        servers_(servers),
        domain_(domain),
        report_(report),
        dns_(config.upstream.nameservers),
        tls_(servers.ca) {}

  /// Tries all servers; whether one at least can be used.
  bool run() {
    for (const Server& server : servers_.list) take(server);
    bool any = false;
    for (const Target& target : targets_) any = try_target(target) || any;
    return any;
  }

 private:
  // --- Where the servers are ---

  void take(const Server& server) {
    if (server.from_dns) return find_services();
    if (!server.unix_path.empty())
      return targets_.push_back({"unix:" + server.unix_path, SocketAddress(server.unix_path), false, true});
    find_host(server.host, server.port, server.direct_tls, true);
  }

  void find_services() {
    if (parse_ip(domain_)) return find_host(domain_, usual_port, false, false);
    const SrvAnswer plain = service("_xmpp-client._tcp.");
    SrvAnswer direct;
    if (servers_.tls != UpstreamTls::never) direct = service("_xmpps-client._tcp.");
    SrvVerdict verdict = judge_srv(plain, direct);
    if (!verdict.error.empty())
      report_.fail("dns", verdict.error,
                   "Publish an SRV record _xmpp-client._tcp." + domain_ +
                       ", or name the server in [upstream] server.");
    if (verdict.fall_back) {
      report_.note("dns", "there are no SRV records, so the domain's own addresses and port 5222 are tried");
      find_host(domain_ + ".", usual_port, false, false);
    }
    const auto order = srv_order(std::move(verdict.records), [](std::uint32_t most) { return most / 2; });
    for (const SrvRecord& record : order)
      find_host(record.target + ".", record.port, record.direct_tls, false);
  }

  SrvAnswer service(const std::string& service) {
    SrvAnswer answer = dns_.services(service + domain_ + ".");
    if (answer.state == SrvAnswer::State::failed ||
        (answer.state == SrvAnswer::State::none && !answer.error.empty()))
      report_.warn("dns", service + domain_ + ": " + answer.error,
                   "Do the name servers of [upstream] nameservers, or of /etc/resolv.conf, answer?");
    else if (answer.state == SrvAnswer::State::none)
      report_.note("dns", service + domain_ + ": no record");
    for (const SrvRecord& record : answer.records)
      report_.ok("dns", service + domain_ + ": " + (record.target.empty() ? "." : record.target) + " port " +
                            std::to_string(record.port) + ", priority " + std::to_string(record.priority) +
                            ", weight " + std::to_string(record.weight));
    return answer;
  }

  void find_host(const std::string& host, std::uint16_t port, bool direct_tls, bool configured) {
    HostAnswer answer;
    if (const auto address = parse_ip(host))
      answer.addresses = {*address};
    else
      answer = dns_.host(host);
    if (answer.addresses.empty())
      return report_.fail("dns", host + ": " + (answer.error.empty() ? "no address" : answer.error),
                          configured
                              ? "Is the name right that [upstream] server has?"
                              : "Publish an A or AAAA record, or name the server in [upstream] server.");
    for (const Address& address : answer.addresses) {
      const std::string text = is_ipv4(address) ? to_string(address) : "[" + to_string(address) + "]";
      const std::string name = text + ":" + std::to_string(port);
      if (!parse_ip(host)) report_.ok("dns", host + " is " + to_string(address));
      if (!configured && !is_public(address) && !is_in(address, config_.upstream.allow_networks)) {
        report_.fail(
            "dns", name + " is not a public address, and DNS may not lead into the inner network",
            "Put its network into [upstream] allow_networks, or name the server in [upstream] server.");
        continue;
      }
      if (targets_.size() < most_addresses)
        targets_.push_back({name, SocketAddress(address, port), direct_tls, is_loopback(address)});
    }
  }

  // --- One of them ---

  bool try_target(const Target& target) {
    target_ = &target;
    report_.has_failed();
    walk();
    return !report_.has_failed();
  }

  void walk() {
    Wire wire(config_.upstream.connect_timeout);
    if (const std::string fault = wire.connect(target_->address); !fault.empty())
      return report_.fail(
          "connect", target_->name + ": " + fault,
          "Does the XMPP server run there and listen for clients, and does no firewall stand between?");
    report_.ok("connect", target_->name + " within " +
                              delay_text(static_cast<double>(wire.connect_time().count()) / 1e6));
    if (const std::string header = proxy_header(servers_.proxy_protocol, wire.local(), wire.local());
        !header.empty()) {
      report_.note("proxy", "a PROXY header is sent, so the server has to expect one on this port");
      if (!wire.send(header).empty()) return broken("the connection broke at the PROXY header");
    }
    if (target_->direct_tls && !encrypt(wire)) return;
    Features features = open_stream(wire);
    if (!features.there) return;
    if (!target_->direct_tls && wants_tls(features)) {
      if (!features.tls.offered) return no_tls();
      if (!upgrade(wire)) return;
      features = open_stream(wire);
      if (!features.there) return;
    }
    judge_mechanisms(features, wire.tls() != nullptr);
  }

  void broken(const std::string& sentence) {
    const bool sends = servers_.proxy_protocol != ProxyHeader::none;
    report_.fail(
        "stream", target_->name + ": " + sentence,
        sends ? "Does the server take PROXY headers on this port? Else remove [upstream] proxy_protocol."
              : "Is this the server's port for clients (c2s), without TLS from the first byte, and without "
                "PROXY headers? Say tls:// in [upstream] server, or set proxy_protocol.");
  }

  bool wants_tls(const Features& features) const {
    switch (servers_.tls) {
      case UpstreamTls::never:
        return false;
      case UpstreamTls::opportunistic:
        return features.tls.offered;
      case UpstreamTls::required:
        return true;
      case UpstreamTls::automatic:
        break;
    }
    return !target_->local || features.tls.required;
  }

  bool verifies() const {
    return servers_.tls == UpstreamTls::required ||
           (servers_.tls == UpstreamTls::automatic && !target_->local);
  }

  void no_tls() {
    report_.fail(
        "starttls", target_->name + " offers no STARTTLS, which this configuration requires",
        "Give the server a certificate for " + domain_ +
            " and switch its TLS on, or set [upstream] tls = \"never\" if nobody can stand between.");
  }

  bool upgrade(Wire& wire) {
    std::string answer;
    std::string fault = wire.send(starttls);
    while (fault.empty() && answer.find('>') == answer.npos) fault = wire.receive(answer);
    if (answer.find("proceed") == answer.npos) {
      report_.fail("starttls", target_->name + " does not begin TLS: " + (fault.empty() ? answer : fault),
                   "Look into the server's log: often its certificate can't be read.");
      return false;
    }
    return encrypt(wire);
  }

  /// The certificate is judged by us, so that it can be shown even if it is wrong.
  bool encrypt(Wire& wire) {
    if (const std::string fault = wire.start_tls(tls_.connect(domain_, false, target_->direct_tls));
        !fault.empty()) {
      report_.fail("tls", target_->name + ": " + fault,
                   target_->direct_tls
                       ? "Does this port speak TLS from the first byte? If not, leave tls:// out, or "
                         "correct the _xmpps-client record."
                       : "The server must speak TLS 1.2 or 1.3 with an ECDHE cipher.");
      return false;
    }
    report_.ok("tls", describe_tls(wire.tls()) + (target_->direct_tls ? ", from the first byte" : ""));
    return judge_certificate(wire.tls());
  }

  bool judge_certificate(SSL* ssl) {
    const std::string described = "certificate " + describe_certificate(ssl);
    const long result = SSL_get_verify_result(ssl);
    std::string fault;
    if (result != X509_V_OK)
      fault = X509_verify_cert_error_string(result);
    else if (!is_certified_for(ssl, domain_))
      fault = "it is not for " + domain_;
    if (fault.empty()) {
      report_.ok("tls", described);
      if (days_left(ssl) < near_days)
        report_.warn("tls", "the certificate ends in " + std::to_string(days_left(ssl)) + " days",
                     "Renew it.");
      return true;
    }
    const std::string advice =
        result == X509_V_OK
            ? "The certificate has to name " + domain_ + " (DNS, SRV-ID or XmppAddr)."
            : "Renew it or have it signed by a known authority, or name the authority's file in "
              "[upstream] ca.";
    if (!verifies()) {
      report_.note("tls", described + "; " + fault + ", which doesn't matter with this [upstream] tls");
      return true;
    }
    report_.fail("tls", described + "; " + fault, advice);
    return false;
  }

  // --- The stream ---

  Features open_stream(Wire& wire) {
    Features features;
    if (!wire.send(xmpp::stream_header(domain_, "en")).empty())
      return broken("the connection broke"), features;
    xml::Splitter splitter;
    xml::Batch batch;
    bool told = false;
    for (;;) {
      std::string bytes;
      if (const std::string fault = wire.receive(bytes); !fault.empty())
        return broken(fault == "closed" ? "the server closed the connection" : fault), features;
      if (splitter.feed(pool_, {}, bytes, batch) != xml::Error::none)
        return broken("what came is no XMPP stream"), features;
      if (batch.root_opened && !xmpp::is_stream_header(batch.root))
        return broken("what came is no stream header, but <" + batch.root.name + ">"), features;
      if (batch.root_opened && !std::exchange(told, true)) {
        const xmpp::Header header = xmpp::read_header(batch.root);
        report_.ok("stream", "header from " + (header.from.empty() ? "nobody" : header.from) +
                                 (wire.tls() ? ", encrypted" : ", not encrypted"));
      }
      for (const xml::Element& element : batch.elements) {
        if (element.name == "error") return stream_error(element.to_string()), features;
        if (element.name == "features") return read_features(element);
      }
      if (batch.root_closed) return broken("the server ended the stream"), features;
    }
  }

  void stream_error(const std::string& error) {
    const bool unknown = error.find("host-unknown") != error.npos;
    report_.fail("stream", target_->name + " says " + error,
                 unknown ? "The server does not serve " + domain_ + ": add it there, or correct the domain."
                         : "Look into the server's log.");
  }

  Features read_features(const xml::Element& element) {
    Features features{true, xmpp::tls_offer(pool_, element), {}};
    collect_mechanisms(element.to_string(), features.mechanisms);
    std::string text;
    for (const std::string& mechanism : features.mechanisms) text += (text.empty() ? "" : " ") + mechanism;
    std::string tls = "no STARTTLS";
    if (features.tls.offered) tls = features.tls.required ? "STARTTLS required" : "STARTTLS offered";
    report_.ok("features", (text.empty() ? "no mechanisms" : text) + "; " + tls);
    return features;
  }

  void collect_mechanisms(const std::string& whole, std::vector<std::string>& into) {
    xml::Splitter splitter;
    xml::Batch batch;
    xml::Options options;
    options.drop_text = true;
    if (splitter.feed(pool_, options, whole, batch, true) != xml::Error::none) return;
    std::vector<std::string> nested;
    for (const xml::Element& child : batch.elements) {
      if (child.is(sasl_ns, "mechanisms") || child.is(sasl2_ns, "authentication"))
        nested.push_back(child.to_string());
      if (child.name != "mechanism") continue;
      const auto begin = child.bytes.find('>') + 1;
      std::string name(child.bytes.substr(begin, child.bytes.rfind("</") - begin));
      if (std::ranges::find(into, name) == into.end()) into.push_back(std::move(name));
    }
    for (const std::string& element : nested) collect_mechanisms(element, into);
  }

  void judge_mechanisms(const Features& features, bool encrypted) {
    const auto useful = std::ranges::count_if(
        features.mechanisms, [](const std::string& name) { return !name.ends_with("-PLUS"); });
    if (useful > 0) return report_.ok("login", target_->name + " lets clients log in");
    if (!encrypted && features.tls.offered)
      return report_.fail(
          "login", target_->name + " offers no login before TLS, and this configuration uses none here",
          "Set [upstream] tls = \"auto\" or \"required\", or allow login without TLS on that port.");
    report_.fail("login", target_->name + " offers no mechanism that works behind boshd",
                 "Switch on SCRAM-SHA-1, SCRAM-SHA-256 or PLAIN for this host; channel binding (-PLUS) ends "
                 "at boshd.");
  }

  const Config& config_;
  const Servers& servers_;
  std::string domain_;
  Report& report_;
  Dns dns_;
  ClientTls tls_;
  xml::Pool pool_{1};
  std::vector<Target> targets_;
  const Target* target_ = nullptr;
};

std::string words_of(const Servers& servers) {
  std::string text;
  for (const Server& server : servers.list) text += (text.empty() ? "" : ", ") + server_form.write(server);
  return text;
}

}  // namespace

void check_upstream(const Config& config, const std::string& domain, Report& report) {
  const Servers* servers = config.upstream.find(domain);
  if (!servers)
    return report.fail("config", domain + " is not served by this configuration",
                       "Add it to [upstream] domains, or give it servers of its own.");
  report.ok("config", domain + " is served; server: " + words_of(*servers));
  try {
    if (UpstreamCheck(config, *servers, domain, report).run()) report.forgive();
  } catch (const std::runtime_error& error) {
    report.fail("config", error.what(), "[upstream] ca or nameservers can't be used as they are.");
  }
}

}  // namespace boshctl
