#include "bosh/body.hpp"

#include <algorithm>
#include <span>

namespace bosh {

namespace {

constexpr std::string_view content_ns = "jabber:client";
constexpr std::string_view stream_ns = "http://etherx.jabber.org/streams";
constexpr std::string_view tls_ns = "urn:ietf:params:xml:ns:xmpp-tls";
constexpr std::string_view xml_ns = "http://www.w3.org/XML/1998/namespace";

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Digits only, at most 16 of them: no sign, no overflow (B-004).
std::optional<std::uint64_t> number(std::string_view text) {
  text = trim(text);
  if (text.empty() || text.size() > 16) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<Version> version(std::string_view text) {
  text = trim(text);
  const auto dot = text.find('.');
  if (dot == text.npos) return std::nullopt;
  const auto major = number(text.substr(0, dot));
  const auto minor = number(text.substr(dot + 1));
  constexpr std::uint64_t most = 1'000'000;
  if (!major || !minor || *major > most || *minor > most) return std::nullopt;
  return Version{static_cast<unsigned>(*major), static_cast<unsigned>(*minor)};
}

bool boolean(std::string_view text) {
  text = trim(text);
  return text == "true" || text == "1";
}

bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           others.find(c) != others.npos;
  });
}

// It goes into a header as it stands: `type/subtype`, and parameters of printable ASCII (B-019).
bool is_media_type(std::string_view text) {
  constexpr std::size_t longest = 128;
  const std::string_view type = trim(text.substr(0, text.find(';')));
  const auto slash = type.find('/');
  return text.size() <= longest && slash != type.npos && is_token(type.substr(0, slash)) &&
         is_token(type.substr(slash + 1)) &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

/// Reads the start tag's attributes; what is not known is ignored (B-001).
class Attributes {
 public:
  explicit Attributes(const xml::Root& root) : root_(root) {}

  void text(std::string_view name, std::string& out, std::string_view ns = {}) const {
    if (const std::string* value = root_.find(name, ns)) out = *value;
  }
  void count(std::string_view name, std::optional<std::uint64_t>& out) {
    const std::string* value = root_.find(name);
    if (!value) return;
    out = number(*value);
    if (!out) fault_ = "'" + std::string(name) + "' is not a number";
  }
  bool is(std::string_view name, std::string_view wanted) const {
    const std::string* value = root_.find(name);
    return value && trim(*value) == wanted;
  }
  const std::string& fault() const { return fault_; }

 private:
  const xml::Root& root_;
  std::string fault_;
};

std::string read_root(const xml::Root& root, Body& body) {
  if (root.name != "body" || root.ns != httpbind_ns)
    return "the root is not a body of " + std::string(httpbind_ns);
  Attributes attributes(root);
  std::optional<std::uint64_t> rid;
  attributes.count("rid", rid);
  attributes.count("wait", body.wait);
  attributes.count("hold", body.hold);
  attributes.count("ack", body.ack);
  attributes.count("pause", body.pause);
  attributes.text("sid", body.sid);
  attributes.text("to", body.to);
  attributes.text("from", body.from);
  attributes.text("route", body.route);
  attributes.text("content", body.content);
  attributes.text("stream", body.stream);
  attributes.text("key", body.key);
  attributes.text("newkey", body.newkey);
  attributes.text("lang", body.language, xml_ns);
  attributes.text("version", body.xmpp_version, xbosh_ns);
  const std::string* ver = root.find("ver");
  body.legacy = !ver;
  if (ver) body.version = version(*ver);
  if (const std::string* restart = root.find("restart", xbosh_ns)) body.restart = boolean(*restart);
  body.terminate = attributes.is("type", "terminate");
  if (rid && *rid <= largest_rid) body.rid = *rid;
  if (!attributes.fault().empty()) return attributes.fault();
  if (body.rid == 0) return "'rid' is missing or not between 1 and 2^53 - 1";
  if (body.creates() && body.terminate) return "type='terminate' without 'sid'";
  if (body.creates() && body.pause) return "'pause' without 'sid'";
  if (body.creates() && !body.content.empty() && !is_media_type(body.content))
    return "'content' is not a media type";
  return {};
}

/// What the start tag says.
ParsedBody read_start(xml::Parser& parser, xml::Error error) {
  ParsedBody parsed;
  if (parser.root_opened()) {
    parsed.fault = read_root(parser.root(), parsed.body);
    parsed.root_read = parsed.body.rid != 0;
    parsed.content_at = static_cast<std::size_t>(parser.root_end());
  }
  if (error != xml::Error::none) parsed.fault = xml::to_string(error);
  return parsed;
}

/// The children, as they go into a stream; if one must not, why.
std::string read_payload(std::span<const xml::Found> children, std::size_t most, Body& body) {
  for (const auto& [begin, end, element] : children) {
    std::string fault = refuse_payload(element);
    if (!fault.empty()) return fault;
    body.talks |= element.is(content_ns, "message") || element.is(content_ns, "presence");
    element.append_to(body.payload);
    ++body.elements;
    // A short element can need a long declaration of its root's.
    if (body.payload.size() > most) return std::string(xml::to_string(xml::Error::too_large));
  }
  return {};
}

}  // namespace

// A client must not open or close anything of the stream's own, nor have it negotiate what ends here
// (X-010..X-014).
std::string refuse_payload(const xml::Element& element) {
  if (element.ns == stream_ns) return "an element of " + std::string(stream_ns);
  if (element.ns == tls_ns) return "TLS can't be negotiated inside BOSH";
  if (element.ns == "urn:boshd:query:0") return "what only boshd tells a server";
  if (element.ns == "jabber:server") return "an element of jabber:server";
  if (element.ns == content_ns && !element.prefix.empty()) return "a stanza with a namespace prefix";
  return {};
}

xml::Options payload_options(const xml::Limits& limits) {
  xml::Options options;
  options.limits = limits;
  options.renamed = httpbind_ns;
  options.renamed_to = content_ns;
  return options;
}

ParsedBody parse_body(xml::Pool& pool, std::string_view bytes, const xml::Limits& limits) {
  xml::Parser& parser = pool.documents();
  ParsedBody parsed = read_start(parser, parser.read(payload_options(limits), bytes));
  if (parsed.fault.empty())
    parsed.fault = read_payload(parser.found(), bytes.size() + limits.element_bytes, parsed.body);
  if (!parsed.fault.empty()) parsed.body.payload.clear();
  return parsed;
}

ParsedBody parse_body_start(xml::Pool& pool, std::string_view bytes, const xml::Limits& limits) {
  xml::Parser& parser = pool.documents();
  parser.begin();
  ParsedBody parsed = read_start(parser, parser.feed(payload_options(limits), bytes, false));
  if (!parsed.root_read && parsed.fault.empty()) parsed.fault = "the start tag is not complete";
  return parsed;
}

}  // namespace bosh
