// Reading HTTP requests. Every message is read whole, in two pieces cut at every place, and byte by byte, and
// must come out the same; what could be read in two ways must be refused however it is cut.
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "tests/unit/http_requests.hpp"

namespace boshd {

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
  BOOST_TEST(request.forwarded.empty());
  BOOST_TEST(request.x_forwarded_for.empty());
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

BOOST_AUTO_TEST_CASE(D_045_an_unknown_method_is_not_implemented) {
  for (const auto& name : {"PROPFIND"s, "post"s, "Get"s, "BREW"s, "GETT"s, std::string(300, 'X')}) {
    refused(501, name + " / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
}

BOOST_AUTO_TEST_CASE(D_069_persistence_follows_version_and_connection) {
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
  BOOST_TEST(!persists("1.1", "connection:\t, ,CLOSE ,\r\n"));
  BOOST_TEST(persists("1.1", "Connection:\r\n"));
  BOOST_TEST(persists("1.1", "Connection: closed, not-close\r\n"));
  BOOST_TEST(!persists("1.1", "Proxy-Connection: close\r\n"));
  BOOST_TEST(persists("1.0", "Proxy-Connection: Keep-Alive\r\n"));
  BOOST_TEST(persists("1.1", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"));
}

BOOST_AUTO_TEST_CASE(every_field_that_is_kept_is_found_in_any_case) {
  const auto one = good(
      "GET / HTTP/1.1\r\nhOST: a\r\nACCEPT: 1\r\naccept-encoding: 2\r\nAccess-Control-Request-HEADERS: 3\r\n"
      "Content-encoding: 4\r\nforwarded: 5\r\nIf-none-Match: 6\r\nORIGIN: 7\r\nUpGrade: 8\r\n"
      "x-forwarded-host: 9\r\n\r\n");
  BOOST_TEST(one.accept == "1");
  BOOST_TEST(one.accept_encoding == "2");
  BOOST_TEST(one.request_headers == "3");
  BOOST_TEST(one.content_encoding == "4");
  BOOST_TEST(one.forwarded == "5");
  BOOST_TEST(one.if_none_match == "6");
  BOOST_TEST(one.origin == "7");
  BOOST_TEST(one.upgrade == "8");
  BOOST_TEST(one.x_forwarded_host == "9");
  const auto two = good(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1\r\nx-forwarded-PROTO:2\r\nSec-WebSocket-Key:\t3 \r\n"
      "sec-websocket-version: 4\r\nSEC-WEBSOCKET-PROTOCOL: 5\r\nSec-Websocket-Extensions: 6\r\n"
      "Connection: x, UPGRADE\r\n\r\n");
  BOOST_TEST(two.x_forwarded_for == "1");
  BOOST_TEST(two.x_forwarded_proto == "2");
  BOOST_TEST(two.websocket_key == "3");
  BOOST_TEST(two.websocket_version == "4");
  BOOST_TEST(two.websocket_protocol == "5");
  BOOST_TEST(two.websocket_extensions == "6");
  BOOST_TEST(two.connection_upgrade);
  BOOST_TEST(!good("GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: upgrade\r\n\r\n").connection_upgrade);
  const auto none = good(
      "GET / HTTP/1.1\r\nHost: a\r\nOrigim: x\r\nXorigin: x\r\nAccept-Charset: x\r\nHos: x\r\nX: y\r\n"
      "Access-Control-Request-Method: POST\r\nA-field-with-a-longer-name-than-any: x\r\n\r\n");
  BOOST_TEST((none == good("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
}

BOOST_AUTO_TEST_CASE(D_097_lines_of_a_list_are_joined) {
  const auto request = good(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nx-forwarded-for:  10.0.0.1, 10.0.0.2 \r\n"
      "Origin: https://a.example\r\nOrigin: https://b.example\r\n\r\n");
  BOOST_TEST(request.x_forwarded_for == "192.0.2.1, 10.0.0.1, 10.0.0.2");
  BOOST_TEST(request.origin == "https://a.example, https://b.example");
  BOOST_TEST(good("GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=192.0.2.1\r\n\r\n").forwarded ==
             "for=192.0.2.1");
}

BOOST_AUTO_TEST_CASE(D_053_empty_lines_before_the_request_line_are_ignored) {
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

BOOST_AUTO_TEST_CASE(D_048_target_forms) {
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

BOOST_AUTO_TEST_CASE(D_055_a_target_of_8000_octets_passes_and_one_more_is_414) {
  for (const std::size_t size : {7999U, 8000U}) {
    const auto target = "/" + std::string(size - 1, 'x');
    BOOST_TEST((read_pieces({get(target)}).request.target == target));
  }
  const auto outcome = read_pieces({get("/" + std::string(8000, 'x'))});
  BOOST_TEST((outcome.state == State::failed));
  BOOST_TEST(outcome.status == 414U);
}

BOOST_AUTO_TEST_CASE(D_056_hosts) {
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

BOOST_AUTO_TEST_CASE(D_074_versions) {
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

// Each of these was read in two ways by some pair of servers.
BOOST_AUTO_TEST_SUITE(ambiguous)

struct Case {
  unsigned status;
  std::string message;
};

std::string line(std::string_view text) {
  return post(std::string(text) + "\r\n", "");
}
std::string with_length(std::string_view value) {
  return post("Content-Length: " + std::string(value) + "\r\n", "12345");
}
std::string with_coding(std::string_view value) {
  return post("Transfer-Encoding: " + std::string(value) + "\r\n", "0\r\n\r\n");
}

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) refused(c.status, c.message);
}

BOOST_AUTO_TEST_CASE(request_lines) {
  check({
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
  });
}

BOOST_AUTO_TEST_CASE(D_051_octets_that_look_like_characters) {
  check({
      {400, line("X\x80: a")},
      {400, with_length("\xd9\xa5")},
      {400, with_coding("\xc2\xa0"
                        "chunked")},
  });
  BOOST_TEST(good(line("X: \xff\xc2")).version == 11U);  // no UTF-8, and nobody minds
}

BOOST_AUTO_TEST_CASE(D_052_line_ends) {
  check({
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
  });
}

BOOST_AUTO_TEST_CASE(D_054_blanks_before_the_first_field) {
  check({
      {400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n"},
  });
}

BOOST_AUTO_TEST_CASE(D_056_no_host_or_several) {
  check({
      {400, "GET / HTTP/1.1\r\n\r\n"},
      {400, "GET / HTTP/1.1\r\nX: a\r\n\r\n"},
      {400, line("Host: a.example")},
      {400, line("Host: b.example")},
      {400, "GET http://a.example/ HTTP/1.1\r\n\r\n"},
      {400, "GET http://a.example/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
  });
}

BOOST_AUTO_TEST_CASE(D_057_blanks_before_the_colon) {
  check({
      {400, line("Content-Length : 0")},
      {400, line("Content-Length\t: 0")},
  });
}

BOOST_AUTO_TEST_CASE(D_058_folded_lines) {
  check({
      {400, line("X: a\r\n folded")},
      {400, line("X:\r\n\tfolded")},
      {400, line("X: a\r\n ")},
  });
}

BOOST_AUTO_TEST_CASE(D_059_control_characters_in_fields) {
  check({
      {400, line("X: a\0b"sv)},
      {400, line("X: a\x0b")},
      {400, line("X: a\x7f")},
      {400, line("X\0: a"sv)},
  });
}

BOOST_AUTO_TEST_CASE(any_byte_at_any_place_of_a_field) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    for (std::size_t place = 0; place < 20; ++place) {
      auto field = "X: "s + std::string(20, 'x');
      field[3 + place] = c;
      const auto outcome = read_pieces({line(field)});
      const bool control = (byte < 0x20 && c != '\t') || byte == 0x7f;
      BOOST_TEST((outcome.state == State::failed) == control, byte << " at " << place);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_first_fault_decides_as_soon_as_it_is_there) {
  check({
      {400, "GET / HTTP/1.1\r\nX : y\r\n"},
      {400, "GET / HTTP/1.1\r\nX\x01"},
      {400, "GET / HTTP/1.1\r\nHost: a\rb"},
      {400, "GET / HTTP/1.1\r\nHost: a\r\n\rb"},
      {400, line("Content-Length: 5\r\nContent-Length: 5\r\nExpect: tea")},
      {417, line("Expect: tea\r\nContent-Length: x")},
      {501, "BREW / HTTP/1.1\r\n"},
      {505, "GET / HTTP/2.0\r\n"},
  });
}

BOOST_AUTO_TEST_CASE(fields_without_a_proper_name) {
  check({
      {400, line(": no name")},
      {400, line("no colon")},
      {400, line("X(: a")},
  });
}

BOOST_AUTO_TEST_CASE(connection_options_that_are_no_list) {
  check({
      {400, line("Connection: @")},
      {400, line("Connection: close keep-alive")},
      {400, line("Connection: close;x")},
      {400, line("Connection: close, \"x\"")},
      {400, line("Connection: \xe9")},
      {400, line("Connection: close\r\nConnection: /")},
      {400, line("Proxy-Connection: @")},
      {400, line("Proxy-Connection: keep alive")},
  });
}

BOOST_AUTO_TEST_CASE(D_064_lengths_that_are_none_or_several) {
  check({
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
      {400, with_length("5\r\nContent-Length: 5")},
      {400, with_length("5\r\nContent-Length: 6")},
      {400, with_length("5\r\ncontent-length: 5")},
  });
}

BOOST_AUTO_TEST_CASE(D_062_length_and_chunks_together) {
  check({
      {400, with_length("5\r\nTransfer-Encoding: chunked")},
      {400, with_coding("chunked\r\nContent-Length: 5")},
      {400, with_coding("chunked\r\nContent-Length: 0")},
      {400, with_coding("identity\r\nContent-Length: 5")},
      {400, with_coding("\r\nContent-Length: 5")},
  });
}

BOOST_AUTO_TEST_CASE(D_060_codings_that_do_not_end_in_one_chunked) {
  check({
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
  });
}

BOOST_AUTO_TEST_CASE(D_061_codings_that_are_unknown) {
  check({
      {501, with_coding("gzip, chunked")},
      {501, with_coding("identity, chunked")},
      {501, with_coding("unheard;of=it, chunked")},
      {501, with_coding("gzip\r\nTransfer-Encoding: chunked")},
  });
}

BOOST_AUTO_TEST_CASE(D_063_chunks_in_HTTP_1_0) {
  check({
      {400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
  });
}

BOOST_AUTO_TEST_CASE(D_066_chunks) {
  check({
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
  });
}

BOOST_AUTO_TEST_CASE(D_066_trailers) {
  check({
      {400, chunked("0\r\nX : a\r\n\r\n")},
      {400, chunked("0\r\nX: a\r\n folded\r\n\r\n")},
      {400, chunked("0\r\nX: a\r\n\tfolded\r\n\r\n")},
      {400, chunked("0\r\n X: a\r\n\r\n")},
      {400, chunked("0\r\nX: a\nY: b\r\n\r\n")},
      {400, chunked("0\r\nno colon\r\n\r\n")},
      {400, chunked("0\r\nX: \0\r\n\r\n"sv)},
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(D_066_chunks_are_joined_and_extensions_ignored) {
  BOOST_TEST(good(chunked("0\r\n\r\n")).body.empty());
  BOOST_TEST(good(chunked("5\r\nhello\r\n0\r\n\r\n")).body == "hello");
  BOOST_TEST(good(chunked("5;a=b;c=\"d e\";f\r\nhello\r\n0005\r\nworld\r\n000;x\r\n\r\n")).body ==
             "helloworld");
  BOOST_TEST(good(chunked("1 ; a\r\nx\r\n1;b=\"\\\"\"\r\ny\r\n0\r\n\r\n")).body == "xy");
  BOOST_TEST(good(chunked("A\r\n0123456789\r\n0\r\n\r\n")).body == "0123456789");
  BOOST_TEST(good(chunked("1\r\n\r\r\n1\r\n\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n")).body == "\r\n0\r\n\r\n");
  BOOST_TEST(good(post("transfer-encoding:CHUNKED\r\n", "1\r\nx\r\n0\r\n\r\n")).body == "x");
}

BOOST_AUTO_TEST_CASE(D_066_trailers_are_dropped) {
  const auto request =
      good(chunked("1\r\nx\r\n0\r\nOrigin: https://evil.example\r\nHost: b\r\nX-Forwarded-For: 6.6.6.6\r\n"
                   "Connection: close\r\n\r\n"));
  BOOST_TEST(request.body == "x");
  BOOST_TEST(request.host == "a.example");
  BOOST_TEST(request.origin.empty());
  BOOST_TEST(request.forwarded.empty());
  BOOST_TEST(request.x_forwarded_for.empty());
  BOOST_TEST(request.keep_alive);
}

BOOST_AUTO_TEST_CASE(D_066_chunk_lines_and_trailers_are_limited) {
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

BOOST_AUTO_TEST_CASE(D_065_a_post_without_a_length_has_no_body) {
  BOOST_TEST(good(post("", "")).body.empty());
  BOOST_TEST(good(post("Content-Length: 0\r\n", "")).body.empty());
  BOOST_TEST(good(post("Content-Length: 00\r\n", "")).body.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
