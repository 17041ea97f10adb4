// From a browser to boshd, through what stands before it.
#include <netdb.h>
#include <openssl/ssl.h>

#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "boshctl/check.hpp"
#include "boshctl/table.hpp"
#include "boshctl/wire.hpp"
#include "src/sha1.hpp"
#include "src/text.hpp"
#include "src/tls.hpp"

namespace boshctl {

namespace {

using namespace boshd;

constexpr std::chrono::seconds patience{15};
constexpr std::size_t most_bytes = std::size_t{1024} * 1024;
constexpr std::string_view websocket_key = "Ym9zaGN0bCBjaGVja3MhIQ==";
constexpr std::string_view websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

struct Url {
  bool tls = false;
  std::string host;
  std::string port;
  std::string path;

  /// As a page of that very host would have it.
  std::string origin() const { return (tls ? "https://" : "http://") + authority(); }
  std::string authority() const {
    const bool usual = port == (tls ? "443" : "80");
    return host + (usual ? "" : ":" + port);
  }
};

/// `plain`, `secure`: the two schemes.
Url read_url(std::string_view text, std::string_view plain, std::string_view secure) {
  Url url;
  const std::string whole(text);
  const std::string_view scheme = cut(text, "://");
  url.tls = scheme == secure;
  if ((scheme != plain && scheme != secure) || text.empty())
    throw UsageError("'" + whole + "' must begin with " + std::string(secure) + ":// or " +
                     std::string(plain) + "://");
  const auto slash = text.find('/');
  url.path = slash == text.npos ? "/" : std::string(text.substr(slash));
  std::string_view authority = text.substr(0, slash);
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  const bool has_port = colon != authority.npos && (bracket == authority.npos || colon > bracket);
  url.host = authority.substr(0, has_port ? colon : authority.npos);
  url.port = has_port ? std::string(authority.substr(colon + 1)) : url.tls ? "443" : "80";
  return url;
}

struct Answer {
  unsigned status = 0;
  std::string head;
  std::string body;
  std::string fault;  // there is none

  std::string header(std::string_view name) const {
    std::string_view left = head;
    while (!left.empty()) {
      const std::string_view line = cut(left, "\r\n");
      const auto colon = line.find(':');
      if (colon != line.npos && equal_ignoring_case(line.substr(0, colon), name))
        return std::string(trim(line.substr(colon + 1)));
    }
    return {};
  }
};

class FrontCheck {
 public:
  FrontCheck(Url url, Report& report) : url_(std::move(url)), report_(report), tls_("") {}

  /// Name, address, TLS; false: it is no use to go on.
  bool reach() {
    std::string host = url_.host;
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), url_.port.c_str(), &hints, &found);
    if (error != 0) {
      report_.fail("dns", host + ": " + ::gai_strerror(error), "Is the name right?");
      return false;
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard(found, ::freeaddrinfo);
    for (const addrinfo* one = found; one; one = one->ai_next) {
      SocketAddress address;
      std::memcpy(&address.bytes, one->ai_addr, one->ai_addrlen);
      address.size = one->ai_addrlen;
      if (try_address(address, host)) return true;
    }
    report_.fail("connect", "nothing listens at " + url_.authority(),
                 "Does the web server or proxy run there?");
    return false;
  }

  /// One request on a connection of its own. `headers`: whole lines.
  Answer ask(std::string_view method, std::string_view headers, std::string_view body) {
    Wire wire(patience);
    Answer answer;
    answer.fault = wire.connect(address_);
    if (answer.fault.empty() && url_.tls) answer.fault = wire.start_tls(connect_tls());
    if (!answer.fault.empty()) return answer;
    std::string request(method);
    request +=
        " " + url_.path + " HTTP/1.1\r\nHost: " + url_.authority() + "\r\nOrigin: " + url_.origin() + "\r\n";
    request += headers;
    if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    request += "\r\n";
    request += body;
    answer.fault = wire.send(request);
    if (answer.fault.empty()) read(wire, answer);
    return answer;
  }

  const Url& url() const { return url_; }

 private:
  Ssl connect_tls() const {
    std::string host = url_.host;
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return tls_.connect(host, false, false);
  }

  bool try_address(const SocketAddress& address, const std::string& host) {
    const std::string name = to_string(address.endpoint().address) + " port " + url_.port;
    Wire wire(patience);
    if (const std::string fault = wire.connect(address); !fault.empty()) {
      report_.warn("connect", name + ": " + fault, "An address that DNS names does not answer.");
      return false;
    }
    address_ = address;
    report_.ok("connect",
               name + " within " + delay_text(static_cast<double>(wire.connect_time().count()) / 1e6));
    if (!url_.tls) {
      report_.warn("tls", "the URL is not https: passwords can be read on the way",
                   "Let a proxy, or boshd's own "
                   "listener, speak TLS.");
      return true;
    }
    if (const std::string fault = wire.start_tls(connect_tls()); !fault.empty()) {
      report_.fail("tls", name + ": " + fault, "Does that port speak TLS?");
      return true;
    }
    report_.ok("tls", describe_tls(wire.tls()));
    const long result = SSL_get_verify_result(wire.tls());
    const std::string described = "certificate " + describe_certificate(wire.tls());
    if (result != X509_V_OK)
      report_.fail("tls", described + "; " + X509_verify_cert_error_string(result),
                   "Browsers will refuse it.");
    else if (!is_certified_for(wire.tls(), host))
      report_.fail("tls", described + "; it is not for " + host, "Browsers will refuse it.");
    else
      report_.ok("tls", described);
    return true;
  }

  static void read(Wire& wire, Answer& answer) {
    std::string all;
    while (all.find("\r\n\r\n") == all.npos && answer.fault.empty() && all.size() < most_bytes)
      answer.fault = wire.receive(all);
    const auto end = all.find("\r\n\r\n");
    if (end == all.npos) {
      answer.fault = answer.fault == "closed" ? "the connection was closed without an answer" : answer.fault;
      return;
    }
    answer.fault.clear();
    answer.head = all.substr(0, end + 2);
    answer.body = all.substr(end + 4);
    const std::string status = answer.head.substr(std::min<std::size_t>(9, answer.head.size()), 3);
    std::from_chars(status.data(), status.data() + status.size(), answer.status);
    if (answer.status == 101 || answer.status == 204) return;
    const std::string length = answer.header("Content-Length");
    std::size_t wanted = most_bytes;
    std::from_chars(length.data(), length.data() + length.size(), wanted);
    while (answer.body.size() < std::min(wanted, most_bytes) && wire.receive(answer.body).empty())
      if (answer.body.ends_with("\r\n0\r\n\r\n")) break;  // the last chunk
  }

  Url url_;
  Report& report_;
  ClientTls tls_;
  SocketAddress address_;
};

void tell_headers(const Answer& answer, Report& report) {
  std::string text;
  for (const char* name : {"Server", "Via", "Content-Type", "Content-Encoding", "Transfer-Encoding",
                           "Connection", "Cache-Control", "Location", "Alt-Svc"})
    if (const std::string value = answer.header(name); !value.empty())
      text += (text.empty() ? "" : "; ") + std::string(name) + ": " + value;
  if (!text.empty()) report.note("headers", text);
}

/// What a status other than 200 means in front of boshd.
std::string_view advice_for(unsigned status) {
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return "BOSH clients follow no redirects: give them the final URL.";
    case 401:
    case 403:
      return "The proxy asks who it is, or a page of this origin may not use boshd: see [cors] origins.";
    case 404:
      return "Neither the proxy nor boshd knows this path: is it bosh_path of [[listen]], and does the proxy "
             "pass it "
             "on as it is?";
    case 405:
      return "Something answers here that takes no POST: the proxy does not pass this path to boshd.";
    case 413:
      return "The proxy allows no larger body: raise its client_max_body_size above [limits] max_request.";
    case 429:
    case 503:
      return "A limit of boshd or of the proxy, or boshd drains: see `boshctl show limits` and its log.";
    case 502:
    case 504:
      return "The proxy does not reach boshd: does boshd run, and is it the address of proxy_pass (nginx), "
             "ProxyPass (Apache) or server (HAProxy)?";
    default:
      return "Look into the proxy's log.";
  }
}

std::string attribute(std::string_view body, const std::string& name) {
  for (const char quote : {'\'', '"'}) {
    const std::string start = " " + name + "=" + quote;
    const auto at = body.find(start);
    if (at == body.npos) continue;
    const auto begin = at + start.size();
    return std::string(body.substr(begin, body.find(quote, begin) - begin));
  }
  return {};
}

void check_cors(FrontCheck& front, Report& report) {
  const Answer answer = front.ask("OPTIONS",
                                  "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: "
                                  "content-type\r\nConnection: close\r\n",
                                  {});
  if (!answer.fault.empty()) return report.fail("cors", answer.fault, "Look into the proxy's log.");
  const std::string allowed = answer.header("Access-Control-Allow-Origin");
  if (allowed.empty())
    return report.warn(
        "cors",
        "a page of " + front.url().origin() + " is not allowed (status " + std::to_string(answer.status) +
            ")",
        "Only pages of the same origin will work: does [cors] origins name the chat's origin, and does "
        "the proxy pass OPTIONS on?");
  if (allowed.find(',') != allowed.npos)
    return report.fail("cors", "Access-Control-Allow-Origin is there twice: " + allowed,
                       "The proxy adds what boshd has written already: remove its add_header.");
  report.ok("cors", "Access-Control-Allow-Origin: " + allowed);
}

/// Its first answer; the session's id if it could be opened.
std::string open_session(FrontCheck& front, const std::string& domain, Report& report) {
  const Answer answer = front.ask(
      "POST", "Content-Type: text/xml; charset=utf-8\r\nConnection: close\r\n",
      "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='1000' to='" +
          domain +
          "' ver='1.6' wait='5' hold='1' xml:lang='en' xmpp:version='1.0' content='text/xml; "
          "charset=utf-8'/>");
  if (!answer.fault.empty()) {
    report.fail("bosh", answer.fault, "Look into the proxy's log.");
    return {};
  }
  tell_headers(answer, report);
  if (answer.status != 200) {
    report.fail("bosh", "status " + std::to_string(answer.status), advice_for(answer.status));
    return {};
  }
  if (attribute(answer.body, "type") == "terminate") {
    const std::string condition = attribute(answer.body, "condition");
    report.fail("bosh", "the session is refused: " + (condition.empty() ? "no condition" : condition),
                "boshd's log and `boshctl check " + domain + "` on its machine say why.");
    return {};
  }
  std::string sid = attribute(answer.body, "sid");
  if (sid.empty())
    report.fail("bosh", "status 200, but what came is no BOSH: " + fit(answer.body, 60),
                "Another service answers at this path.");
  else
    report.ok("bosh", "a session was opened; wait " + attribute(answer.body, "wait") + " s, hold " +
                          attribute(answer.body, "hold"));
  return sid;
}

}  // namespace

void check_bosh(const std::string& url, const std::string& domain, Report& report) {
  FrontCheck front(read_url(url, "http", "https"), report);
  if (!front.reach()) return;
  check_cors(front, report);
  const std::string sid = open_session(front, domain, report);
  if (sid.empty()) return;
  const Answer answer = front.ask(
      "POST", "Content-Type: text/xml; charset=utf-8\r\nConnection: close\r\n",
      "<body xmlns='http://jabber.org/protocol/httpbind' rid='1001' sid='" + sid + "' type='terminate'/>");
  if (!answer.fault.empty() || answer.status != 200)
    report.fail("bosh",
                "the session's second request got " +
                    (answer.fault.empty() ? "status " + std::to_string(answer.status) : answer.fault),
                "With several boshd behind one balancer, requests must go by the label in the sid.");
  else if (attribute(answer.body, "condition") == "item-not-found")
    report.fail("bosh", "the session's second request came to a boshd that doesn't know it",
                "With several boshd behind one balancer, requests must go by the label in the sid.");
  else
    report.ok("bosh", "and closed");
}

void check_websocket(const std::string& url, Report& report) {
  FrontCheck front(read_url(url, "ws", "wss"), report);
  if (!front.reach()) return;
  const Answer answer = front.ask("GET",
                                  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Protocol: xmpp\r\nSec-WebSocket-Key: " +
                                      std::string(websocket_key) + "\r\n",
                                  {});
  if (!answer.fault.empty()) return report.fail("websocket", answer.fault, "Look into the proxy's log.");
  const std::string proof = sha1_base64(std::string(websocket_key) + std::string(websocket_guid));
  if (answer.status == 101 && answer.header("Sec-WebSocket-Accept") == proof) {
    if (answer.header("Sec-WebSocket-Protocol") == "xmpp")
      return report.ok("websocket", "opened, subprotocol xmpp");
    return report.fail("websocket", "opened, but without the subprotocol xmpp",
                       "The proxy drops Sec-WebSocket-Protocol, or another service answers.");
  }
  tell_headers(answer, report);
  const bool lost = answer.status == 400 || answer.status == 426 || answer.status == 200;
  report.fail(
      "websocket", "status " + std::to_string(answer.status) + " instead of 101",
      lost
          ? "The proxy does not pass the upgrade on. nginx: proxy_http_version 1.1; proxy_set_header Upgrade "
            "$http_upgrade; proxy_set_header Connection \"upgrade\". Apache: mod_proxy_wstunnel."
          : advice_for(answer.status));
}

}  // namespace boshctl
