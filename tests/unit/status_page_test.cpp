// The page of /status, as far as it can be told without a browser.
#include "src/operate/status_page.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <string>

namespace boshd {
namespace {

BOOST_AUTO_TEST_SUITE(status_pages)

BOOST_AUTO_TEST_CASE(the_program_holds_the_page_byte_by_byte) {
  std::ifstream file(BOSHD_SOURCE_DIR "/src/operate/status_page.html", std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  BOOST_TEST(page.size() > 0U);
  BOOST_TEST(status_page() == page);
}

BOOST_AUTO_TEST_CASE(the_page_stays_small) {
  BOOST_TEST(status_page().size() <= 40'000U);
}

BOOST_AUTO_TEST_CASE(the_page_makes_no_markup_of_data) {
  for (const std::string_view way :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "setHTML", "eval("})
    BOOST_TEST(status_page().find(way) == std::string_view::npos, way);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace boshd
