#include "xml/parser.hpp"

#include <expat.h>

#include <algorithm>
#include <cassert>
#include <new>
#include <span>
#include <utility>

#include "xml/escape.hpp"

namespace xml {

namespace {

// expat joins URI, local name and prefix with it; no XML document can contain it.
constexpr char separator = '\x01';
// Around documents that come one after the other. It declares nothing, so they are in it what they are alone.
constexpr std::string_view wrapper = "<x>";
constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view xml_namespace = "http://www.w3.org/XML/1998/namespace";

struct Name {
  std::string_view ns;
  std::string_view local;
  std::string_view prefix;
};

Name split(std::string_view triplet) {
  const auto first = triplet.find(separator);
  if (first == triplet.npos) return {{}, triplet, {}};
  const auto local = triplet.substr(first + 1);
  const auto second = local.find(separator);
  if (second == local.npos) return {triplet.substr(0, first), local, {}};
  return {triplet.substr(0, first), local.substr(0, second), local.substr(second + 1)};
}

Error from_expat(XML_Error code) {
  switch (code) {
    case XML_ERROR_UNDEFINED_ENTITY:
    case XML_ERROR_RECURSIVE_ENTITY_REF:
    case XML_ERROR_ASYNC_ENTITY:
    case XML_ERROR_BINARY_ENTITY_REF:
      return Error::restricted;
    case XML_ERROR_UNKNOWN_ENCODING:
    case XML_ERROR_INCORRECT_ENCODING:
      return Error::encoding;
    default:
      return Error::malformed;
  }
}

bool is_utf8(std::string_view encoding) {
  constexpr std::string_view utf8 = "utf-8";
  return std::ranges::equal(encoding, utf8,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// Of all there is in a document, expat believes its first two bytes more than the encoding it was told.
bool begins_as_utf_16(std::string_view bytes, std::uint64_t offset) {
  constexpr std::string_view signs("\0\xfe\xff", 3);
  return offset < 2 && bytes.substr(0, 2 - offset).find_first_of(signs) != bytes.npos;
}

/// The value of `xmlns` in a start tag that is known to be well-formed.
std::string_view default_declaration(std::string_view tag) {
  std::size_t at = tag.find_first_not_of(blanks, tag.find_first_of(blanks));
  while (at != tag.npos) {
    const auto equals = tag.find('=', at);
    if (equals == tag.npos) break;
    const auto quote = tag.find_first_of("'\"", equals);
    const auto end = tag.find(tag[quote], quote + 1);
    const auto name_end = std::min(equals, tag.find_first_of(blanks, at));
    if (tag.substr(at, name_end - at) == "xmlns") return tag.substr(quote + 1, end - quote - 1);
    at = tag.find_first_not_of(blanks, end + 1);
  }
  return {};
}

}  // namespace

std::string_view to_string(Error error) {
  switch (error) {
    case Error::none:
      return "none";
    case Error::malformed:
      return "not well-formed XML";
    case Error::restricted:
      return "a DTD, comment, processing instruction or entity, which XMPP forbids";
    case Error::encoding:
      return "not XML 1.0 in UTF-8";
    case Error::text:
      return "text between elements";
    case Error::too_large:
      return "more than the limits allow";
  }
  return "";
}

/// What expat calls. Each does nothing once the document is refused: expat may report a little more after the
/// stop.
struct Parser::Handlers {
  static Parser& self(void* data) { return *static_cast<Parser*>(data); }

  static void start(void* data, const char* name, const char** attributes) {
    if (self(data).error_ == Error::none) self(data).start(name, attributes);
  }
  static void end(void* data, const char*) {
    if (self(data).error_ == Error::none) self(data).end();
  }
  static void declare(void* data, const char* prefix, const char* uri) {
    if (self(data).error_ == Error::none) self(data).declare(prefix ? prefix : "", uri ? uri : "");
  }
  static void undeclare(void* data, const char*) {
    if (self(data).error_ == Error::none) self(data).undeclare();
  }
  static void text(void* data, const char* characters, int length) {
    Parser& p = self(data);
    if (p.error_ != Error::none) return;
    const std::string_view run(characters, static_cast<std::size_t>(length));
    if (p.depth_ == 1 && !p.options_->drop_text && run.find_first_not_of(blanks) != run.npos)
      return p.fail(Error::text);
    p.note_event();
  }
  static void xml_declaration(void* data, const char* version, const char* encoding, int) {
    Parser& p = self(data);
    if (p.error_ != Error::none) return;
    if (!version || std::string_view(version) != "1.0" || (encoding && !is_utf8(encoding)))
      return p.fail(Error::encoding);
    p.note_event();
  }
  static void forbidden(void* data) {
    if (self(data).error_ == Error::none) self(data).fail(Error::restricted);
  }
};

void Parser::Free::operator()(XML_ParserStruct* parser) const {
  XML_ParserFree(parser);
}

Parser::Parser(unsigned long hash_salt)
    : expat_(XML_ParserCreateNS("UTF-8", separator)), hash_salt_(hash_salt) {
  if (!expat_) throw std::bad_alloc();
}

Parser::~Parser() = default;

void Parser::reset() {
  XML_Parser parser = expat_.get();
  XML_ParserReset(parser, "UTF-8");
  XML_SetReturnNSTriplet(parser, 1);
  XML_SetHashSalt(parser, hash_salt_);
#ifdef BOSHD_EXPAT_DEFERS_REPARSING
  // Left on, a whole element that came in pieces can stay unreported until more bytes come;
  // Limits::token_bytes bounds what the deferral was to protect from.
  XML_SetReparseDeferralEnabled(parser, XML_FALSE);
#endif
  wrapped_ = false;
  base_ = offset_ = 0;
}

void Parser::listen() {
  XML_Parser parser = expat_.get();
  XML_SetUserData(parser, this);
  XML_SetElementHandler(parser, Handlers::start, Handlers::end);
  XML_SetNamespaceDeclHandler(parser, Handlers::declare, Handlers::undeclare);
  XML_SetCharacterDataHandler(parser, Handlers::text);
  XML_SetXmlDeclHandler(parser, Handlers::xml_declaration);
  XML_SetCommentHandler(parser, [](void* data, const char*) { Handlers::forbidden(data); });
  XML_SetProcessingInstructionHandler(
      parser, [](void* data, const char*, const char*) { Handlers::forbidden(data); });
  XML_SetStartDoctypeDeclHandler(
      parser, [](void* data, const char*, const char*, const char*, int) { Handlers::forbidden(data); });
}

void Parser::forget() {
  error_ = Error::none;
  last_event_ = 0;
  depth_ = 0;
  declarations_.clear();
  declared_.clear();
  rename_here_ = root_opened_ = root_closed_ = false;
  language_.clear();
  current_ = {};
  needed_.clear();
  found_.clear();
}

void Parser::begin() {
  reset();
  listen();
  forget();
}

void Parser::open_wrapper() {
  reset();
  XML_Parse(expat_.get(), wrapper.data(), static_cast<int>(wrapper.size()), 0);
  listen();
  wrapped_ = true;
  offset_ = wrapper.size();
}

Error Parser::feed(const Options& options, std::string_view bytes, bool last) {
  root_opened_ = root_closed_ = false;
  found_.clear();
  if (error_ != Error::none) return error_;
  if (begins_as_utf_16(bytes, offset_)) return error_ = Error::encoding;
  options_ = &options;
  offset_ += bytes.size();
  const auto status = XML_Parse(expat_.get(), bytes.data(), static_cast<int>(bytes.size()), last ? 1 : 0);
  if (error_ == Error::none && status != XML_STATUS_OK) error_ = from_expat(XML_GetErrorCode(expat_.get()));
  const bool token_too_large = offset_ - last_event_ > options.limits.token_bytes;
  const bool element_too_large = depth_ >= 2 && offset_ - current_.begin > options.limits.element_bytes;
  if (error_ == Error::none && !last && (token_too_large || element_too_large)) error_ = Error::too_large;
  return error_;
}

Error Parser::read(const Options& options, std::string_view document) {
  Error error = document.starts_with("<?") ? Error::malformed : read_as_child(options, document);
  if (error != Error::none) {  // the verdict on the document itself counts
    begin();
    error = feed(options, document, true);
  }
  for (Found& found : found_) found.element.bytes = document.substr(found.begin, found.end - found.begin);
  return error;
}

// To reset expat costs more than to read a body, so documents are read as children of one root that stays
// open. Any error is that of the root as well: it is not used again, and nothing of what was at fault is left
// for the next document.
Error Parser::read_as_child(const Options& options, std::string_view document) {
  if (!wrapped_) open_wrapper();
  base_ += std::exchange(offset_, 0);
  forget();
  const Error error = feed(options, document, false);
  return error == Error::none && !is_one_element(document) ? Error::malformed : error;
}

/// And nothing but blanks around it.
bool Parser::is_one_element(std::string_view document) const {
  const auto is_blank = [](std::string_view text) { return text.find_first_not_of(blanks) == text.npos; };
  return root_closed_ && depth_ == 0 && is_blank(document.substr(0, root_begin_)) &&
         is_blank(document.substr(closed_at_));
}

void Parser::fail(Error error) {
  error_ = error;
  XML_StopParser(expat_.get(), XML_FALSE);
}

/// Where in the document what expat reports begins.
std::uint64_t Parser::position() const {
  return static_cast<std::uint64_t>(XML_GetCurrentByteIndex(expat_.get())) - base_;
}

void Parser::note_event() {
  last_event_ = position() + static_cast<std::uint64_t>(XML_GetCurrentByteCount(expat_.get()));
}

void Parser::declare(std::string_view prefix, std::string_view uri) {
  if (declarations_.size() >= options_->limits.declarations) return fail(Error::too_large);
  declarations_.push_back({declared_.size(), prefix.size(), uri.size(), depth_ + 1});
  declared_ += prefix;
  declared_ += uri;
  const bool renamed = depth_ >= 1 && !uri.empty() && options_->renamed == uri;
  // With a prefix it would become a prefixed name of the content namespace, which a stream must not have
  //
  if (renamed && !prefix.empty()) return fail(Error::restricted);
  rename_here_ |= renamed;
}

void Parser::undeclare() {
  if (declarations_.empty()) return;
  declared_.resize(declarations_.back().at);
  declarations_.pop_back();
}

std::string_view Parser::prefix_of(const Declaration& declaration) const {
  return std::string_view(declared_).substr(declaration.at, declaration.prefix_size);
}

std::string_view Parser::uri_of(const Declaration& declaration) const {
  return std::string_view(declared_).substr(declaration.at + declaration.prefix_size, declaration.uri_size);
}

const Parser::Declaration* Parser::in_scope(std::string_view prefix) const {
  const auto found = std::find_if(declarations_.rbegin(), declarations_.rend(),
                                  [&](const Declaration& d) { return prefix_of(d) == prefix; });
  return found == declarations_.rend() ? nullptr : &*found;
}

void Parser::need(std::string_view prefix) {
  if (prefix == "xml") return;
  const Declaration* declaration = in_scope(prefix);
  if (declaration && declaration->depth > 1) return;
  const bool renamed = declaration && !options_->renamed.empty() && uri_of(*declaration) == options_->renamed;
  if (renamed && !prefix.empty()) return fail(Error::restricted);
  if (std::ranges::find(needed_, prefix) == needed_.end()) needed_.emplace_back(prefix);
}

void Parser::start(const char* raw_name, const char** attributes) {
  const std::uint64_t begin = position();
  note_event();
  const Limits& limits = options_->limits;
  std::size_t count = 0;
  while (attributes[2 * count]) ++count;
  if (++depth_ > limits.depth || count > limits.attributes ||
      std::string_view(raw_name).size() > limits.name_bytes)
    return fail(Error::too_large);
  if (depth_ == 1) {
    root_begin_ = begin;
    return open_root(raw_name, attributes, count);
  }

  const Name name = split(raw_name);
  bool has_language = false;
  if (depth_ == 2) {
    if (found_.size() >= limits.elements) return fail(Error::too_large);
    current_ = {begin, 0, {}};
    current_.element.ns = !name.ns.empty() && name.ns == options_->renamed ? options_->renamed_to : name.ns;
    current_.element.name = name.local;
    current_.element.prefix = name.prefix;
    needed_.clear();
  }
  need(name.prefix);
  for (std::size_t i = 0; i < count && error_ == Error::none; ++i) {
    const Name attribute = split(attributes[2 * i]);
    if (attribute.ns.size() + attribute.local.size() > limits.name_bytes) return fail(Error::too_large);
    if (!attribute.prefix.empty()) need(attribute.prefix);
    has_language |= attribute.ns == xml_namespace && attribute.local == "lang";
  }
  const bool may_inherit = options_->inherit_language && depth_ == 2 &&
                           (options_->language_ns.empty() || options_->language_ns == name.ns);
  if (may_inherit && !has_language && !language_.empty() && language_ != options_->language) {
    current_.element.edits.push_back({current_.element.name_end(), 0, {}});
    append_attribute(current_.element.edits.back().insert, "xml:lang", language_);
  }
  if (rename_here_ && error_ == Error::none) rename_declaration();
}

void Parser::open_root(const char* raw_name, const char** attributes, std::size_t count) {
  const Name name = split(raw_name);
  root_opened_ = true;
  root_end_ = last_event_;
  root_.ns = name.ns;
  root_.name = name.local;
  root_.attributes.resize(count);
  for (Attribute& attribute : root_.attributes) {
    const Name attribute_name = split(*attributes++);
    attribute.ns = attribute_name.ns;
    attribute.name = attribute_name.local;
    attribute.value = *attributes++;
    if (attribute.ns == xml_namespace && attribute.name == "lang") language_ = attribute.value;
  }
}

// The child itself says that it is in the renamed namespace: its declaration gets the other value.
void Parser::rename_declaration() {
  rename_here_ = false;
  int at = 0;
  int size = 0;
  const char* buffer = XML_GetInputContext(expat_.get(), &at, &size);
  const auto length = static_cast<std::size_t>(XML_GetCurrentByteCount(expat_.get()));
  const std::string_view tag = buffer ? std::string_view(buffer + at, length) : std::string_view();
  const std::string_view value = default_declaration(tag);
  if (value != options_->renamed) return fail(Error::restricted);  // written with character references
  const std::uint64_t begin = position() - current_.begin;
  current_.element.edits.push_back({static_cast<std::size_t>(begin) + (value.data() - tag.data()),
                                    value.size(), std::string(options_->renamed_to)});
}

void Parser::end() {
  if (depth_ == 0) return fail(Error::malformed);  // of the wrapper
  note_event();
  --depth_;
  if (depth_ == 0) {
    root_closed_ = true;
    closed_at_ = last_event_;
    return;
  }
  if (depth_ != 1) return;
  current_.end = last_event_;
  if (current_.end - current_.begin > options_->limits.element_bytes) return fail(Error::too_large);
  declare_needed(current_.element);
  found_.push_back(std::move(current_));
  current_ = {};
}

// Nearly always it is the default namespace alone, which needs no text of its own.
void Parser::declare_needed(Element& element) {
  std::span<const std::string> needed = needed_;
  element.lacks_ns = element.prefix.empty() && !needed.empty() && needed.front().empty();
  if (element.lacks_ns) needed = needed.subspan(1);
  if (needed.empty()) return;
  Edit edit{element.name_end(), 0, {}};
  for (const std::string& prefix : needed) {
    const Declaration* declaration = in_scope(prefix);
    std::string_view uri = declaration ? uri_of(*declaration) : std::string_view();
    if (!uri.empty() && uri == options_->renamed) uri = options_->renamed_to;
    append_attribute(edit.insert, prefix.empty() ? "xmlns" : "xmlns:" + prefix, uri);
  }
  element.edits.insert(element.edits.begin(), std::move(edit));
}

}  // namespace xml
