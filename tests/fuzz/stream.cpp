// The server's stream: what comes out of it does not depend on how its bytes are cut, on what becomes of the
// parser between two pieces, and each element means alone what it meant in the stream.
#include "xmpp/stream.hpp"

#include <utility>

#include "tests/fuzz/check.hpp"
#include "tests/fuzz/plain_reader.hpp"

namespace {

using fuzz::require;

constexpr std::string_view stream_ns = "http://etherx.jabber.org/streams\x01";

// What happens between two pieces.
enum Mark : unsigned char {
  restarts = 0xfc,      // the client has authenticated
  parser_taken = 0xfd,  // another stream gets the parser
  parser_freed = 0xfe,
  cut_here = 0xff,
};

/// What the input's first byte picks.
struct Choices {
  bool tight = false;
  std::string language;
};

xml::Limits limits_of(const Choices& choices) {
  xml::Limits limits;
  if (!choices.tight) return limits;
  limits.element_bytes = 200;
  limits.name_bytes = 60;
  limits.depth = 5;
  limits.attributes = 4;
  limits.declarations = 6;
  return limits;
}

struct Outcome {
  std::string text;  // elements and all else, in order
  std::string
      reply;  // all that is written to the server, but in what way its XML is bad: it may be in several
  std::optional<xmpp::End> end;
};

class Reading {
 public:
  explicit Reading(const Choices& choices)
      : choices_(choices), limits_(limits_of(choices)), stream_("a.example", choices.language, limits_) {
    outcome_.reply = stream_.send("<client/>");
  }

  void feed(std::string_view bytes) {
    const fuzz::Exact exact(bytes);
    const xmpp::Received received = stream_.receive(pool_, exact.view(), batch_);
    if (received.opened)
      outcome_.text +=
          "opened " + received.opened->from + " " + received.opened->id + " " + received.opened->version;
    for (const xml::Element& element : received.elements) {
      elements_.push_back(element);
      alone_.push_back(element.to_string());
      outcome_.text += "\n" + element.ns + " " + element.name + " " + alone_.back();
      check_alone(element, alone_.back());
    }
    outcome_.reply += received.reply.substr(0, received.reply.find("<stream:error "));
    if (!received.ended) return;
    outcome_.end = received.ended->end;
    outcome_.text += "\nerror " + received.ended->error;
    if (!received.ended->error.empty())
      require(fuzz::read_plainly(received.ended->error).well_formed, "the error parses on its own");
  }

  /// Says whether what follows is another document.
  bool happens(unsigned char mark) {
    if (mark == restarts) {
      const std::string header = stream_.restart("");
      outcome_.reply += header;
      return !header.empty();
    }
    if (mark == parser_taken) {
      xml::Batch unused;
      xml::Splitter().feed(pool_, {}, "<other a='1'>", unused);
    }
    if (mark == parser_freed) {
      pool_.cool();
      pool_.cool();
    }
    return false;
  }

  bool ended() const { return outcome_.end.has_value(); }
  const Outcome& outcome() const { return outcome_; }

  /// The elements since the last call, compared with the document that they are from.
  void compare(std::string_view document) {
    const fuzz::PlainDocument whole = fuzz::read_plainly(document);
    require(alone_.size() <= whole.children.size(), "there are no more elements than the document has");
    for (std::size_t i = 0; i < alone_.size(); ++i) {
      if (elements_[i].ns + '\x01' != stream_ns)
        check_same(whole, whole.children[i], fuzz::read_plainly(alone_[i]));
    }
    elements_.clear();
    alone_.clear();
  }

 private:
  static void check_alone(const xml::Element& element, const std::string& alone) {
    const fuzz::PlainDocument document = fuzz::read_plainly(alone);
    require(document.well_formed, "an element parses on its own", alone);
    const std::string name = element.ns.empty() ? element.name : element.ns + '\x01' + element.name;
    require(document.root.name == name, "an element is on its own what it is in the stream", alone);
  }
  void check_same(const fuzz::PlainDocument& whole, const fuzz::PlainChild& child,
                  const fuzz::PlainDocument& alone) const {
    require(to_string(child.top) + child.inside == to_string(alone.root) + alone.inside,
            "all names in it are the same", child.inside + "\n" + alone.inside);
    const std::string& language = child.top.has_language ? child.top.language : whole.root.language;
    if (alone.root.has_language) return require(alone.root.language == language, "its language is the same");
    const bool stanza = child.top.name.starts_with("jabber:client\x01");
    require(!stanza || language.empty() || language == choices_.language,
            "a language not as expected is told");
  }

  Choices choices_;
  xml::Limits limits_;
  xml::Pool pool_{42, 1};
  xml::Batch batch_;
  xmpp::Stream stream_;
  Outcome outcome_;
  std::vector<xml::Element> elements_;
  std::vector<std::string> alone_;
};

Outcome read_in_pieces(const Choices& choices, const std::vector<fuzz::Piece>& pieces) {
  Reading reading(choices);
  for (const fuzz::Piece& piece : pieces) {
    reading.feed(piece.bytes);
    if (reading.ended()) break;
    reading.happens(piece.mark);
  }
  return reading.outcome();
}

/// At once from restart to restart.
Outcome read_at_once(const Choices& choices, const std::vector<fuzz::Piece>& pieces) {
  Reading reading(choices);
  std::string document;
  std::string unread;
  for (const fuzz::Piece& piece : pieces) {
    unread += piece.bytes;
    if (piece.mark != restarts && piece.mark != 0) continue;
    reading.feed(unread);
    document += std::exchange(unread, {});
    if (reading.ended()) break;
    if (!reading.happens(piece.mark)) continue;
    reading.compare(document);
    document.clear();
  }
  reading.compare(document);
  return reading.outcome();
}

/// A stream that has to be encrypted tells the client nothing before it is (RFC 6120 §5.4.3.3).
void read_unencrypted(const Choices& choices, const std::vector<fuzz::Piece>& pieces) {
  xml::Pool pool(42, 1);
  xml::Batch batch;
  const xml::Limits limits = limits_of(choices);
  xmpp::Stream stream("a.example", choices.language, limits);
  stream.open(xmpp::Tls::always);
  for (const fuzz::Piece& piece : pieces) {
    const fuzz::Exact exact(piece.bytes);
    const xmpp::Received received = stream.receive(pool, exact.view(), batch);
    require(received.elements.empty() || received.ended, "no element is told");
    require(!received.opened, "no header is told");
    require(stream.send("<client/>").empty(), "nothing of the client is written");
    if (received.ended || received.start_tls) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const Choices choices{(bytes[0] & 1) != 0, (bytes[0] & 2) != 0 ? "en" : ""};
  const std::vector<fuzz::Piece> pieces = fuzz::pieces(fuzz::text(bytes + 1, size - 1), restarts);
  if ((bytes[0] & 4) != 0) {
    read_unencrypted(choices, pieces);
    return 0;
  }
  const Outcome a = read_in_pieces(choices, pieces);
  const Outcome b = read_at_once(choices, pieces);
  require(a.text == b.text, "cuts change what comes out", a.text + "\nat once: " + b.text);
  require(a.end == b.end, "cuts change how it ends", a.text);
  require(a.reply == b.reply, "cuts change what is written", a.reply + "\nat once: " + b.reply);
  return 0;
}
