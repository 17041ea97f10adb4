// Reading HTTP requests. Every message is read whole, in two pieces cut at every place, and byte by byte, and
// must come out the same; what could be read in two ways must be refused however it is cut.
#include "src/http_request.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

namespace boshd {
namespace {

using namespace std::literals;
using State = RequestReader::State;

/// All that there is to say about a message after it was read.
struct Outcome {
  State state = State::reading;
  unsigned status = 0;
  std::size_t used = 0;
  HttpRequest request;
};

/// Reads pieces one after the other until the request ends.
Outcome read_pieces(const std::vector<std::string_view>& pieces, const HttpLimits& limits = {}) {
  RequestReader reader(limits);
  std::size_t used = 0;
  for (const auto piece : pieces) {
    const auto n = reader.read(piece);
    used += n;
    const bool reading = reader.state() == State::reading || reader.state() == State::continue_first;
    BOOST_TEST_REQUIRE((!reading || n == piece.size()));
    if (!reading) break;
  }
  const auto state = reader.state() == State::continue_first ? State::reading : reader.state();
  return {state, reader.status(), used, reader.request()};
}

std::vector<std::string_view> bytes_of(std::string_view message) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < message.size(); ++i) pieces.push_back(message.substr(i, 1));
  return pieces;
}

/// A text for messages: only its start and end when it is long, and no control characters.
std::string shown(std::string_view message) {
  std::string text;
  for (const char c :
       message.size() > 300 ? std::string(message.substr(0, 300)) + "..." : std::string(message)) {
    if (c == '\r')
      text += "\\r";
    else if (c == '\n')
      text += "\\n";
    else
      text += c >= ' ' && c < '\x7f' ? c : '?';
  }
  return text;
}

/// Compares; of a failed request only how it failed, for nobody looks at the rest.
bool same(const Outcome& a, const Outcome& b) {
  if (a.state != b.state || a.status != b.status) return false;
  return a.state == State::failed || (a.used == b.used && a.request == b.request);
}

/// Reads a message whole and in pieces, and checks that it comes out the same.
Outcome read_every_way(std::string_view message, const HttpLimits& limits = {}) {
  auto whole = read_pieces({message}, limits);
  BOOST_TEST_CONTEXT(shown(message)) {
    BOOST_TEST(same(whole, read_pieces(bytes_of(message), limits)), "byte by byte");
    for (std::size_t cut = 1; cut < message.size(); ++cut) {
      const auto outcome = read_pieces({message.substr(0, cut), message.substr(cut)}, limits);
      if (!same(whole, outcome)) BOOST_ERROR("differs when cut at " << cut);
    }
  }
  return whole;
}

HttpRequest good(std::string_view message, const HttpLimits& limits = {}) {
  const auto outcome = read_every_way(message, limits);
  BOOST_TEST_CONTEXT(shown(message)) {
    BOOST_TEST((outcome.state == State::complete));
    BOOST_TEST(outcome.used == message.size());
    BOOST_TEST(outcome.status == 0U);
  }
  return outcome.request;
}

void refused(unsigned status, std::string_view message, const HttpLimits& limits = {}) {
  const auto outcome = read_every_way(message, limits);
  BOOST_TEST_CONTEXT(shown(message)) {
    BOOST_TEST((outcome.state == State::failed));
    BOOST_TEST(outcome.status == status);
  }
}

std::string post(std::string_view fields, std::string_view body) {
  return "POST /http-bind HTTP/1.1\r\nHost: a.example\r\n"s + std::string(fields) + "\r\n" +
         std::string(body);
}

std::string chunked(std::string_view body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
}

/// A request with a head of exactly so many bytes.
std::string request_with_head_of(std::size_t size) {
  const auto start = "GET / HTTP/1.1\r\nHost: a\r\nX: "s;
  return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_request)

BOOST_AUTO_TEST_CASE(a_post_with_a_length_is_read) {
  const auto request = good(
      "POST /http-bind?x=1 HTTP/1.1\r\nHost: chat.example:5280\r\nOrigin: https://web.example\r\n"
      "Content-Type: text/xml; charset=utf-8\r\nContent-Encoding: identity\r\nAccept-Encoding: gzip, br\r\n"
      "Content-Length: 7\r\n\r\n<body/>");
  BOOST_TEST((request.method == Method::post));
  BOOST_TEST(request.target == "/http-bind?x=1");
  BOOST_TEST(request.version == 11U);
  BOOST_TEST(request.keep_alive);
  BOOST_TEST(request.host == "chat.example:5280");
  BOOST_TEST(request.origin == "https://web.example");
  BOOST_TEST(request.content_encoding == "identity");
  BOOST_TEST(request.accept_encoding == "gzip, br");
  BOOST_TEST(!request.forwarded);
  BOOST_TEST(request.body == "<body/>");
}

BOOST_AUTO_TEST_CASE(methods_are_told_apart) {
  const std::pair<const char*, Method> cases[] = {
      {"GET", Method::get},         {"HEAD", Method::head},   {"POST", Method::post},
      {"OPTIONS", Method::options}, {"PUT", Method::other},   {"DELETE", Method::other},
      {"TRACE", Method::other},     {"PATCH", Method::other},
  };
  for (const auto& [name, method] : cases) {
    BOOST_TEST((good(name + " / HTTP/1.1\r\nHost: a\r\n\r\n"s).method == method), name);
  }
  BOOST_TEST((good("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n").method == Method::other));
}

BOOST_AUTO_TEST_CASE(d045_an_unknown_method_is_not_implemented) {
  for (const auto& name : {"post"s, "Get"s, "BREW"s, "GETT"s, std::string(300, 'X')}) {
    refused(501, name + " / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
}

BOOST_AUTO_TEST_CASE(d069_persistence_follows_version_and_connection) {
  const auto persists = [](const std::string& version, const std::string& fields) {
    return good("GET / HTTP/" + version + "\r\nHost: a\r\n" + fields + "\r\n").keep_alive;
  };
  BOOST_TEST(persists("1.1", ""));
  BOOST_TEST(persists("1.1", "Connection: keep-alive\r\n"));
  BOOST_TEST(!persists("1.1", "Connection: close\r\n"));
  BOOST_TEST(!persists("1.1", "Connection: Keep-Alive, Close\r\n"));
  BOOST_TEST(!persists("1.1", "Connection: x\r\nConnection: close\r\n"));
  BOOST_TEST(!persists("1.0", ""));
  BOOST_TEST(persists("1.0", "Connection: keep-alive\r\n"));
  BOOST_TEST(!persists("1.0", "Connection: keep-alive, close\r\n"));
  BOOST_TEST(persists("1.1", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"));
}

BOOST_AUTO_TEST_CASE(d097_lines_of_a_list_are_joined) {
  const auto request = good(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nx-forwarded-for:  10.0.0.1, 10.0.0.2 \r\n"
      "Origin: https://a.example\r\nOrigin: https://b.example\r\n\r\n");
  BOOST_TEST(request.forwarded);
  BOOST_TEST(request.forwarded_for == "192.0.2.1, 10.0.0.1, 10.0.0.2");
  BOOST_TEST(request.origin == "https://a.example, https://b.example");
  BOOST_TEST(good("GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=192.0.2.1\r\n\r\n").forwarded);
}

BOOST_AUTO_TEST_CASE(d053_empty_lines_before_the_request_line_are_ignored) {
  for (const auto& lines : {"\r\n"s, "\r\n\r\n"s, "\r\n\r\n\r\n\r\n"s}) {
    BOOST_TEST(good(lines + get("/x")).target == "/x");
  }
  refused(400, "\r\n\r\n\r\n\r\n\r\n" + get("/x"));

  RequestReader reader{HttpLimits{}};
  BOOST_TEST(reader.read("\r\n") == 2U);
  BOOST_TEST(!reader.started());
  reader.read("\r");
  BOOST_TEST(reader.started());  // a new reader would take the LF for one on its own
  reader.read("\n");
  BOOST_TEST(!reader.started());
  reader.read("G");
  BOOST_TEST(reader.started());
  BOOST_TEST(!reader.head_complete());
}

BOOST_AUTO_TEST_CASE(d048_target_forms) {
  BOOST_TEST(good(get("/a/b?c=d")).target == "/a/b?c=d");
  const std::pair<const char*, const char*> absolute[] = {
      {"http://h.example/http-bind", "/http-bind"},
      {"https://h.example/x?y", "/x?y"},
      {"HTTP://h.example", "/"},
      {"http://h.example?x", "/?x"},
      {"http://h.example:80/", "/"},
      {"http://[2001:db8::1]:80/z", "/z"},
  };
  for (const auto& [target, path] : absolute) {
    const auto request = good(get(target));
    BOOST_TEST(request.target == path);
    BOOST_TEST(request.host != "a.example");
  }
  BOOST_TEST(good(get("http://other.example:8080/")).host == "other.example:8080");
  const auto server = good("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
  BOOST_TEST(server.target == "*");
  for (const auto target : {"*", "x", "http-bind", "ftp://h/", "http://", "http:///x", "http://u@h/",
                            "http://h#/", "/x#y", "a.example:443", "http:/x", "://h/", "?", "/\x80"}) {
    refused(400, get(target));
  }
  for (const auto target : {"/", "a b", "a:b", "a:123456", ""}) {
    refused(400, "CONNECT "s + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
}

BOOST_AUTO_TEST_CASE(d055_a_target_of_8000_octets_passes_and_one_more_is_414) {
  for (const std::size_t size : {7999U, 8000U}) {
    const auto target = "/" + std::string(size - 1, 'x');
    BOOST_TEST((read_pieces({get(target)}).request.target == target));
  }
  const auto outcome = read_pieces({get("/" + std::string(8000, 'x'))});
  BOOST_TEST((outcome.state == State::failed));
  BOOST_TEST(outcome.status == 414U);
}

BOOST_AUTO_TEST_CASE(d056_hosts) {
  for (const auto host : {"a", "a.example", "A.EXAMPLE:80", "192.0.2.1:5280", "[::1]", "[2001:db8::1]:443",
                          "a:", "my_host", "xn--a-b.example."}) {
    BOOST_TEST(good("GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n").host == host);
  }
  for (const auto host : {"", "a b", "a,b", "a/b", "u@a", "a:b", "a:80:81", "a:123456", "[::1", "[::1]x",
                          "[1.2.3.4]", "::1", "[]", "a?b", "a#b", "\xc3\xa9", "a:80 ,b"}) {
    refused(400, "GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n");
    refused(400, "GET / HTTP/1.0\r\nHost: "s + host + "\r\n\r\n");
  }
  BOOST_TEST(good("GET / HTTP/1.0\r\n\r\n").host.empty());
}

BOOST_AUTO_TEST_CASE(d074_versions) {
  BOOST_TEST(good("GET / HTTP/1.0\r\n\r\n").version == 10U);
  for (const auto version : {"HTTP/2.0", "HTTP/0.9", "HTTP/3.1", "HTTP/1.2", "HTTP/9.9"}) {
    refused(505, "GET / "s + version + "\r\nHost: a\r\n\r\n");
  }
  refused(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  for (const auto version : {"http/1.1", "HTTP/1", "HTTP/1.", "HTTP/1.1 ", "HTTP/11", "HTTP/1.10", "HTTP/1,1",
                             "HTTP /1.1", "XTTP/1.1", "", "HTTP/a.b"}) {
    refused(400, "GET / "s + version + "\r\nHost: a\r\n\r\n");
  }
}

// Each of these was read in two ways by some pair of servers (D-051 to D-066).
BOOST_AUTO_TEST_CASE(what_can_be_read_in_two_ways_is_refused) {
  struct Case {
    unsigned status;
    std::string message;
  };
  const auto line = [](std::string_view text) { return post(std::string(text) + "\r\n", ""); };
  const auto with_length = [](std::string_view value) {
    return post("Content-Length: " + std::string(value) + "\r\n", "12345");
  };
  const auto with_coding = [](std::string_view value) {
    return post("Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n");
  };
  const Case cases[] = {
      // the request line
      {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /\r\nHost: a\r\n\r\n"},
      {400, "GET\r\nHost: a\r\n\r\n"},
      {400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "\x16\x03\x01\x02"s + "anything"},
      // line ends (D-052)
      {400, "GET / HTTP/1.1\nHost: a\n\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\n\r\n"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {400, "GET / HTTP/1.1\rHost: a\r\r"},
      {400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"},
      {400, line("X: a\rContent-Length: 5")},
      {400, line("X: a\nContent-Length: 5")},
      {400, line("X: a\r")},
      // fields (D-054, D-057, D-058, D-059)
      {400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n"},
      {400, line("X: a\r\n folded")},
      {400, line("X:\r\n\tfolded")},
      {400, line("X: a\r\n ")},
      {400, line("Content-Length : 0")},
      {400, line("Content-Length\t: 0")},
      {400, line(": no name")},
      {400, line("no colon")},
      {400, line("X\x80: a")},
      {400, line("X(: a")},
      {400, line("X: a\0b"sv)},
      {400, line("X: a\x0b")},
      {400, line("X: a\x7f")},
      {400, line("X\0: a"sv)},
      {400, line("Connection: @")},
      // hosts (D-056)
      {400, "GET / HTTP/1.1\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nX: a\r\n\r\n"},
      {400, line("Host: a.example")},
      {400, line("Host: b.example")},
      {400, "GET http://a.example/ HTTP/1.1\r\n\r\n"},
      {400, "GET http://a.example/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      // Content-Length (D-064)
      {400, with_length("")},
      {400, with_length("+5")},
      {400, with_length("-5")},
      {400, with_length("0x5")},
      {400, with_length("5a")},
      {400, with_length("5 5")},
      {400, with_length("5,5")},
      {400, with_length("5, 5")},
      {400, with_length("5,")},
      {400, with_length("5.0")},
      {400, with_length("5;q=1")},
      {400, with_length("\"5\"")},
      {400, with_length("18446744073709551616")},
      {400, with_length("99999999999999999999999")},
      {400, with_length("\xd9\xa5")},
      {400, with_length("5\r\nContent-Length: 5")},
      {400, with_length("5\r\nContent-Length: 6")},
      {400, with_length("5\r\ncontent-length: 5")},
      // both (D-062)
      {400, with_length("5\r\nTransfer-Encoding: chunked")},
      {400, with_coding("chunked\r\nContent-Length: 5")},
      {400, with_coding("chunked\r\nContent-Length: 0")},
      {400, with_coding("identity\r\nContent-Length: 5")},
      {400, with_coding("\r\nContent-Length: 5")},
      // Transfer-Encoding (D-060, D-061, D-063)
      {400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {400, with_coding("")},
      {400, with_coding("identity")},
      {400, with_coding("gzip")},
      {400, with_coding("xchunked")},
      {400, with_coding("chunke")},
      {400, with_coding("\"chunked\"")},
      {400, with_coding("chunked;x=1")},
      {400, with_coding("chunked, gzip")},
      {400, with_coding("chunked, identity")},
      {400, with_coding("chunked, chunked")},
      {400, with_coding("gzip, chunked, chunked")},
      {400, with_coding("chunked\r\nTransfer-Encoding: chunked")},
      {400, with_coding("chunked\r\nTransfer-Encoding: identity")},
      {400, with_coding("chunked,")},
      {400, with_coding(",chunked")},
      {400, with_coding("gzip,,chunked")},
      {400, with_coding("chunked chunked")},
      {400, with_coding("\x0b"
                        "chunked")},
      {400, with_coding("\xc2\xa0"
                        "chunked")},
      {501, with_coding("gzip, chunked")},
      {501, with_coding("identity, chunked")},
      {501, with_coding("unheard;of=it, chunked")},
      {501, with_coding("gzip\r\nTransfer-Encoding: chunked")},
      // chunks (D-066)
      {400, chunked("5\nhello\r\n0\r\n\r\n")},
      {400, chunked("5\r\nhello\n0\r\n\r\n")},
      {400, chunked("5\r\nhello0\r\n\r\n")},
      {400, chunked("5\r\nhelloXX0\r\n\r\n")},
      {400, chunked("5\rX\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("0x5\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("+5\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("-5\r\nhello\r\n0\r\n\r\n")},
      {400, chunked(" 5\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("5 \r\nhello\r\n0\r\n\r\n")},
      {400, chunked("5 5\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("g\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("\r\n5\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("10000000000000005\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("5;\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("5;a=\"x\ny\"\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("5;a=\"x\ry\"\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("5;a\nhello\r\n0\r\n\r\n")},
      {400, chunked("5;a=\"x\r\nhello\"\r\n0\r\n\r\n")},
      {400, chunked("5;a=\"x\\\"\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("5;a=b\0c\r\nhello\r\n0\r\n\r\n"sv)},
      {400, chunked("5 a\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("\r\n\r\n")},
      {400, chunked(";a\r\nhello\r\n0\r\n\r\n")},
      {400, chunked("0;a=\"\r\n\r\n\"\r\n\r\n")},
      // trailers
      {400, chunked("0\r\nX : a\r\n\r\n")},
      {400, chunked("0\r\nX: a\r\n folded\r\n\r\n")},
      {400, chunked("0\r\nX: a\r\n\tfolded\r\n\r\n")},
      {400, chunked("0\r\n X: a\r\n\r\n")},
      {400, chunked("0\r\nX: a\nY: b\r\n\r\n")},
      {400, chunked("0\r\nno colon\r\n\r\n")},
      {400, chunked("0\r\nX: \0\r\n\r\n"sv)},
  };
  for (const auto& c : cases) refused(c.status, c.message);
}

BOOST_AUTO_TEST_CASE(d066_chunks_are_joined_and_extensions_ignored) {
  BOOST_TEST(good(chunked("0\r\n\r\n")).body.empty());
  BOOST_TEST(good(chunked("5\r\nhello\r\n0\r\n\r\n")).body == "hello");
  BOOST_TEST(good(chunked("5;a=b;c=\"d e\";f\r\nhello\r\n0005\r\nworld\r\n000;x\r\n\r\n")).body ==
             "helloworld");
  BOOST_TEST(good(chunked("1 ; a\r\nx\r\n1;b=\"\\\"\"\r\ny\r\n0\r\n\r\n")).body == "xy");
  BOOST_TEST(good(chunked("A\r\n0123456789\r\n0\r\n\r\n")).body == "0123456789");
  BOOST_TEST(good(chunked("1\r\n\r\r\n1\r\n\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n")).body == "\r\n0\r\n\r\n");
  BOOST_TEST(good(post("transfer-encoding:CHUNKED\r\n", "1\r\nx\r\n0\r\n\r\n")).body == "x");
}

BOOST_AUTO_TEST_CASE(d066_trailers_are_dropped) {
  const auto request =
      good(chunked("1\r\nx\r\n0\r\nOrigin: https://evil.example\r\nHost: b\r\nX-Forwarded-For: 6.6.6.6\r\n"
                   "Connection: close\r\n\r\n"));
  BOOST_TEST(request.body == "x");
  BOOST_TEST(request.host == "a.example");
  BOOST_TEST(request.origin.empty());
  BOOST_TEST(!request.forwarded);
  BOOST_TEST(request.keep_alive);
}

BOOST_AUTO_TEST_CASE(d066_chunk_lines_and_trailers_are_limited) {
  const HttpLimits limits{.header_bytes = 512, .header_fields = 100, .body_bytes = 1000};
  const auto line_of = [](std::size_t size) { return "1;" + std::string(size - 2, 'x') + "\r\ny\r\n"; };
  BOOST_TEST(good(chunked(line_of(256) + "0\r\n\r\n"), limits).body == "y");
  refused(400, chunked(line_of(257) + "0\r\n\r\n"), limits);
  refused(400, chunked(std::string(257, '0') + "\r\n\r\n"), limits);
  refused(400, chunked(std::string(300, '0')), limits);

  const auto extensions = line_of(256) + line_of(256);  // 255 bytes of them in each
  good(chunked(extensions + "1;x\r\ny\r\n0\r\n\r\n"), limits);
  refused(400, chunked(extensions + "1;xx\r\ny\r\n0\r\n\r\n"), limits);

  const auto trailer_of = [](std::size_t size) {
    return "0\r\nX: " + std::string(size - 7, 'x') + "\r\n\r\n";
  };
  good(chunked(trailer_of(511)), limits);
  good(chunked(trailer_of(512)), limits);
  refused(431, chunked(trailer_of(513)), limits);
  refused(431, chunked("0\r\nX: " + std::string(600, 'x')), limits);
}

BOOST_AUTO_TEST_CASE(d065_a_post_without_a_length_has_no_body) {
  BOOST_TEST(good(post("", "")).body.empty());
  BOOST_TEST(good(post("Content-Length: 0\r\n", "")).body.empty());
  BOOST_TEST(good(post("Content-Length: 00\r\n", "")).body.empty());
}

BOOST_AUTO_TEST_CASE(a_body_is_any_bytes) {
  const auto body = "\0\r\n\r\n\xff<body>\r"s;
  BOOST_TEST(good(post("Content-Length: " + std::to_string(body.size()) + "\r\n", body)).body == body);
}

BOOST_AUTO_TEST_CASE(d067_an_unfinished_request_stays_unfinished) {
  for (const auto& message :
       {""s, "\r\n"s, "P"s, "GET / HTTP/1.1\r\nHost: a\r\n"s, post("Content-Length: 6\r\n", "12345"),
        chunked("5\r\nhello\r\n"), chunked("5\r\nhello\r\n0\r\n"), chunked("0\r\nX: y\r\n")}) {
    BOOST_TEST((read_every_way(message).state == State::reading), message);
  }
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_told_apart) {
  const std::vector<std::string> messages = {
      post("Content-Length: 3\r\n", "one"),           chunked("3\r\ntwo\r\n0\r\n\r\n"), get("/three"),
      "\r\n" + post("Content-Length: 4\r\n", "four"), chunked("0\r\nX: y\r\n\r\n"),     get("/six")};
  std::string all;
  for (const auto& message : messages) all += message;
  for (std::size_t step = 1; step <= all.size(); ++step) {
    std::size_t at = 0;
    for (const auto& message : messages) {
      RequestReader reader{HttpLimits{}};
      const auto start = at;
      while (reader.state() == State::reading && at < all.size()) {
        at += reader.read(std::string_view(all).substr(at, step));
      }
      if (reader.state() != State::complete || at - start != message.size()) {
        BOOST_ERROR("in steps of " << step << " at " << start);
      }
      BOOST_TEST(reader.read("x") == 0U);
    }
  }
}

BOOST_AUTO_TEST_CASE(d081_a_head_up_to_the_limit_passes) {
  const HttpLimits limits{.header_bytes = 200, .header_fields = 100, .body_bytes = 100};
  good(request_with_head_of(199), limits);
  good(request_with_head_of(200), limits);
  good("\r\n\r\n" + request_with_head_of(200), limits);
  refused(431, request_with_head_of(201), limits);
  refused(431, std::string(200, 'x'), limits);
  BOOST_TEST((read_every_way(std::string(199, 'x'), limits).state == State::reading));
}

BOOST_AUTO_TEST_CASE(d081_fields_up_to_the_limit_pass) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 5, .body_bytes = 100};
  const auto with_fields = [](int count) {
    std::string message = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < count; ++i) message += "X: y\r\n";
    return message + "\r\n";
  };
  good(with_fields(4), limits);
  good(with_fields(5), limits);
  refused(431, with_fields(6), limits);
}

BOOST_AUTO_TEST_CASE(d079_a_body_up_to_the_limit_passes) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 10, .body_bytes = 100};
  for (const std::size_t size : {99U, 100U}) {
    const std::string body(size, 'x');
    BOOST_TEST(good(post("Content-Length: " + std::to_string(size) + "\r\n", body), limits).body == body);
  }
  BOOST_TEST(
      good(chunked("32\r\n" + std::string(50, 'x') + "\r\n32\r\n" + std::string(50, 'y') + "\r\n0\r\n\r\n"),
           limits)
          .body.size() == 100U);
  const std::string body(101, 'x');
  for (const auto& message :
       {post("Content-Length: 101\r\n", body), chunked("65\r\n" + body + "\r\n0\r\n\r\n"),
        chunked("64\r\n" + std::string(100, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n")}) {
    const auto outcome = read_every_way(message, limits);
    BOOST_TEST((outcome.state == State::too_large), message);
    BOOST_TEST(outcome.request.body == body);
  }
}

BOOST_AUTO_TEST_CASE(d079_the_start_of_a_body_too_large_is_kept) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 10, .body_bytes = 100};
  const std::string body(40000, 'x');
  const auto kept = RequestReader::kept_of_too_large;
  const auto check = [&](const std::string& head, const std::string& rest) {
    RequestReader reader(limits);
    reader.read(head);
    BOOST_TEST((reader.state() == State::reading));
    reader.read(rest.substr(0, kept - 1));
    BOOST_TEST((reader.state() == State::reading));
    reader.read(rest.substr(kept - 1));
    BOOST_TEST((reader.state() == State::too_large));
    BOOST_TEST(reader.request().body == body.substr(0, kept));
    BOOST_TEST(reader.head_complete());
  };
  check(post("Content-Length: 40000\r\n", ""), body);
  check(post("Content-Length: 18446744073709551615\r\n", ""), body);
  check(chunked("9C40\r\n"), body);
  check(chunked("FFFFFFFFFFFFFFFF\r\n"), body);
}

BOOST_AUTO_TEST_CASE(d079_beyond_the_kept_start_a_chunk_too_much_is_told_at_once) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 10, .body_bytes = 20000};
  RequestReader reader(limits);
  reader.read(chunked("4E20\r\n" + std::string(20000, 'x') + "\r\n"));
  BOOST_TEST((reader.state() == State::reading));
  reader.read("1\r\n");
  BOOST_TEST((reader.state() == State::too_large));
  BOOST_TEST(reader.request().body.size() == 20000U);
}

BOOST_AUTO_TEST_CASE(d075_continue_is_asked_for_once_and_only_before_the_body) {
  const auto head = post("Expect: 100-Continue\r\nContent-Length: 5\r\n", "");
  RequestReader reader{HttpLimits{}};
  reader.read(std::string_view(head).substr(0, head.size() - 1));
  BOOST_TEST((reader.state() == State::reading));
  reader.read("\n");
  BOOST_TEST((reader.state() == State::continue_first));
  BOOST_TEST(reader.head_complete());
  reader.read("1");
  BOOST_TEST((reader.state() == State::reading));
  reader.read("2345");
  BOOST_TEST((reader.state() == State::complete));
  BOOST_TEST(reader.request().body == "12345");

  RequestReader hasty{HttpLimits{}};
  hasty.read(head + "1");
  BOOST_TEST((hasty.state() == State::reading));

  RequestReader in_chunks{HttpLimits{}};
  in_chunks.read(post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", ""));
  BOOST_TEST((in_chunks.state() == State::continue_first));
  in_chunks.read("0\r\n\r\n");
  BOOST_TEST((in_chunks.state() == State::complete));

  good(head + "12345");
  good(post("Expect: 100-continue\r\n", ""));
  good(post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""));
}

BOOST_AUTO_TEST_CASE(d076_http_1_0_expects_nothing) {
  for (const auto expectation : {"100-continue", "tea"}) {
    RequestReader reader{HttpLimits{}};
    reader.read("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: "s + expectation + "\r\n\r\n");
    BOOST_TEST((reader.state() == State::reading));
    reader.read("12345");
    BOOST_TEST((reader.state() == State::complete));
  }
}

BOOST_AUTO_TEST_CASE(d077_other_expectations_fail) {
  for (const auto expectation : {"tea", "100-continue, tea", "100-continue\r\nExpect: tea", ""}) {
    refused(417, post("Content-Length: 5\r\nExpect: "s + expectation + "\r\n", "12345"));
  }
}

BOOST_AUTO_TEST_CASE(d079_a_client_that_waits_learns_at_once_that_its_body_is_too_large) {
  const HttpLimits limits{.header_bytes = 1000, .header_fields = 10, .body_bytes = 100};
  const auto head = post("Expect: 100-continue\r\nContent-Length: 101\r\n", "");
  for (const auto& message : {head, head + "<body"}) {
    const auto outcome = read_every_way(message, limits);
    BOOST_TEST((outcome.state == State::too_large));
    BOOST_TEST(outcome.request.body.empty());
  }
}

// What the list above has not thought of: any message, good or bad, must come out the same however it is cut.
BOOST_AUTO_TEST_CASE(changed_messages_come_out_the_same_however_they_are_cut) {
  const HttpLimits limits{.header_bytes = 300, .header_fields = 6, .body_bytes = 20};
  const std::vector<std::string> seeds = {
      post("Content-Length: 12\r\nX-Forwarded-For: 192.0.2.1\r\n", "<body>x</body>"),
      chunked("5;a=\"b\"\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n"),
      post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
      "OPTIONS http://h.example/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: https://b\r\n\r\n"};
  const std::vector<std::string> splices = {"\r\n",     "\r",  "\n",       " ",       "\t",
                                            "0",        "5",   ":",        ";",       ",",
                                            "\"",       "\0"s, "\r\n\r\n", "chunked", "Content-Length: 5\r\n",
                                            "HTTP/1.0", "\x80"};
  std::mt19937 random(20261120);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 4000; ++round) {
    auto message = seeds[below(seeds.size())];
    for (auto changes = 1 + below(3); changes > 0; --changes) {
      message.replace(below(message.size()), below(3), splices[below(splices.size())]);
    }
    const auto whole = read_pieces({message}, limits);
    if (!same(whole, read_pieces(bytes_of(message), limits))) BOOST_ERROR("byte by byte: " << shown(message));
    const auto cut = below(message.size());
    const auto text = std::string_view(message);
    if (!same(whole, read_pieces({text.substr(0, cut), text.substr(cut)}, limits))) {
      BOOST_ERROR("cut at " << cut << ": " << shown(message));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_reader_can_be_moved) {
  RequestReader first{HttpLimits{}};
  first.read("GET / HT");
  RequestReader second = std::move(first);
  second.read("TP/1.1\r\nHost: a\r\n\r\n");
  BOOST_TEST((second.state() == State::complete));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
