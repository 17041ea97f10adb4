// Whole documents, one after the other, by one reader: each comes to the same as with a reader of its own.
// The first byte picks the options; bytes from 0xfe on end a document, 0xff also leaves the next one to
// another use of the reader.
#include "tests/unit/documents.hpp"

#include "tests/fuzz/check.hpp"
#include "xml/splitter.hpp"

namespace {

constexpr unsigned char first_mark = 0xfe;
constexpr unsigned char other_use = 0xff;

xml::Options options_of(unsigned char choice) {
  xml::Options options;
  options.drop_text = (choice & 1) != 0;
  options.inherit_language = (choice & 2) != 0;
  if ((choice & 4) != 0) {
    options.renamed = "urn:old";
    options.renamed_to = "urn:new";
  }
  if ((choice & 8) == 0) return options;
  options.limits.element_bytes = 200;
  options.limits.token_bytes = 100;
  options.limits.name_bytes = 40;
  options.limits.depth = 4;
  options.limits.attributes = 3;
  options.limits.declarations = 3;
  options.limits.elements = 4;
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const xml::Options options = options_of(bytes[0]);
  xml::Pool pool(42, 1);
  for (const fuzz::Piece& piece : fuzz::pieces(fuzz::text(bytes + 1, size - 1), first_mark)) {
    const fuzz::Exact document(piece.bytes);
    xml::Parser& parser = pool.documents();
    const std::string found = tests::told(parser, parser.read(options, document.view()), document.view());
    const std::string expected = tests::alone(document.view(), options);
    fuzz::require(found == expected, "what came before changes a document", found + "\nalone: " + expected);
    if (piece.mark != other_use) continue;
    parser.begin();
    parser.feed(options, "<r xmlns:p='urn:p'><a>", false);
  }
  return 0;
}
