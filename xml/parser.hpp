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

/// How the root's children are to be taken out of it.
struct Options {
  Limits limits;
  std::string_view renamed;  // a namespace that children may have inherited from the root …
  std::string_view
      renamed_to;          // … and the one that they really mean. Both outlive the parser's work.
  bool drop_text = false;  // characters between the children are no error
  bool inherit_language = false;  // children get the root's xml:lang, unless it is `language`
  std::string language;           // what the receiver takes for granted
  std::string_view language_ns;   // if set, only those in this namespace; outlives the parser's work
};

/// One child of the root, in offsets from the start of the document.
struct Found {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Element element;  // all but its bytes
};

/// Reads one document at a time: `begin`, then `feed` until an error or the end. What a feed found stays
/// until the next.
class Parser {
 public:
  /// `hash_salt` seeds expat's tables, which clients fill; not 0, or expat asks the system at every document.
  explicit Parser(unsigned long hash_salt);
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// Forgets the last document and starts one.
  void begin(const Options&);
  /// Reads on. `last` says that the document ends here.
  Error feed(std::string_view bytes, bool last);

  // What the last feed brought.
  bool root_opened() const { return root_opened_; }
  bool root_closed() const { return root_closed_; }
  const Root& root() const { return root_; }
  std::uint64_t root_begin() const { return root_begin_; }
  std::uint64_t root_end() const { return root_end_; }
  std::vector<Found>& found() { return found_; }

  /// Where the bytes begin that are not yet part of something whole; offset() when there are none.
  std::uint64_t unfinished() const { return depth_ >= 2 ? current_.begin : last_event_; }
  /// How many bytes were fed.
  std::uint64_t offset() const { return offset_; }

 private:
  struct Handlers;
  struct Declaration {
    std::string prefix;  // empty: the default namespace
    std::string uri;
    unsigned depth;  // of the element that carries it
  };
  struct Free {
    void operator()(XML_ParserStruct*) const;
  };

  void fail(Error);
  void note_event();
  void start(const char* name, const char** attributes);
  void open_root(const char* name, const char** attributes);
  void end();
  void need(std::string_view prefix);
  void rename_declaration();
  const Declaration* in_scope(std::string_view prefix) const;

  std::unique_ptr<XML_ParserStruct, Free> expat_;
  unsigned long hash_salt_;
  Options options_;
  Error error_ = Error::none;
  std::uint64_t offset_ = 0;
  std::uint64_t last_event_ = 0;  // where the last complete piece ended
  unsigned depth_ = 0;            // open elements
  std::vector<Declaration> declarations_;
  bool rename_here_ = false;  // the element about to start declares the renamed namespace
  bool root_opened_ = false;
  bool root_closed_ = false;
  Root root_;
  std::string language_;  // the root's xml:lang
  std::uint64_t root_begin_ = 0;
  std::uint64_t root_end_ = 0;
  Found current_;                    // the open child of the root
  std::vector<std::string> needed_;  // prefixes it has from the root
  std::vector<Found> found_;
};

}  // namespace xml
