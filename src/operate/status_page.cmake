# Makes C++ of the status page: cmake -DPAGE=status_page.html -DSOURCE=status_page.cpp -P status_page.cmake
# As numbers, since string literals have delimiters, a limit of length and an opinion of UTF-8.
file(READ "${PAGE}" bytes HEX)
string(REGEX REPLACE "................................" "\\0\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE "${SOURCE}" "// Made of status_page.html by status_page.cmake.
#include \"src/operate/status_page.hpp\"

namespace boshd {

namespace {

constexpr char page[] = {
${bytes}
};

}  // namespace

std::string_view status_page() {
  return {page, sizeof page};
}

}  // namespace boshd
")
