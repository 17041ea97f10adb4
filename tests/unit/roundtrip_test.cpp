// What is cut out of a document and stands alone has the same names as before, everywhere inside it. The
// documents are random, and another reader (expat, without anything of ours) compares.
#include <expat.h>

#include <boost/test/unit_test.hpp>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bosh/body.hpp"
#include "tests/unit/cuts.hpp"

namespace {

constexpr std::string_view httpbind = "http://jabber.org/protocol/httpbind";
constexpr char separator = '\x01';

/// The expanded names of all start tags, with their attributes.
std::vector<std::string> names(std::string_view document) {
  std::vector<std::string> found;
  const std::unique_ptr<XML_ParserStruct, void (*)(XML_Parser)> parser(XML_ParserCreateNS("UTF-8", separator),
                                                                       XML_ParserFree);
  XML_SetUserData(parser.get(), &found);
  XML_SetStartElementHandler(parser.get(), [](void* data, const char* name, const char** attributes) {
    std::string all = name;
    for (; *attributes; attributes += 2) all += std::string(" ") + attributes[0] + "=" + attributes[1];
    static_cast<std::vector<std::string>*>(data)->push_back(all);
  });
  const auto status = XML_Parse(parser.get(), document.data(), static_cast<int>(document.size()), 1);
  BOOST_REQUIRE_MESSAGE(status == XML_STATUS_OK, document);
  return found;
}

/// Elements in namespaces of all kinds, declared here and there.
class Writer {
 public:
  explicit Writer(unsigned seed) : random_(seed) {}

  std::string root() {
    std::string out = "<body xmlns='" + std::string(httpbind) + "' rid='1' sid='s'";
    for (const char* prefix : {"p", "q"}) out += declaration(prefix);
    return out + ">";
  }
  std::string element(unsigned depth = 0) {
    const std::string name = one_of({"a", "p:a", "q:b", "m"});
    std::string out = "<" + name;
    if (one_in(3)) out += blank() + "xmlns" + equals() + default_namespace();
    for (const char* prefix : {"p", "q"})
      if (one_in(4)) out += declaration(prefix);
    if (one_in(3)) out += blank() + "p:x" + equals() + "'1'";
    if (one_in(3)) out += blank() + "y" + equals() + "\" xmlns='" + std::string(httpbind) + "' >\"";
    if (one_in(4)) return out + blank() + "/>";
    out += ">";
    while (depth < 3 && !one_in(3)) out += one_in(2) ? "text &lt; <![CDATA[<p:c>]]>" : element(depth + 1);
    return out + "</" + name + ">";
  }

 private:
  bool one_in(unsigned n) { return random_() % n == 0; }
  std::string one_of(const std::vector<std::string>& choices) { return choices[random_() % choices.size()]; }
  std::string blank() { return one_of({" ", "\n", " \t"}); }
  std::string equals() { return one_of({"=", " = "}); }
  std::string default_namespace() {
    return one_of({"''", "'urn:d'", "\"jabber:client\"", "'" + std::string(httpbind) + "'"});
  }
  std::string declaration(const std::string& prefix) {
    return blank() + "xmlns:" + prefix + equals() + one_of({"'urn:p'", "\"urn:q\"", "'u&amp;&apos;v'"});
  }

  std::mt19937 random_;
};

/// As the server should read it: what inherits httpbind is meant as jabber:client.
std::string renamed(std::string name) {
  if (name.starts_with(httpbind)) name.replace(0, httpbind.size(), "jabber:client");
  return name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(round_trip)

BOOST_AUTO_TEST_CASE(U_081_names_are_the_same_inside_and_alone) {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    Writer writer(seed);
    const std::string document = writer.root() + writer.element() + "\n" + writer.element() + "</body>";
    std::vector<std::string> inside = names(document);
    inside.erase(inside.begin());
    const tests::Outcome cut = tests::read({document}, {}, tests::Parsers::warm, true);
    std::vector<std::string> alone;
    for (const std::string& element : cut.elements)
      for (std::string& name : names(element)) alone.push_back(std::move(name));
    BOOST_REQUIRE_MESSAGE(alone == inside, document);
  }
}

BOOST_AUTO_TEST_CASE(X_008_the_payload_means_the_same_on_the_servers_stream) {
  xml::Pool pool(1);
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    Writer writer(seed);
    const std::string document = writer.root() + writer.element() + " " + writer.element() + "</body>";
    const bosh::ParsedBody parsed = bosh::parse_body(pool, document, {});
    BOOST_REQUIRE_MESSAGE(parsed.fault.empty(), parsed.fault << ": " << document);
    std::vector<std::string> sent = names(document);
    std::vector<std::string> got =
        names("<stream xmlns='jabber:client' xmlns:p='x' xmlns:q='y'>" + parsed.body.payload + "</stream>");
    sent.erase(sent.begin());
    got.erase(got.begin());
    for (std::string& name : sent) name = renamed(std::move(name));
    BOOST_REQUIRE_MESSAGE(got == sent, document);
  }
}

BOOST_AUTO_TEST_CASE(U_032_random_documents_come_to_the_same_at_every_cut) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    Writer writer(seed);
    const tests::Outcome found =
        tests::read_all_ways(writer.root() + writer.element() + " " + writer.element());
    BOOST_CHECK_EQUAL(found.elements.size(), 2U);
  }
}

BOOST_AUTO_TEST_SUITE_END()
