#include "src/operate/mask.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "src/text.hpp"
#include "xmpp/names.hpp"

namespace boshd {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view sasl_ns = "urn:ietf:params:xml:ns:xmpp-sasl";
constexpr std::string_view httpbind_ns = "http://jabber.org/protocol/httpbind";
constexpr std::string_view management_ns = "urn:xmpp:sm:3";

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

// In them every text is a secret that isn't known for none.
constexpr std::array<std::string_view, 5> secret_namespaces{sasl_ns, "urn:xmpp:sasl:1", "urn:xmpp:sasl:2",
                                                            "urn:xmpp:fast:0", "urn:xmpp:scram-upgrade:0"};
constexpr std::array<std::string_view, 3> no_secrets{"mechanism", "text", "authorization-identifier"};
// In whatever namespace: one that is not declared, or misspelt, must uncover nothing.
constexpr std::array<std::string_view, 13> secret_elements{
    "auth",   "response", "challenge", "initial-response", "additional-data", "task-data",  "password",
    "digest", "token",    "secret",    "old_password",     "passwd",          "credentials"};
constexpr std::array<std::string_view, 6> secret_attributes{"password", "passwd",     "token",
                                                            "secret",   "credential", "preauth"};
constexpr std::array<std::string_view, 4> secret_words{"pass", "secret", "token", "credential"};
// Sentences of servers, which say what is wrong.
constexpr std::array<std::string_view, 3> error_namespaces{sasl_ns, "urn:ietf:params:xml:ns:xmpp-streams",
                                                           "urn:ietf:params:xml:ns:xmpp-stanzas"};

std::string cover(std::size_t bytes) {
  return "…(" + std::to_string(bytes) + ")";
}

struct Attribute {
  std::string_view name;
  char quote;
  std::string_view value;
};

/// A start tag; `whole`: it was there to its end.
struct Tag {
  std::string_view name;
  std::vector<Attribute> attributes{};
  bool empty = false;
  bool whole = false;
};

/// Takes a start tag off the front of `text`, which begins behind its "<".
Tag take_tag(std::string_view& text) {
  Tag tag{text.substr(0, text.find_first_of(" \t\r\n/>"))};
  text.remove_prefix(tag.name.size());
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    if (text.empty()) return tag;
    if (text.front() == '>' || text.front() == '/') {
      tag.empty = text.front() == '/';
      const auto end = text.find('>');
      tag.whole = end != text.npos;
      text.remove_prefix(tag.whole ? end + 1 : text.size());
      return tag;
    }
    const auto equals = text.find('=');
    const auto open = equals == text.npos ? text.npos : text.find_first_of("\"'", equals);
    const auto close = open == text.npos ? text.npos : text.find(text[open], open + 1);
    if (close == text.npos) {
      text = {};
      return tag;
    }
    const std::string_view name = text.substr(0, equals);
    tag.attributes.push_back(
        {name.substr(0, name.find_first_of(blanks)), text[open], text.substr(open + 1, close - open - 1)});
    text.remove_prefix(close + 1);
  }
}

std::pair<std::string_view, std::string_view> split(std::string_view name) {
  const auto colon = name.find(':');
  if (colon == name.npos) return {{}, name};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

std::string_view value_of(const Tag& tag, std::string_view name) {
  const auto found = std::ranges::find(tag.attributes, name, &Attribute::name);
  return found == tag.attributes.end() ? std::string_view() : found->value;
}

/// Goes through the XML once, with the names of the elements that are open.
class Masker {
 public:
  Masker(std::string_view xml, Unmasked unmasked) : left_(xml), unmasked_(unmasked) {}

  std::string run() {
    while (!left_.empty()) {
      const auto next = left_.find('<');
      text(left_.substr(0, next));
      left_.remove_prefix(std::min(next, left_.size()));
      if (!left_.empty()) markup();
    }
    return std::move(out_);
  }

 private:
  struct Open {
    std::string_view name;
    std::string_view ns;
    bool secret = false;    // its own text
    bool confides = false;  // and whatever is in it
    std::size_t declared = 0;
  };
  struct Declared {
    std::string_view prefix;
    std::string_view ns;
  };

  void markup() {
    if (left_.starts_with("<![CDATA[")) return text_between("<![CDATA[", "]]>");
    if (left_.starts_with("<!--")) return text_between("<!--", "-->");
    if (left_.starts_with("<?")) return copy("?>");
    if (left_.starts_with("<!")) return copy(">");
    if (left_.starts_with("</")) {
      if (!open_.empty()) close();
      return copy(">");
    }
    left_.remove_prefix(1);
    start(take_tag(left_));
  }

  void copy(std::string_view end) {
    const auto at = left_.find(end);
    const std::size_t size = at == left_.npos ? left_.size() : at + end.size();
    out_ += left_.substr(0, size);
    left_.remove_prefix(size);
  }

  void text_between(std::string_view begin, std::string_view end) {
    left_.remove_prefix(begin.size());
    const auto at = left_.find(end);
    out_ += begin;
    text(left_.substr(0, at));
    if (at != left_.npos) out_ += end;
    left_.remove_prefix(at == left_.npos ? left_.size() : at + end.size());
  }

  void start(const Tag& tag) {
    const std::size_t declared = declared_.size();
    for (const Attribute& attribute : tag.attributes) {
      const auto [prefix, name] = split(attribute.name);
      if (attribute.name == "xmlns") declared_.push_back({{}, attribute.value});
      if (prefix == "xmlns") declared_.push_back({name, attribute.value});
    }
    const auto [prefix, name] = split(tag.name);
    Open element{name, resolve(prefix), false, false, declared};
    element.confides = (!open_.empty() && open_.back().confides) || is_secret_field(element, tag) ||
                       is_one_of(name, secret_elements);
    element.secret = element.confides ||
                     (is_one_of(element.ns, secret_namespaces) && !is_one_of(name, no_secrets)) ||
                     (name == "key" && element.ns == "jabber:iq:register") ||
                     (name == "header" && element.ns == "urn:xmpp:http:upload:0") ||
                     (name == "parameter" && element.ns == xmpp::query_ns);
    write(tag, element);
    open_.push_back(element);
    if (tag.empty || !tag.whole) close();
  }

  void write(const Tag& tag, const Open& element) {
    out_ += '<';
    out_ += tag.name;
    if (!tag.whole) {
      out_ += " …";
      return;
    }
    for (const auto& [name, quote, value] : tag.attributes) {
      const bool secret = is_one_of(split(name).second, secret_attributes) && split(name).first != "xmlns";
      const bool shown = !is_session_id(element, name) && (unmasked_.secrets || !secret);
      out_ += ' ';
      out_ += name;
      out_ += '=';
      out_ += quote;
      out_ += shown ? std::string(value) : cover(value.size());
      out_ += quote;
    }
    out_ += tag.empty ? "/>" : ">";
  }

  void text(std::string_view bytes) {
    const bool blank = bytes.find_first_not_of(blanks) == bytes.npos;
    out_ += blank || is_shown() ? std::string(bytes) : cover(bytes.size());
  }

  bool is_shown() const {
    if (open_.empty()) return unmasked_.bodies;
    const Open& element = open_.back();
    if (element.secret) return unmasked_.secrets;
    return unmasked_.bodies || element.name == "mechanism" ||
           (element.name == "text" && is_one_of(element.ns, error_namespaces));
  }

  /// A field of a form (XEP-0004) with a password in it.
  static bool is_secret_field(const Open& element, const Tag& tag) {
    if (element.name != "field") return false;
    std::string variable(value_of(tag, "var"));
    std::ranges::transform(variable, variable.begin(), lower);
    return value_of(tag, "type") == "text-private" ||
           std::ranges::any_of(secret_words,
                               [&](std::string_view word) { return variable.find(word) != variable.npos; });
  }

  /// Who knows it may take the session over.
  static bool is_session_id(const Open& element, std::string_view attribute) {
    if (element.ns == management_ns) return attribute == "id" || attribute == "previd";
    const bool body = element.ns == httpbind_ns || (element.ns.empty() && element.name == "body");
    return body && (attribute == "sid" || attribute == "key" || attribute == "newkey");
  }

  std::string_view resolve(std::string_view prefix) const {
    for (auto i = declared_.rbegin(); i != declared_.rend(); ++i)
      if (i->prefix == prefix) return i->ns;
    return {};
  }

  void close() {
    declared_.resize(open_.back().declared);
    open_.pop_back();
  }

  std::string_view left_;
  Unmasked unmasked_;
  std::string out_;
  std::vector<Open> open_;
  std::vector<Declared> declared_;
};

}  // namespace

std::string mask(std::string_view xml, Unmasked unmasked) {
  return Masker(xml, unmasked).run();
}

}  // namespace boshd
