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

constexpr std::string_view starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view encrypted_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='s2' from='b.example' version='1.0' xml:lang='en'>";

const xml::Limits limits;

/// A stream and what it brought, summed up over all reads.
struct Server {
  xml::Pool pool{1};
  xml::Batch batch;
  Stream stream{"a.example", "en", limits};
  std::optional<Header> opened;
  std::string elements;
  std::string written;
  bool start_tls = false;
  unsigned failed_logins = 0;
  std::optional<Received::Ended> ended;

  void says(std::string_view bytes) {
    Received received = stream.receive(pool, bytes, batch);
    if (received.opened) opened = received.opened;
    for (const xml::Element& element : received.elements) element.append_to(elements);
    written += received.reply;
    start_tls = received.start_tls;
    failed_logins += received.failed_logins;
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
      Stream("d'x", "de", limits).open(),
      "<?xml version='1.0'?><stream:stream to='d&apos;x' version='1.0' xml:lang='de' xmlns='jabber:client' "
      "xmlns:stream='http://etherx.jabber.org/streams'>");
}

BOOST_AUTO_TEST_CASE(X_016_X_017_X_018_U_025_the_header_has_the_domain_and_version_1_0) {
  BOOST_CHECK(has(Stream("d.example", "", limits).open(), " to='d.example' version='1.0' "));
}

BOOST_AUTO_TEST_CASE(X_019_U_024_the_header_has_the_language_that_the_client_gave) {
  BOOST_CHECK(has(Stream("d", "pt-BR", limits).open(), " xml:lang='pt-BR'"));
  BOOST_CHECK(!has(Stream("d", "", limits).open(), "lang"));
}

BOOST_AUTO_TEST_CASE(U_022_U_023_the_header_has_neither_from_nor_id) {
  const std::string sent = Stream("d", "de", limits).open();
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
  server.stream = Stream("a.example", "de", limits);
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

namespace {

std::string features_with(std::string_view content) {
  return "<stream:features>" + std::string(content) + "</stream:features>";
}
constexpr std::string_view offer_required =
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
constexpr std::string_view other_offer =
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";

/// What came of a stream that may be encrypted, in words: the same however the bytes are cut.
struct Talk {
  Server server;
  std::string told;
  std::string_view latest;

  Talk(Tls tls, bool secured) { note("begins", server.stream.open(tls, secured)); }
  void note(std::string_view kind, std::string_view text) {
    if (text.empty()) return;
    if (kind == latest)
      told.pop_back();
    else
      told += std::string(kind) + " ";
    told += std::string(text) + "\n";
    latest = kind;
  }

  void says(std::string_view bytes) {
    if (server.ended) return;
    server.says(bytes);
    if (server.opened) note("opened", server.opened->id + "/" + server.opened->version);
    note("wrote", server.written);
    note("read", server.elements);
    if (server.ended) note("ended", ending(*server.ended));
    server.opened.reset();
    server.elements.clear();
    server.written.clear();
    if (server.start_tls) note("encrypted", server.stream.secured());
  }
  static std::string_view ending(const Received::Ended& ended) {
    BOOST_TEST((ended.end != End::tls_refused || !ended.error.empty()));
    if (ended.end == End::tls_refused) return "without TLS";
    return ended.end == End::stream_error ? "by an error" : "otherwise";
  }
};

constexpr std::size_t everywhere = std::string::npos;

/// What comes of it when the server says all this, each part only after the one before it was read, and one
/// part in two pieces, or all of them byte by byte. The client sends something before each part.
std::string talk(Tls tls, const std::vector<std::string>& parts, std::size_t cut_part = 0,
                 std::size_t cut = 0, bool secured = false) {
  Talk talk(tls, secured);
  talk.server.stream.introduce("<introduction/>");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string sent = talk.server.stream.send("<sent-" + std::to_string(i) + "/>");
    talk.note("wrote", sent);
    const std::string& part = parts[i];
    const std::size_t first = i == cut_part ? cut : part.size();
    const std::size_t further = cut == everywhere ? 1 : part.size();
    for (std::size_t at = 0, end = cut == everywhere ? 1 : first; at < part.size(); at = end, end += further)
      talk.says(part.substr(at, end - at));
  }
  return talk.told;
}

std::string talk_all_ways(Tls tls, const std::vector<std::string>& parts, bool secured = false) {
  std::string whole = talk(tls, parts, parts.size(), 0, secured);
  BOOST_TEST(talk(tls, parts, 0, everywhere, secured) == whole);
  for (std::size_t part = 0; part < parts.size(); ++part)
    for (std::size_t cut = 1; cut < parts[part].size(); ++cut) {
      const std::string found = talk(tls, parts, part, cut, secured);
      if (found == whole) continue;
      BOOST_ERROR("cut at " << parts[part].substr(0, cut) << ":\n" << found << "whole:\n" << whole);
      return whole;
    }
  return whole;
}

const std::string our_header = Stream("a.example", "en", limits).open();
const std::string seen_features = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>" +
                                  std::string(other_offer) + "</stream:features>";

}  // namespace

BOOST_AUTO_TEST_SUITE(streams_with_tls)

BOOST_AUTO_TEST_CASE(U_033_U_034_U_042_U_044_U_045_each_policy_with_each_offer) {
  const std::string offered = std::string(starttls) + std::string(other_offer);
  const std::string required = std::string(offer_required) + std::string(other_offer);
  const std::pair<const char*, std::string> offers[] = {
      {"none", std::string(other_offer)},
      {"offered", offered},
      {"offered last", std::string(other_offer) + std::string(starttls)},
      {"required", required},
      {"only", std::string(starttls)},
      {"only, required", std::string(offer_required)},
      {"empty", ""}};
  using Outcomes = std::vector<const char*>;
  const std::pair<Tls, Outcomes> policies[] = {
      {Tls::never, {"open", "open", "open", "open", "open", "open", "open"}},
      {Tls::when_required, {"open", "open", "open", "TLS", "TLS", "TLS", "open"}},
      {Tls::when_offered, {"open", "TLS", "TLS", "TLS", "TLS", "TLS", "open"}},
      {Tls::always, {"refused", "TLS", "TLS", "TLS", "TLS", "TLS", "refused"}},
  };
  for (const auto& [tls, outcomes] : policies)
    for (std::size_t i = 0; i < std::size(offers); ++i)
      BOOST_TEST_CONTEXT("policy " << static_cast<int>(tls) << ", offer " << offers[i].first) {
        const std::string told = talk_all_ways(tls, {std::string(header) + features_with(offers[i].second)});
        const std::string_view outcome = outcomes[i];
        const std::string begun = "begins " + our_header + "\n";
        if (outcome == "TLS") BOOST_TEST(told == begun + "wrote " + std::string(starttls) + "\n");
        if (outcome == "refused") BOOST_TEST(told == begun + "wrote </stream:stream>\nended without TLS\n");
        if (outcome != "open") continue;
        BOOST_TEST(told.starts_with(begun +
                                    "opened s1/1.0\nwrote <introduction/><sent-0/>\nread <stream:features "));
        BOOST_TEST(has(told, "<mechanism>") == has(offers[i].second, "<mechanism>"));
        BOOST_TEST(!has(told, "starttls"));
      }
}

BOOST_AUTO_TEST_CASE(U_035_U_036_U_038_U_043_the_client_sees_the_encrypted_stream_only) {
  for (const Tls tls : {Tls::when_offered, Tls::always})
    BOOST_TEST(talk_all_ways(tls, {std::string(header) + features_with(starttls), std::string(proceed),
                                   std::string(encrypted_header) + features_with(other_offer),
                                   "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"}) ==
               "begins " + our_header + "\nwrote " + std::string(starttls) + "\nencrypted " + our_header +
                   "\nopened s2/1.0\nwrote <introduction/><sent-0/><sent-1/><sent-2/>\nread " +
                   seen_features +
                   "\nwrote <sent-3/>\nread <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>\n");
}

BOOST_AUTO_TEST_CASE(U_036_what_came_before_the_features_is_forgotten) {
  for (const std::string_view before :
       {"<message><body>x</body></message>", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<enabled xmlns='urn:xmpp:sm:3'/>",
        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>"}) {
    const std::string opening = std::string(header) + std::string(before) + features_with(starttls);
    BOOST_TEST(talk_all_ways(Tls::always, {opening, std::string(proceed)}) ==
               "begins " + our_header + "\nwrote " + std::string(starttls) + "\nencrypted " + our_header +
                   "\n");
    for (const bool bytewise : {false, true}) {
      Server server;
      server.stream.open(Tls::always);
      bytewise ? server.says_in_bytes(opening) : server.says(opening);
      BOOST_TEST(!server.stream.authenticated());
      BOOST_TEST(!server.stream.managed());
      BOOST_TEST(server.failed_logins == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(U_036_whatever_was_unfinished_is_no_part_of_the_encrypted_stream) {
  Talk talk(Tls::always, false);
  talk.says(std::string(header) + features_with(starttls));
  talk.says(proceed);
  // A header in other words, with a prefix of its own and no features yet.
  talk.says(
      "<?xml version='1.0'?><s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' "
      "id='s3' version='1.0'><s:features/>");
  BOOST_TEST(
      talk.told.ends_with("opened s3/1.0\nread <s:features xmlns:s='http://etherx.jabber.org/streams'/>\n"));
}

BOOST_AUTO_TEST_CASE(U_040_a_server_that_fails_or_answers_something_else_is_refused) {
  const std::string begun = "begins " + our_header + "\nwrote " + std::string(starttls) + "\n";
  for (const std::string_view answer :
       {"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>", "</stream:stream>",
        "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
        "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
        "<proceed/>", "<proceed xmlns='urn:x'/>", "<message/>", "<stream:features/>",
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "<message/><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<!-- -->", "text", "<a></b>", "</a>",
        "\x16\x03\x01"})
    BOOST_TEST_CONTEXT(answer)
  BOOST_TEST(talk_all_ways(Tls::always, {std::string(header) + features_with(starttls), std::string(answer),
                                         std::string(encrypted_header) + features_with(other_offer)}) ==
             begun + "ended without TLS\n");
}

BOOST_AUTO_TEST_CASE(U_035_blanks_before_proceed_do_no_harm) {
  const std::string told = talk_all_ways(
      Tls::always, {std::string(header) + features_with(starttls), " \r\n\t" + std::string(proceed)});
  BOOST_TEST(told.ends_with("\nencrypted " + our_header + "\n"));
  for (const std::string_view other : {"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>",
                                       "<t:proceed xmlns:t='urn:ietf:params:xml:ns:xmpp-tls' a='/>'/>"})
    BOOST_TEST(talk_all_ways(Tls::always,
                             {std::string(header) + features_with(starttls), std::string(other)}) == told);
}

// CVE-2011-0411
BOOST_AUTO_TEST_CASE(U_036_plain_text_behind_proceed_is_an_attack) {
  const std::string forged = std::string(encrypted_header) + features_with(other_offer);
  for (const std::string& behind :
       {std::string(" "), std::string("\n"), std::string("x"), std::string("<"), std::string("\x16\x03\x01"),
        std::string("<message/>"), std::string(proceed), std::string("</stream:stream>"), forged})
    BOOST_TEST_CONTEXT(behind) {
      const std::string bytes = std::string(proceed) + behind;
      for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        if (cut == proceed.size()) continue;  // then it is not read: TLS has begun
        Talk talk(Tls::always, false);
        talk.says(std::string(header) + features_with(starttls));
        talk.says(bytes.substr(0, cut));
        talk.says(bytes.substr(cut));
        if (!talk.told.ends_with("wrote " + std::string(starttls) + "\nended without TLS\n"))
          BOOST_ERROR("cut at " << cut << ": " << talk.told);
      }
    }
}

BOOST_AUTO_TEST_CASE(U_034_nothing_is_sent_until_the_stream_is_encrypted) {
  Server server;
  server.stream.open(Tls::always);
  server.stream.introduce("<introduction/>");
  BOOST_TEST(server.stream.send("<a/>") == "");
  server.says(std::string(header) + features_with(starttls));
  BOOST_TEST(server.stream.send("<b/>") == "");
  BOOST_TEST(server.stream.restart("de") == "");
  server.says(" ");
  BOOST_TEST(server.written == starttls);
  server.says(proceed);
  BOOST_REQUIRE(server.start_tls);
  BOOST_TEST(server.stream.unsent() == std::string_view("<introduction/><a/><b/>").size());
  BOOST_TEST(server.stream.send("<c/>") == "");
  BOOST_TEST(server.stream.secured() == our_header);
  BOOST_TEST(server.stream.send("<d/>") == "");
  server.says(encrypted_header);
  BOOST_TEST(server.written == starttls);
  server.says(features_with(other_offer));
  BOOST_TEST(server.written == std::string(starttls) + "<introduction/><a/><b/><c/><d/>");
  BOOST_TEST(server.stream.send("<e/>") == "<e/>");
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_during_the_negotiation_closes_the_stream) {
  Server server;
  server.stream.open(Tls::always);
  server.stream.send("<a/>");
  server.says(std::string(header) + features_with(starttls));
  BOOST_TEST(server.stream.close() == "</stream:stream>");
  server.says(proceed);
  BOOST_TEST(!server.start_tls);
  BOOST_TEST(server.stream.secured() == "");
}

BOOST_AUTO_TEST_CASE(U_026_a_server_older_than_XMPP_1_0_has_no_TLS) {
  const std::string old =
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s1'>";
  for (const Tls tls : {Tls::never, Tls::when_required, Tls::when_offered})
    BOOST_TEST(talk_all_ways(tls, {old + "<message/>"}) ==
               "begins " + our_header +
                   "\nopened s1/\nwrote <introduction/><sent-0/>\nread <message xmlns='jabber:client'/>\n");
  BOOST_TEST(talk_all_ways(Tls::always, {old}) ==
             "begins " + our_header + "\nwrote </stream:stream>\nended without TLS\n");
  BOOST_TEST(talk_all_ways(Tls::always, {old}, true) ==
             "begins " + our_header + "\nopened s1/\nwrote <introduction/><sent-0/>\n");
}

BOOST_AUTO_TEST_CASE(X_052_an_error_before_TLS_ends_the_stream) {
  for (const Tls tls : {Tls::when_required, Tls::when_offered, Tls::always})
    BOOST_TEST(talk_all_ways(
                   tls, {std::string(header) +
                         "<stream:error><host-unknown "
                         "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"}) ==
               "begins " + our_header + "\nwrote </stream:stream>\nended by an error\n");
}

BOOST_AUTO_TEST_CASE(U_039_U_055_over_TLS_there_is_no_other_TLS) {
  const auto opened = [](const std::string& sent) {
    return "\nopened s2/1.0\nwrote <introduction/>" + sent + "\nread " + seen_features + "\n";
  };
  for (const Tls tls : {Tls::never, Tls::when_required, Tls::when_offered, Tls::always})
    for (const std::string_view offer : {starttls, offer_required}) {
      const std::string all =
          std::string(encrypted_header) + features_with(std::string(offer) + std::string(other_offer));
      BOOST_TEST(talk_all_ways(tls, {all}, true) == "begins " + our_header + opened("<sent-0/>"));
      const std::string only =
          talk_all_ways(tls, {std::string(encrypted_header) + features_with(offer)}, true);
      BOOST_TEST(has(only, "opened s2"));
      BOOST_TEST(!has(only, "starttls"));
      if (tls == Tls::never) continue;
      const std::string after = talk_all_ways(
          tls, {std::string(header) + features_with(offer_required), std::string(proceed), all});
      BOOST_TEST(after.ends_with(opened("<sent-0/><sent-1/><sent-2/>")));
    }
}

BOOST_AUTO_TEST_CASE(a_header_comes_at_once_where_TLS_need_not_be_waited_for) {
  for (const bool secured : {false, true}) {
    Server server;
    server.stream.open(secured ? Tls::always : Tls::never, secured);
    server.says(header);
    BOOST_TEST(server.opened.has_value());
    BOOST_TEST(server.written == "");
  }
  Server server;
  server.stream.open(Tls::when_offered);
  server.says(header);
  BOOST_TEST(!server.opened.has_value());
  server.says(features);
  BOOST_REQUIRE(server.opened.has_value());
  BOOST_TEST(server.opened->id == "s1");
}

BOOST_AUTO_TEST_CASE(an_introduction_is_sent_once_before_everything_else) {
  Server server;
  server.stream.introduce("<introduction/>");
  BOOST_TEST(server.stream.open() == our_header);
  server.says(std::string(header) + std::string(features));
  BOOST_TEST(server.written == "<introduction/>");
  BOOST_TEST(server.stream.send("<a/>") == "<a/>");
  server.says("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  server.stream.restart("");
  server.says(std::string(header) + std::string(features) + "<message/>");
  BOOST_TEST(server.written == "<introduction/>");
}

BOOST_AUTO_TEST_CASE(logins_that_fail_are_counted) {
  const std::pair<std::string_view, unsigned> cases[] = {
      {"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>", 1},
      {"<failure xmlns='urn:xmpp:sasl:2'><not-authorized "
       "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>",
       1},
      {"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>x</text></failure><message/>"
       "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>",
       2},
      {"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure></stream:stream>", 1},
      {"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><temporary-auth-failure/></failure>", 0},
      {"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", 0},
      {"<failure xmlns='urn:x'><not-authorized/></failure>", 0},
      {"<failed xmlns='urn:xmpp:sm:3'><not-authorized/></failed>", 0},
      {"<message><body>not-authorized</body></message>", 0},
      {"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</challenge>", 0},
  };
  for (const auto& [elements, count] : cases)
    BOOST_TEST_CONTEXT(elements) for (const bool bytewise : {false, true}) {
      Server server;
      server.says(std::string(header) + std::string(features));
      bytewise ? server.says_in_bytes(elements) : server.says(elements);
      BOOST_TEST(server.failed_logins == count);
      BOOST_TEST(server.stream.authenticated() == has(elements, "<message"));
    }
}

BOOST_AUTO_TEST_CASE(what_shows_that_the_server_knows_the_client) {
  const std::pair<std::string_view, bool> cases[] = {
      {"", false},
      {"<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</challenge>", false},
      {"<continue xmlns='urn:xmpp:sasl:2'/>", false},
      {"<success xmlns='urn:x'/>", false},
      {"<r xmlns='urn:xmpp:sm:3'/>", false},
      {"<iq type='result'><query xmlns='jabber:iq:auth'><username/></query></iq>", false},
      {"<iq type='error'><query xmlns='jabber:iq:auth'/><error/></iq>", false},
      {"<iq type='result' id='1'/>", false},  // of a registration, for instance
      {"<iq type='error' id='1'><error/></iq>", false},
      {"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", true},
      {"<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>a@b</authorization-identifier></success>",
       true},
      {"<message/>", true},
      {"<presence/>", true},
  };
  for (const auto& [elements, shown] : cases) {
    Server server;
    server.says(std::string(header) + std::string(features));
    BOOST_TEST(!server.stream.authenticated());
    server.says(elements);
    BOOST_TEST(server.stream.authenticated() == shown, elements);
  }
  Server old;
  old.says("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s1'>");
  BOOST_TEST(old.stream.authenticated());
  Server legacy;  // XEP-0078
  legacy.says(std::string(header) + std::string(features));
  legacy.stream.send(
      "<iq type='set' id='2'><query xmlns='jabber:iq:auth'><username>a</username></query></iq>");
  legacy.says("<iq type='result' id='1'><query xmlns='jabber:iq:auth'><username/></query></iq>");
  legacy.says("<iq type='error' id='2'><error/></iq>");
  BOOST_TEST(!legacy.stream.authenticated());
  legacy.says("<iq type='result' id='2'/>");
  BOOST_TEST(legacy.stream.authenticated());
}

BOOST_AUTO_TEST_CASE(U_044_after_a_server_without_TLS_the_stream_is_opened_on_the_next) {
  xml::Pool pool(1);
  xml::Batch batch;
  xmpp::Stream stream("a.example", "", limits);
  stream.open(xmpp::Tls::always);
  stream.send("<client/>");
  const auto refused = stream.receive(pool, std::string(header) + "<stream:features/>", batch);
  BOOST_TEST_REQUIRE(refused.ended.has_value());
  BOOST_TEST(stream.open(xmpp::Tls::always, true) != "");
  const auto opened = stream.receive(pool, std::string(header) + "<stream:features/>", batch);
  BOOST_TEST(opened.opened.has_value());
  BOOST_TEST(opened.reply == "<client/>");
}

BOOST_AUTO_TEST_CASE(W_058_who_closes_before_the_connection_stands_closes_the_stream_as_it_opens) {
  xmpp::Stream stream("a.example", "", limits);
  stream.finish();
  BOOST_TEST(stream.open().ends_with(">" + std::string(xmpp::stream_footer)));
  xml::Pool pool(1);
  xml::Batch batch;
  BOOST_TEST(
      stream.receive(pool, std::string(header) + std::string(xmpp::stream_footer), batch).ended.has_value());
}

BOOST_AUTO_TEST_CASE(U_036_a_server_that_goes_on_behind_its_features_gets_no_TLS) {
  constexpr std::string_view offer =
      "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
  for (const auto* more :
       {"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<message/>", "</stream:stream>", "<<"}) {
    xml::Pool pool(1);
    xml::Batch batch;
    xmpp::Stream stream("a.example", "", limits);
    stream.open(xmpp::Tls::always);
    const auto received = stream.receive(pool, std::string(header) + std::string(offer) + more, batch);
    BOOST_TEST_REQUIRE(received.ended.has_value(), more);
    BOOST_TEST((received.ended->end == xmpp::End::tls_refused), more);
    BOOST_TEST(received.reply == "", more);
    BOOST_TEST(received.elements.empty(), more);
  }
}

BOOST_AUTO_TEST_SUITE_END()
