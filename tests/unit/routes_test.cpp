#include "src/routes.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

using namespace boshd;

namespace {

Route routed(Method method, std::string_view target, bool origin_allowed = true,
             std::string_view coding = {}) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  request.content_encoding = coding;
  HttpContext context;
  context.allowed_origin = origin_allowed ? "*" : "";
  return route(request, context, {origin_allowed, context.allowed_origin, false},
               {"/http-bind", "/xmpp-websocket"});
}

unsigned status(const Route& route) {
  return static_cast<unsigned>(std::stoi(route.response.substr(9, 3)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(routes)

BOOST_AUTO_TEST_CASE(D_049_the_path_is_matched_without_query_and_closing_slash) {
  for (const auto* target : {"/http-bind", "/http-bind/", "/http-bind?room=a", "/http-bind/?x"})
    BOOST_CHECK(routed(Method::post, target).bosh);
  for (const auto* target :
       {"/", "", "/http-bin", "/http-bind2", "/http-bind/x", "/HTTP-BIND", "//http-bind"}) {
    BOOST_CHECK(!routed(Method::post, target).bosh);
    BOOST_CHECK_EQUAL(status(routed(Method::post, target)), 404U);
  }
}

BOOST_AUTO_TEST_CASE(D_050_GET_gives_a_short_page_and_no_session) {
  const Route page = routed(Method::get, "/http-bind");
  BOOST_CHECK(!page.bosh);
  BOOST_CHECK_EQUAL(status(page), 200U);
  BOOST_CHECK(page.response.find("BOSH") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(D_046_HEAD_is_GET_without_its_content) {
  const std::string get = routed(Method::get, "/http-bind").response;
  const std::string head = routed(Method::head, "/http-bind").response;
  BOOST_CHECK(head.ends_with("\r\n\r\n"));
  const auto length = [](const std::string& response) {
    const auto at = response.find("Content-Length:");
    return response.substr(at, response.find('\r', at) - at);
  };
  BOOST_CHECK_EQUAL(length(get), length(head));
}

BOOST_AUTO_TEST_CASE(D_044_another_method_is_told_which_are_allowed) {
  const Route refused = routed(Method::other, "/http-bind");
  BOOST_CHECK_EQUAL(status(refused), 405U);
  BOOST_CHECK(refused.response.find("Allow: GET, HEAD, POST, OPTIONS\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(D_047_OPTIONS_is_answered_for_the_path_and_for_the_server) {
  BOOST_CHECK_EQUAL(status(routed(Method::options, "/http-bind")), 204U);
  BOOST_CHECK_EQUAL(status(routed(Method::options, "*")), 204U);
}

BOOST_AUTO_TEST_CASE(D_026_a_POST_from_an_origin_that_is_not_allowed_is_not_processed) {
  const Route refused = routed(Method::post, "/http-bind", false);
  BOOST_CHECK(!refused.bosh);
  BOOST_CHECK_EQUAL(status(refused), 403U);
}

BOOST_AUTO_TEST_CASE(B_015_a_content_coding_that_was_not_offered_gets_415) {
  BOOST_CHECK_EQUAL(status(routed(Method::post, "/http-bind", true, "br")), 415U);
  BOOST_CHECK(routed(Method::post, "/http-bind", true, "identity").bosh &&
              routed(Method::post, "/http-bind", true, "gzip").bosh);
}

BOOST_AUTO_TEST_CASE(D_023_every_answer_has_the_CORS_header) {
  for (const Method method : {Method::get, Method::head, Method::options, Method::other})
    for (const auto* target : {"/http-bind", "/elsewhere"})
      BOOST_CHECK(routed(method, target).response.find("Access-Control-Allow-Origin: *\r\n") !=
                  std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
