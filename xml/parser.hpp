// expat, and what a reader of elements has to know of a document while it runs. The only file that calls
// expat.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element.hpp"
#include "xml/limits.hpp"

struct XML_ParserStruct;

namespace xml {

/// Why a document is refused. RFC 6120 §4.9.3 has a stream error for each, XEP-0124 §17.2 one condition for
/// all.
enum class Error {
  none,
  malformed,   // not well-formed, or not well-formed with namespaces
  restricted,  // DTD, processing instruction, comment, or an entity that is not predefined (RFC 6120 §11.1)
  encoding,    // not UTF-8, or not XML 1.0 (RFC 6120 §11.6, §11.8)
  text,        // characters other than white space between the root's children
  too_large,   // above Limits
};

std::string_view to_string(Error);

/// How the root's children are to be taken out of it. Given at each feed, so that neither a parser nor a
/// stream keeps them; the same for the whole of a document.
struct Options {
  Limits limits;
  std::string_view renamed;       // a namespace that children may have inherited from the root …
  std::string_view renamed_to;    // … and the one that they really mean
  bool drop_text = false;         // characters between the children are no error
  bool inherit_language = false;  // children get the root's xml:lang, unless it is `language`
  std::string_view language;      // what the receiver takes for granted
  std::string_view language_ns;   // if set, only those in this namespace
};

/// One child of the root, in offsets from the start of the document.
struct Found {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Element element;  // its bytes only when the document was read as a whole
};

/// Reads one document at a time: `begin`, then `feed` until an error or the end; or `read`, for one that is
/// there as a whole. What was found stays until the next call.
class Parser {
 public:
  /// `hash_salt` seeds expat's tables, which clients fill; not 0, or expat asks the system at every document.
  explicit Parser(unsigned long hash_salt);
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// Forgets the last document and starts one.
  void begin();
  /// Reads on. `last` says that the document ends here.
  Error feed(const Options&, std::string_view bytes, bool last);
  /// The same as `begin` and a last feed, at a fraction of the cost when one document comes after the other.
  Error read(const Options&, std::string_view document);

  // What the last feed brought.
  bool root_opened() const { return root_opened_; }
  bool root_closed() const { return root_closed_; }
  Root& root() { return root_; }
  std::uint64_t root_begin() const { return root_begin_; }
  std::uint64_t root_end() const { return root_end_; }
  std::vector<Found>& found() { return found_; }

  /// Where the bytes begin that are not yet part of something whole; offset() when there are none.
  std::uint64_t unfinished() const { return depth_ >= 2 ? current_.begin : last_event_; }
  /// How many bytes were fed.
  std::uint64_t offset() const { return offset_; }
  /// How many bytes it has read of this and of the documents before that it still knows the names of.
  std::uint64_t worn() const { return base_ + offset_; }

 private:
  struct Handlers;
  struct Declaration {
    std::size_t at;           // of the prefix in declared_, which the URI follows
    std::size_t prefix_size;  // 0: the default namespace
    std::size_t uri_size;
    unsigned depth;  // of the element that carries it
  };
  struct Free {
    void operator()(XML_ParserStruct*) const;
  };

  void reset();
  void listen();
  void forget();
  void open_wrapper();
  Error read_as_child(const Options&, std::string_view document);
  bool is_one_element(std::string_view document) const;
  std::uint64_t position() const;
  void fail(Error);
  void note_event();
  void start(const char* name, const char** attributes);
  void open_root(const char* name, const char** attributes, std::size_t count);
  void end();
  void declare_needed(Element&);
  void need(std::string_view prefix);
  void rename_declaration();
  void declare(std::string_view prefix, std::string_view uri);
  void undeclare();
  std::string_view prefix_of(const Declaration&) const;
  std::string_view uri_of(const Declaration&) const;
  const Declaration* in_scope(std::string_view prefix) const;

  std::unique_ptr<XML_ParserStruct, Free> expat_;
  unsigned long hash_salt_;
  const Options* options_ = nullptr;  // of the feed that runs
  Error error_ = Error::none;
  bool wrapped_ = false;    // documents are children of a root of our own
  std::uint64_t base_ = 0;  // where the document begins in expat's
  std::uint64_t offset_ = 0;
  std::uint64_t last_event_ = 0;  // where the last complete piece ended
  unsigned depth_ = 0;            // open elements
  std::vector<Declaration> declarations_;
  std::string declared_;      // their prefixes and URIs
  bool rename_here_ = false;  // the element about to start declares the renamed namespace
  bool root_opened_ = false;
  bool root_closed_ = false;
  Root root_;
  std::string language_;  // the root's xml:lang
  std::uint64_t root_begin_ = 0;
  std::uint64_t root_end_ = 0;
  std::uint64_t closed_at_ = 0;      // where the root's end tag ends
  Found current_;                    // the open child of the root
  std::vector<std::string> needed_;  // prefixes it has from the root
  std::vector<Found> found_;
};

}  // namespace xml
