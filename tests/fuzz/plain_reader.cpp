#include "tests/fuzz/plain_reader.hpp"

#include <expat.h>

#include <memory>

namespace fuzz {

namespace {

constexpr char separator = '\x01';

class Reader {
 public:
  Reader(PlainDocument& document, std::string_view renamed, std::string_view renamed_to)
      : document_(document), renamed_(renamed), renamed_to_(renamed_to) {}

  void start(const char* name, const char** attributes) {
    const PlainElement element = read_tag(name, attributes);
    if (depth_ == 0) document_.root = element;
    if (depth_ == 1) child_ = {element, {}};
    if (depth_ > 0) document_.inside += "<" + whole(element) + ">";
    if (depth_ > 1) child_.inside += "<" + whole(element) + ">";
    ++depth_;
  }
  void end() {
    --depth_;
    if (depth_ > 0) document_.inside += "</>";
    if (depth_ > 1) child_.inside += "</>";
    if (depth_ == 1) document_.children.push_back(child_);
  }
  void characters(std::string_view text) {
    document_.inside += text;
    if (depth_ > 1) child_.inside += text;
  }

 private:
  std::string told(std::string_view name) const {
    const auto end = name.find(separator);
    if (end == name.npos || name.substr(0, end) != renamed_) return std::string(name);
    return renamed_to_ + std::string(name.substr(end));
  }
  PlainElement read_tag(const char* name, const char** attributes) const {
    const std::string language = std::string("http://www.w3.org/XML/1998/namespace") + separator + "lang";
    PlainElement element;
    element.name = told(name);
    for (; *attributes; attributes += 2) {
      if (attributes[0] == language) {
        element.has_language = true;
        element.language = attributes[1];
      } else {
        element.attributes.push_back(told(attributes[0]) + "=" + attributes[1]);
      }
    }
    return element;
  }
  static std::string whole(const PlainElement& element) {
    return to_string(element) + (element.has_language ? " lang=" + element.language : "");
  }

  PlainDocument& document_;
  std::string_view renamed_;
  std::string renamed_to_;
  PlainChild child_;
  unsigned depth_ = 0;
};

}  // namespace

PlainDocument read_plainly(std::string_view document, std::string_view renamed, std::string_view renamed_to) {
  PlainDocument found;
  Reader reader(found, renamed, renamed_to);
  const std::unique_ptr<XML_ParserStruct, void (*)(XML_Parser)> parser(XML_ParserCreateNS("UTF-8", separator),
                                                                       XML_ParserFree);
  XML_SetUserData(parser.get(), &reader);
  XML_SetElementHandler(
      parser.get(),
      [](void* data, const char* name, const char** attributes) {
        static_cast<Reader*>(data)->start(name, attributes);
      },
      [](void* data, const char*) { static_cast<Reader*>(data)->end(); });
  XML_SetCharacterDataHandler(parser.get(), [](void* data, const char* text, int size) {
    static_cast<Reader*>(data)->characters({text, static_cast<std::size_t>(size)});
  });
  found.well_formed =
      XML_Parse(parser.get(), document.data(), static_cast<int>(document.size()), 1) == XML_STATUS_OK;
  return found;
}

std::string to_string(const PlainElement& element) {
  std::string text = element.name;
  for (const std::string& attribute : element.attributes) text += " " + attribute;
  return text;
}

}  // namespace fuzz
