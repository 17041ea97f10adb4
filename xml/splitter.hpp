// Cuts a stream of bytes into the children of its root: the XMPP stream, a BOSH body, a stream:features
// element.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element.hpp"
#include "xml/parser.hpp"

namespace xml {

/// The parsers of one thread. Splitters between two elements give theirs back; the pool keeps the latest of
/// them warm, so that a stream at work finds its parser as it left it, and a stream at rest owns none (an
/// expat parser is 10 kB).
class Pool {
 public:
  /// `hash_salt`: random, not 0. `warm`: how many parsers at most wait for their stream.
  explicit Pool(unsigned long hash_salt, std::size_t warm = 128);

  /// A parser in any state; begin() it.
  std::unique_ptr<Parser> borrow();
  /// The very parser that was left with this ticket, nullptr when it had to go to another.
  std::unique_ptr<Parser> take(std::uint64_t ticket);
  /// Leaves a parser in the middle of its document; the ticket takes it back.
  std::uint64_t leave(std::unique_ptr<Parser>);
  /// The parser that reads whole documents, bodies and messages, one after the other. What it found stays
  /// until the next, or until cool().
  Parser& documents();
  /// Done with the document.
  void give_back(std::unique_ptr<Parser>);
  /// Frees what was left before the previous call: who calls it now and then keeps parsers only of streams at
  /// work. Says whether none of a stream is left.
  bool cool();
  std::size_t parsers_kept() const;

 private:
  void drop_worn_documents();

  unsigned long hash_salt_;
  std::uint64_t next_ticket_ = 1;
  std::uint64_t cool_before_ = 1;
  std::vector<std::unique_ptr<Parser>> warm_;  // by ticket modulo size
  std::vector<std::uint64_t> tickets_;
  std::vector<std::unique_ptr<Parser>> spare_;
  std::unique_ptr<Parser> documents_;
};

/// What one feed brought. Reused from feed to feed.
struct Batch {
  bool root_opened = false;
  bool root_closed = false;
  Root root;                      // when root_opened
  std::vector<Element> elements;  // slices of the bytes fed, or of `joined`
  std::string joined;             // an element that began in an earlier feed

  void clear();
};

/// Plain data: the root's tag and the bytes of an unfinished element. Its parser is a cache that can be
/// rebuilt from these at any time.
class Splitter {
 public:
  /// Takes the next bytes. After an error the document is over. `last`: nothing follows; a document that
  /// isn't complete is then malformed.
  Error feed(Pool&, const Options&, std::string_view bytes, Batch&, bool last = false);

  /// The root's start tag as received; empty before it came.
  const std::string& root_tag() const { return root_tag_; }
  /// Bytes kept of an unfinished element or tag.
  std::size_t pending() const { return partial_.size(); }
  bool holds_parser() const { return parser_ != nullptr; }

 private:
  std::unique_ptr<Parser> resume(Pool&, const Options&);
  void collect(Parser&, std::string_view bytes, Batch&);

  std::string root_tag_;
  std::string partial_;
  std::unique_ptr<Parser> parser_;  // only while an element is unfinished
  std::uint64_t ticket_ = 0;
  bool begun_ = false;  // something before the root has been read to its end
  Error error_ = Error::none;
};

}  // namespace xml
