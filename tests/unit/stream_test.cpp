#include "xmpp/stream.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

using namespace xmpp;

namespace {

constexpr std::string_view header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' "
    "id='s1' from='a.example' version='1.0' xml:lang='en'>";
constexpr std::string_view features =
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";

/// A stream and what it brought, summed up over all reads.
struct Server {
  xml::Pool pool{1};
  xml::Batch batch;
  Stream stream{"a.example", "en", {}};
  std::optional<Header> opened;
  std::string elements;
  std::string written;
  std::optional<Received::Ended> ended;

  void says(std::string_view bytes) {
    Received received = stream.receive(pool, bytes, batch);
    if (received.opened) opened = received.opened;
    for (const xml::Element& element : received.elements) element.append_to(elements);
    written += received.reply;
    if (received.ended) ended = received.ended;
  }
  void says_in_bytes(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) says(bytes.substr(i, 1));
  }
};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// What a client sees of features with this content.
std::string seen(std::string_view content) {
  Server server;
  server.says(std::string(header) + "<stream:features>" + std::string(content) + "</stream:features>");
  BOOST_REQUIRE(!server.ended);
  constexpr std::string_view open = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>";
  BOOST_REQUIRE_MESSAGE(server.elements.starts_with(open), server.elements);
  const auto end = server.elements.rfind("</stream:features>");
  return server.elements.substr(open.size(), end - open.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(streams)

BOOST_AUTO_TEST_CASE(U_018_U_019_U_080_the_header_is_a_declaration_and_a_root_with_two_namespaces) {
  BOOST_CHECK_EQUAL(
      Stream("d'x", "de", {}).open(),
      "<?xml version='1.0'?><stream:stream to='d&apos;x' version='1.0' xml:lang='de' xmlns='jabber:client' "
      "xmlns:stream='http://etherx.jabber.org/streams'>");
}

BOOST_AUTO_TEST_CASE(X_016_X_017_X_018_U_025_the_header_has_the_domain_and_version_1_0) {
  BOOST_CHECK(has(Stream("d.example", "", {}).open(), " to='d.example' version='1.0' "));
}

BOOST_AUTO_TEST_CASE(X_019_U_024_the_header_has_the_language_that_the_client_gave) {
  BOOST_CHECK(has(Stream("d", "pt-BR", {}).open(), " xml:lang='pt-BR'"));
  BOOST_CHECK(!has(Stream("d", "", {}).open(), "lang"));
}

BOOST_AUTO_TEST_CASE(U_022_U_023_the_header_has_neither_from_nor_id) {
  const std::string sent = Stream("d", "de", {}).open();
  BOOST_CHECK(!has(sent, "from") && !has(sent, "id="));
}

BOOST_AUTO_TEST_CASE(U_032_header_and_features_in_any_pieces) {
  for (const bool bytewise : {false, true}) {
    Server server;
    const std::string all = std::string(header) + std::string(features) + "<message from='b'/>";
    bytewise ? server.says_in_bytes(all) : server.says(all);
    BOOST_REQUIRE(server.opened.has_value());
    BOOST_CHECK_EQUAL(server.opened->from, "a.example");
    BOOST_CHECK_EQUAL(server.opened->id, "s1");
    BOOST_CHECK_EQUAL(server.opened->version, "1.0");
    BOOST_CHECK(server.elements.ends_with("</stream:features><message xmlns='jabber:client' from='b'/>"));
  }
}

BOOST_AUTO_TEST_CASE(B_059_what_the_client_sends_before_the_stream_is_open_waits) {
  Server server;
  BOOST_CHECK_EQUAL(server.stream.send("<a/>"), "");
  BOOST_CHECK_EQUAL(server.stream.unsent(), 4U);
  server.says(header);
  BOOST_CHECK_EQUAL(server.written, "");
  server.says(features);
  BOOST_CHECK_EQUAL(server.written, "<a/>");
  BOOST_CHECK_EQUAL(server.stream.send("<b/>"), "<b/>");
}

BOOST_AUTO_TEST_CASE(U_028_a_header_may_lack_everything_but_its_version) {
  Server server;
  server.says(
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>" +
      std::string(features) + "<message/>");
  BOOST_REQUIRE(server.opened.has_value() && !server.ended);
  BOOST_CHECK_EQUAL(server.opened->from + server.opened->id + server.opened->language, "");
  BOOST_CHECK(server.elements.ends_with("<message xmlns='jabber:client'/>"));
}

BOOST_AUTO_TEST_CASE(U_082_a_server_may_declare_everything_where_it_stands) {
  Server server;
  server.says(
      "<stream xmlns='http://etherx.jabber.org/streams' id='s1' version='1.0'><features/>"
      "<message xmlns='jabber:client'><body>x</body></message>"
      "<error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error></stream>");
  BOOST_REQUIRE(server.opened.has_value());
  BOOST_CHECK_EQUAL(server.opened->id, "s1");
  BOOST_CHECK_EQUAL(server.elements,
                    "<features xmlns='http://etherx.jabber.org/streams'/>"
                    "<message xmlns='jabber:client'><body>x</body></message>");
  BOOST_REQUIRE(server.ended.has_value());
  BOOST_CHECK(server.ended->end == End::stream_error);
}

BOOST_AUTO_TEST_CASE(X_033_U_026_a_server_older_than_XMPP_1_0_sends_no_features) {
  Server server;
  server.stream.send("<a/>");
  server.says("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1'>");
  BOOST_REQUIRE(server.opened.has_value());
  BOOST_CHECK_EQUAL(server.opened->version, "");
  BOOST_CHECK_EQUAL(server.written, "<a/>");
}

BOOST_AUTO_TEST_CASE(X_043_X_045_U_073_U_077_a_restart_begins_a_new_document) {
  Server server;
  server.says(std::string(header) + std::string(features) +
              "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  server.elements.clear();
  const std::string restart = server.stream.restart("");
  BOOST_CHECK(restart.starts_with("<?xml version='1.0'?><stream:stream to='a.example'"));
  BOOST_CHECK(restart.find("</stream:stream>") == std::string::npos);
  server.opened.reset();
  server.says(
      "<?xml version='1.0'?><s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' "
      "id='s2' version='1.0' xml:lang='de'>"
      "<s:features/><iq/>");
  BOOST_REQUIRE(server.opened.has_value());  // the new stream has a header of its own
  BOOST_CHECK_EQUAL(server.opened->id, "s2");
  BOOST_CHECK_EQUAL(server.opened->language, "de");
  BOOST_CHECK_EQUAL(
      server.elements,
      "<s:features xmlns:s='http://etherx.jabber.org/streams'/><iq xmlns='jabber:client' xml:lang='de'/>");
}

BOOST_AUTO_TEST_CASE(X_047_X_048_U_074_a_stream_goes_on_until_somebody_restarts_it) {
  Server server;
  server.says(std::string(header) + std::string(features));
  server.elements.clear();
  server.says("<success xmlns='urn:xmpp:sasl:2'/><stream:features><bind xmlns='b'/></stream:features>");
  BOOST_CHECK_EQUAL(server.written, "");
  BOOST_CHECK(server.elements.starts_with("<success xmlns='urn:xmpp:sasl:2'/><stream:features"));
  server.says("<iq type='result' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  BOOST_CHECK_EQUAL(server.written, "");
  BOOST_CHECK_EQUAL(server.stream.send("<a/>"), "<a/>");
}

BOOST_AUTO_TEST_CASE(U_085_what_is_no_stanza_passes_in_its_order) {
  Server server;
  server.says(std::string(header) + std::string(features));
  server.elements.clear();
  server.says(
      "<message/><r xmlns='urn:xmpp:sm:3'/><challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</challenge>"
      "<iq/><a xmlns='urn:xmpp:sm:3' h='1'/>");
  BOOST_CHECK_EQUAL(server.elements,
                    "<message xmlns='jabber:client'/><r xmlns='urn:xmpp:sm:3'/>"
                    "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</challenge>"
                    "<iq xmlns='jabber:client'/><a xmlns='urn:xmpp:sm:3' h='1'/>");
}

BOOST_AUTO_TEST_CASE(X_064_stream_management_is_noticed) {
  for (const char* element :
       {"<enabled xmlns='urn:xmpp:sm:3'/>", "<resumed xmlns='urn:xmpp:sm:2'/>",
        "<success xmlns='urn:xmpp:sasl:2'><enabled xmlns='urn:xmpp:sm:3'/></success>"}) {
    Server server;
    server.says(std::string(header) + std::string(features));
    BOOST_CHECK(!server.stream.managed());
    server.says(element);
    BOOST_CHECK(server.stream.managed());
  }
}

BOOST_AUTO_TEST_CASE(X_044_before_the_stream_is_open_there_is_nothing_to_restart) {
  Server server;
  BOOST_CHECK_EQUAL(server.stream.restart("de"), "");
}

BOOST_AUTO_TEST_CASE(X_045_X_046_a_restart_forgets_what_was_unfinished_and_counts_anew) {
  Server server;
  server.says(std::string(header) + std::string(features) + "<unfinished><a>");
  server.stream.restart("de");
  server.says_in_bytes(std::string(header) + "<stream:features/><message/>");
  BOOST_CHECK(!server.ended);
  // The client has asked for another language meanwhile.
  BOOST_CHECK(server.elements.ends_with("<message xmlns='jabber:client' xml:lang='en'/>"));
}

// RFC 6120 §4.9.1.2: the server may answer the header with an error at once, and not know who it is.
BOOST_AUTO_TEST_CASE(X_052_U_031_an_error_can_be_all_that_comes) {
  for (const bool bytewise : {false, true}) {
    Server server;
    server.stream.send("<a/>");
    const std::string all =
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='' version='1.0'>"
        "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    bytewise ? server.says_in_bytes(all) : server.says(all);
    BOOST_CHECK(server.opened.has_value());
    BOOST_CHECK_EQUAL(server.elements, "");
    BOOST_REQUIRE(server.ended.has_value());
    BOOST_CHECK(server.ended->end == End::stream_error);
    BOOST_CHECK(has(server.ended->error, "<host-unknown "));
    BOOST_CHECK_EQUAL(server.written, "</stream:stream>");
  }
}

BOOST_AUTO_TEST_CASE(X_052_U_102_U_103_a_stream_error_ends_the_stream_and_is_kept_whole) {
  Server server;
  server.says(std::string(header) +
              "<message/><stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
              "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>x</text></stream:error></stream:stream>");
  BOOST_CHECK_EQUAL(server.elements, "<message xmlns='jabber:client'/>");
  BOOST_REQUIRE(server.ended.has_value());
  BOOST_CHECK(server.ended->end == End::stream_error);
  BOOST_CHECK_EQUAL(server.ended->error,
                    "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict "
                    "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
                    "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>x</text></stream:error>");
  BOOST_CHECK_EQUAL(server.written, "</stream:stream>");
  BOOST_CHECK_EQUAL(server.stream.close(), "");
}

BOOST_AUTO_TEST_CASE(U_101_the_servers_footer_is_answered) {
  Server server;
  server.says(std::string(header) + std::string(features) + "<presence/></stream:stream>");
  BOOST_REQUIRE(server.ended.has_value());
  BOOST_CHECK(server.ended->end == End::closed_by_server);
  BOOST_CHECK(server.elements.ends_with("<presence xmlns='jabber:client'/>"));
  BOOST_CHECK_EQUAL(server.written, "</stream:stream>");
}

BOOST_AUTO_TEST_CASE(U_101_what_follows_the_servers_footer_is_not_looked_at) {
  for (const bool bytewise : {false, true}) {
    Server server;
    const std::string all = std::string(header) + std::string(features) + "</stream:stream>x<!-- -->";
    bytewise ? server.says_in_bytes(all) : server.says(all);
    BOOST_REQUIRE(server.ended.has_value());
    BOOST_CHECK(server.ended->end == End::closed_by_server);
    BOOST_CHECK_EQUAL(server.written, "</stream:stream>");
  }
}

BOOST_AUTO_TEST_CASE(U_103_the_form_of_a_stream_error) {
  BOOST_CHECK_EQUAL(xmpp::stream_error("reset"),
                    "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><reset "
                    "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  BOOST_CHECK_EQUAL(
      xmpp::stream_error("reset", "a < b"),
      "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><reset "
      "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>a &lt; b</text></stream:error>");
}

BOOST_AUTO_TEST_CASE(U_087_U_088_U_089_U_102_bad_xml_is_answered_with_its_stream_error) {
  const auto answered = [](std::string_view bytes) {
    Server server;
    server.says(bytes);
    BOOST_REQUIRE_MESSAGE(server.ended && server.ended->end == End::bad_xml, bytes);
    return server.written;
  };
  const auto error = [](std::string_view condition) {
    return "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><" + std::string(condition) +
           " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>";
  };
  BOOST_CHECK_EQUAL(answered(std::string(header) + "<!-- -->"), error("restricted-xml"));
  BOOST_CHECK_EQUAL(answered(std::string(header) + "<a></b>"), error("not-well-formed"));
  BOOST_CHECK_EQUAL(answered(std::string(header) + "text"), error("bad-format"));
  BOOST_CHECK_EQUAL(answered("<?xml version='1.0' encoding='latin1'?><a>"), error("unsupported-encoding"));
  BOOST_CHECK_EQUAL(answered(std::string(header) + "<a>" + std::string(1024 * 1024, 'x')),
                    error("policy-violation"));
  BOOST_CHECK_EQUAL(answered("<html><body>no XMPP</body></html>"), error("bad-format"));
  BOOST_CHECK_EQUAL(answered("HTTP/1.1 400 Bad Request\r\n\r\n"), error("not-well-formed"));
}

BOOST_AUTO_TEST_CASE(U_099_close_sends_the_footer_once) {
  Server server;
  server.says(std::string(header) + std::string(features));
  BOOST_CHECK_EQUAL(server.stream.close(), "</stream:stream>");
  BOOST_CHECK_EQUAL(server.stream.close(), "");
  server.says("<message/>");
  BOOST_CHECK(server.elements.find("message") == std::string::npos);
  BOOST_CHECK_EQUAL(server.stream.send("<a/>"), "");
}

BOOST_AUTO_TEST_CASE(U_084_a_language_that_the_client_did_not_ask_for_stands_on_the_stanza) {
  Server server;
  server.stream = Stream("a.example", "de", {});
  server.says(std::string(header) + "<message/><message xml:lang='fr'/>");
  BOOST_CHECK_EQUAL(
      server.elements,
      "<message xmlns='jabber:client' xml:lang='en'/><message xmlns='jabber:client' xml:lang='fr'/>");
}

BOOST_AUTO_TEST_CASE(X_032_features_that_concern_the_client_stay_as_they_were_written) {
  for (const std::string_view kept :
       {"", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3' a='1>2'/>",
        "<mechanisms "
        "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism><mechanism>SCRAM-SHA-1</"
        "mechanism></mechanisms>",
        "<x xmlns='urn:x'><mechanism>NOT-SASL-PLUS</mechanism><starttls/></x>"})
    BOOST_CHECK_EQUAL(seen(kept), kept);
}

// A server that wrote text there ended the process once: what is filtered was taken for free of text.
BOOST_AUTO_TEST_CASE(X_027_text_among_features_does_no_harm) {
  const std::string found = seen(
      "text<mechanisms "
      "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>text<mechanism>PLAIN</mechanism><mechanism>X-PLUS</mechanism>"
      "</mechanisms><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  BOOST_CHECK(found.find("<mechanism>PLAIN</mechanism>") != std::string::npos);
  BOOST_CHECK(found.find("PLUS") == std::string::npos && found.find("starttls") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(X_027_X_031_U_039_what_belongs_to_the_TLS_layer_is_hidden) {
  for (const std::string_view hidden :
       {"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>",
        "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>",
        "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><x type='tls-exporter'/></sasl-channel-binding>",
        "<pipelining xmlns='urn:xmpp:features:pipelining'/>"})
    BOOST_CHECK_EQUAL(seen("<a xmlns='u'/>" + std::string(hidden) + "<b xmlns='u'/>"),
                      "<a xmlns='u'/><b xmlns='u'/>");
}

BOOST_AUTO_TEST_CASE(X_027_mechanisms_that_bind_to_the_channel_are_hidden) {
  BOOST_CHECK_EQUAL(
      seen("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256-PLUS</mechanism>"
           "<mechanism> SCRAM-SHA-1-PLUS </mechanism><mechanism>SCRAM-SHA-1</mechanism></mechanisms>"),
      "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>");
}

BOOST_AUTO_TEST_CASE(X_027_whatever_prefixes_and_attributes_they_are_written_with) {
  BOOST_CHECK_EQUAL(
      seen("<s:mechanisms xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl' a='>'><s:mechanism "
           "b='/>'>X-PLUS</s:mechanism>"
           "<s:mechanism b=\">\">PLAIN</s:mechanism></s:mechanisms>"
           "<t:starttls xmlns:t='urn:ietf:params:xml:ns:xmpp-tls' a='>'><t:required/></t:starttls>"),
      "<s:mechanisms xmlns:s='urn:ietf:params:xml:ns:xmpp-sasl' a='>'>"
      "<s:mechanism b=\">\">PLAIN</s:mechanism></s:mechanisms>");
}

BOOST_AUTO_TEST_CASE(X_032_only_what_has_the_namespace_of_the_hidden_is_hidden) {
  for (const std::string_view kept :
       {"<starttls xmlns='urn:x'/>", "<compression xmlns='urn:x'/>", "<pipelining xmlns='urn:x'/>",
        "<mechanisms xmlns='urn:x'><mechanism>A-PLUS</mechanism></mechanisms>", "<mechanisms xmlns='urn:x'/>",
        "<required xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"})
    BOOST_CHECK_EQUAL(seen(kept), kept);
}

BOOST_AUTO_TEST_CASE(X_027_also_those_of_SASL_2_and_its_inline_tokens) {
  const std::string found = seen(
      "<authentication "
      "xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-1-PLUS</mechanism>"
      "<inline><fast "
      "xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR</mechanism><mechanism>HT-SHA-256-UNIQ</mechanism>"
      "<mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast>"
      "<sm xmlns='urn:xmpp:sm:3'/></inline></authentication>");
  for (const char* hidden : {"PLUS", "EXPR", "UNIQ", "ENDP"})
    BOOST_CHECK(found.find(hidden) == std::string::npos);
  for (const char* kept : {"<mechanism>SCRAM-SHA-1</mechanism>", "<mechanism>HT-SHA-256-NONE</mechanism>",
                           "<sm xmlns='urn:xmpp:sm:3'/>", "</fast>", "</inline></authentication>"})
    BOOST_CHECK_MESSAGE(found.find(kept) != std::string::npos, kept << " in " << found);
}

BOOST_AUTO_TEST_SUITE_END()
