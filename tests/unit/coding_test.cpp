#include "src/coding.hpp"

#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <string>

using namespace boshd;
using Outcome = Decoded::Outcome;

namespace {

constexpr std::size_t limit = 1000;

/// Compressed by zlib itself: 15 its own format, -15 the bare one.
std::string deflated(const std::string& text, int format) {
  z_stream stream{};
  BOOST_REQUIRE_EQUAL(deflateInit2(&stream, 9, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  BOOST_REQUIRE_EQUAL(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(coding)

BOOST_AUTO_TEST_CASE(B_014_what_was_compressed_comes_back) {
  for (const std::size_t size : {0UL, 1UL, 999UL, limit}) {
    const std::string text(size, 'x');
    for (const auto& [coding, bytes] :
         {std::pair{Coding::gzip, gzip(text)}, std::pair{Coding::deflate, deflated(text, 15)},
          std::pair{Coding::deflate, deflated(text, -15)}}) {
      const Decoded decoded = decode(coding, bytes, limit);
      BOOST_CHECK(decoded.outcome == Outcome::whole);
      BOOST_CHECK_EQUAL(decoded.bytes, text);
    }
  }
}

BOOST_AUTO_TEST_CASE(B_015_a_bomb_goes_off_at_the_limit) {
  const std::string bomb = gzip(std::string(8'000'000, ' '));
  BOOST_CHECK(bomb.size() < 100'000);
  const Decoded decoded = decode(Coding::gzip, bomb, limit);
  BOOST_CHECK(decoded.outcome == Outcome::too_large);
  BOOST_CHECK_EQUAL(decoded.bytes.size(), limit);
  BOOST_CHECK(decode(Coding::gzip, gzip(std::string(limit + 1, 'x')), limit).outcome == Outcome::too_large);
}

BOOST_AUTO_TEST_CASE(B_015_what_is_cut_off_or_has_a_tail_is_broken) {
  const std::string whole = gzip("a body that is long enough to be cut in many places");
  for (std::size_t size = 0; size < whole.size(); ++size)
    BOOST_CHECK(decode(Coding::gzip, whole.substr(0, size), limit).outcome == Outcome::broken);
  BOOST_CHECK(decode(Coding::gzip, whole + "x", limit).outcome == Outcome::broken);
  BOOST_CHECK(decode(Coding::gzip, "<body/>", limit).outcome == Outcome::broken);
  BOOST_CHECK(decode(Coding::deflate, "<body/>", limit).bytes.empty());
}

BOOST_AUTO_TEST_CASE(B_014_codings_by_name) {
  for (const char* name : {"", "identity", " Identity "}) BOOST_CHECK(parse_coding(name) == Coding::identity);
  for (const char* name : {"gzip", "x-gzip", "GZip"}) BOOST_CHECK(parse_coding(name) == Coding::gzip);
  BOOST_CHECK(parse_coding("deflate") == Coding::deflate);
  for (const char* name : {"br", "gzip, gzip", "deflate,identity", "zstd"}) BOOST_CHECK(!parse_coding(name));
}

BOOST_AUTO_TEST_CASE(B_013_who_takes_gzip) {
  for (const char* yes :
       {"gzip", "deflate, gzip", "gzip;q=0.5", "br, *", "*;q=0.1", "GZIP ; q=1.0", "x-gzip"})
    BOOST_CHECK_MESSAGE(accepts_gzip(yes), yes);
  for (const char* no : {"", "br", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "identity"})
    BOOST_CHECK_MESSAGE(!accepts_gzip(no), no);
}

BOOST_AUTO_TEST_SUITE_END()
