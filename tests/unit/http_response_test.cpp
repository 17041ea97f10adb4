// The heads of responses: what every answer carries, and what must never come into one.
#include "src/http_response.hpp"

#include <boost/test/unit_test.hpp>

namespace boshd {
namespace {

using Strings = std::vector<std::string>;

std::string head_of(const std::string& response) {
  return response.substr(0, response.find("\r\n\r\n") + 4);
}
std::string body_of(const std::string& response) {
  return response.substr(head_of(response).size());
}

/// The value of a header line; "-" when there is none, "twice" when there are two.
std::string header(const std::string& response, const std::string& name) {
  const auto head = head_of(response);
  const auto start = head.find("\r\n" + name + ": ");
  if (start == std::string::npos) return "-";
  if (head.find("\r\n" + name + ": ", start + 1) != std::string::npos) return "twice";
  const auto value = start + name.size() + 4;
  return head.substr(value, head.find("\r\n", value) - value);
}

std::string preflight(const HttpContext& context, const std::string& request_headers) {
  HttpRequest request;
  request.method = Method::options;
  request.request_headers = request_headers;
  return options_response(context, request, "GET, HEAD, POST, OPTIONS");
}

const HttpContext any_origin{.keep_alive = true, .version = 11, .allowed_origin = "*", .vary_origin = false};

}  // namespace

BOOST_AUTO_TEST_SUITE(http_response)

BOOST_AUTO_TEST_CASE(D_072_a_head_is_written_whole_behind_what_is_there) {
  std::string out = "before";
  append_head(out, any_origin, 200, "text/xml; charset=utf-8", 42, "X-Extra: 1\r\n");
  BOOST_TEST(out.starts_with("beforeHTTP/1.1 200 OK\r\nDate: "));
  BOOST_TEST(out.ends_with("\r\n\r\n"));
  BOOST_TEST(out.find("\r\n\r\n") == out.size() - 4);
  BOOST_TEST(header(out, "Content-Type") == "text/xml; charset=utf-8");
  BOOST_TEST(header(out, "Content-Length") == "42");
  BOOST_TEST(header(out, "X-Extra") == "1");
}

BOOST_AUTO_TEST_CASE(D_042_the_date_has_the_fixed_form) {
  const auto date = header(simple_response(any_origin, 200, "x"), "Date");
  const std::string form = "Aaa, 00 Aaa 0000 00:00:00 GMT";
  BOOST_TEST_REQUIRE(date.size() == form.size());
  for (std::size_t i = 0; i < form.size(); ++i) {
    const char c = date[i];
    const char kind = c >= '0' && c <= '9' ? '0' : form[i] == 'A' && c >= 'A' && c <= 'Z' ? 'A' : c;
    const bool fits = form[i] == 'a' ? c >= 'a' && c <= 'z' : kind == form[i];
    BOOST_TEST(fits, date);
  }
}

BOOST_AUTO_TEST_CASE(D_023_D_028_D_039_D_040_D_103_every_status_carries_cors_no_store_and_nosniff) {
  for (const unsigned status : {200U, 204U, 400U, 403U, 404U, 405U, 408U, 413U, 414U, 415U, 417U, 429U, 431U,
                                500U, 501U, 503U, 505U}) {
    const auto response = simple_response(any_origin, status, {});
    BOOST_TEST(response.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
    BOOST_TEST(header(response, "Access-Control-Allow-Origin") == "*");
    BOOST_TEST(header(response, "Cache-Control") == "no-store");
    BOOST_TEST(header(response, "X-Content-Type-Options") == "nosniff");
    BOOST_TEST(header(response, "Access-Control-Allow-Credentials") == "-");
    BOOST_TEST(!reason_phrase(status).empty());
  }
}

BOOST_AUTO_TEST_CASE(D_038_a_204_has_no_length_and_no_body) {
  const auto response = simple_response(any_origin, 204, "text");
  BOOST_TEST(header(response, "Content-Length") == "-");
  BOOST_TEST(header(response, "Content-Type") == "-");
  BOOST_TEST(body_of(response).empty());
}

BOOST_AUTO_TEST_CASE(D_085_a_short_answer_is_its_text_or_its_reason) {
  const auto named = simple_response(any_origin, 404, {});
  BOOST_TEST(body_of(named) == "Not Found\n");
  BOOST_TEST(header(named, "Content-Length") == "10");
  BOOST_TEST(header(named, "Content-Type") == "text/plain; charset=utf-8");
  const auto told = simple_response(any_origin, 200, "hello\n", "Allow: GET\r\n");
  BOOST_TEST(body_of(told) == "hello\n");
  BOOST_TEST(header(told, "Allow") == "GET");
  BOOST_TEST(reason_phrase(431) == "Request Header Fields Too Large");
}

BOOST_AUTO_TEST_CASE(D_046_head_has_the_length_of_get_and_no_body) {
  const auto response = simple_response(any_origin, 200, "hello\n", {}, true);
  BOOST_TEST(header(response, "Content-Length") == "6");
  BOOST_TEST(body_of(response).empty());
}

BOOST_AUTO_TEST_CASE(D_069_connection_is_said_only_where_it_must_be) {
  const auto connection = [](bool keep_alive, unsigned version) {
    HttpContext context;
    context.keep_alive = keep_alive;
    context.version = version;
    return header(simple_response(context, 200, "x"), "Connection");
  };
  BOOST_TEST(connection(true, 11) == "-");
  BOOST_TEST(connection(false, 11) == "close");
  BOOST_TEST(connection(true, 10) == "keep-alive");
  BOOST_TEST(connection(false, 10) == "close");
}

BOOST_AUTO_TEST_CASE(D_024_D_027_origins) {
  struct Case {
    Strings origins;
    std::string origin;
    bool allowed;
    std::string header;
    bool vary;
  };
  const Case cases[] = {
      {{"*"}, "", true, "*", false},
      {{"*"}, "https://a.example", true, "*", false},
      {{"*"}, "null", true, "*", false},
      {{"https://a.example", "https://b.example:8443"}, "https://a.example", true, "https://a.example", true},
      {{"https://a.example", "https://b.example:8443"},
       "https://b.example:8443",
       true,
       "https://b.example:8443",
       true},
      {{"https://a.example"}, "", true, "", true},
      {{"https://a.example"}, "null", false, "", true},
      {{"https://a.example"}, "http://a.example", false, "", true},
      {{"https://a.example"}, "https://a.example:8443", false, "", true},
      {{"https://a.example"}, "https://a.example.evil.example", false, "", true},
      {{"https://a.example"}, "https://a.example, https://a.example", false, "", true},
      {{"https://a.example"}, "*", false, "", true},
      {{}, "https://a.example", false, "", true},
      {{}, "", true, "", true},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.origin) {
      const auto verdict = check_origin(c.origins, c.origin);
      BOOST_TEST(verdict.allowed == c.allowed);
      BOOST_TEST(verdict.header == c.header);
      BOOST_TEST(verdict.vary == c.vary);
    }
  }
}

BOOST_AUTO_TEST_CASE(D_025_a_listed_origin_is_named_with_vary) {
  HttpRequest request;
  request.keep_alive = false;
  request.version = 10;
  const auto context = make_context(request, check_origin({"https://a.example"}, "https://a.example"));
  const auto response = simple_response(context, 200, "x");
  BOOST_TEST(header(response, "Access-Control-Allow-Origin") == "https://a.example");
  BOOST_TEST(header(response, "Vary") == "Origin");
  BOOST_TEST(header(response, "Connection") == "close");
}

BOOST_AUTO_TEST_CASE(D_026_a_foreign_origin_gets_vary_but_no_permission) {
  const auto context = make_context({}, check_origin({"https://a.example"}, "https://evil.example"));
  for (const auto& response : {simple_response(context, 403, {}), preflight(context, "content-type")}) {
    BOOST_TEST(header(response, "Access-Control-Allow-Origin") == "-");
    BOOST_TEST(header(response, "Access-Control-Allow-Methods") == "-");
    BOOST_TEST(header(response, "Access-Control-Allow-Headers") == "-");
    BOOST_TEST(header(response, "Vary") == "Origin");
  }
}

BOOST_AUTO_TEST_CASE(D_020_D_022_D_030_a_preflight_is_allowed) {
  const auto response = preflight(any_origin, "content-type");
  BOOST_TEST(response.starts_with("HTTP/1.1 204 No Content\r\n"));
  BOOST_TEST(header(response, "Allow") == "GET, HEAD, POST, OPTIONS");
  BOOST_TEST(header(response, "Access-Control-Allow-Origin") == "*");
  BOOST_TEST(header(response, "Access-Control-Allow-Methods") == "GET, HEAD, POST, OPTIONS");
  BOOST_TEST(header(response, "Access-Control-Allow-Headers") == "Content-Type");
  BOOST_TEST(header(response, "Access-Control-Max-Age") == "7200");
  BOOST_TEST(header(response, "Content-Length") == "-");
}

BOOST_AUTO_TEST_CASE(D_022_the_headers_asked_for_are_allowed_and_nothing_else_comes_back) {
  const auto allowed = [](const std::string& asked) {
    return header(preflight(any_origin, asked), "Access-Control-Allow-Headers");
  };
  BOOST_TEST(allowed("") == "Content-Type");
  BOOST_TEST(allowed("CONTENT-TYPE") == "Content-Type");
  BOOST_TEST(allowed("content-type,x-requested-with") == "Content-Type, x-requested-with");
  BOOST_TEST(allowed(" x-a ,\tx-b") == "Content-Type, x-a, x-b");
  BOOST_TEST(allowed("x-a\r\nSet-Cookie: evil") == "Content-Type");
  BOOST_TEST(allowed("x-a, <script>") == "Content-Type");
  BOOST_TEST(allowed("x-a,,x-b") == "Content-Type");
  BOOST_TEST(allowed("x-" + std::string(998, 'a')) == "Content-Type, x-" + std::string(998, 'a'));
  BOOST_TEST(allowed("x-" + std::string(999, 'a')) == "Content-Type");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace boshd
