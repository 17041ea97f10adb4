#include "bosh/keys.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cctype>
#include <string>

#include "src/sha1.hpp"

using bosh::KeyChain;
using boshd::sha1_hex;

namespace {

const std::string k1 = "afab657296376451630ad620b2d4ea08b71a4573";
const std::string k2 = "74e6fe594dcea1d695a6d1dbb4b57f7eb011a766";
const std::string k3 = "9b6cff3e3e50ebb4055742db34b050dba50a52de";
const std::string k4 = "c24e811cad178a8d52254fb723e032b165fb6311";

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keys)

BOOST_AUTO_TEST_CASE(B_165_the_test_vector) {
  BOOST_CHECK_EQUAL(sha1_hex("pelican-42"), k1);
  BOOST_CHECK_EQUAL(sha1_hex(k1), k2);
  BOOST_CHECK_EQUAL(sha1_hex(k2), k3);
  BOOST_CHECK_EQUAL(sha1_hex(k3), k4);
}

BOOST_AUTO_TEST_CASE(B_158_B_159_a_sequence_is_walked_downwards) {
  KeyChain chain(k4);
  for (const std::string& key : {k3, k2, k1}) BOOST_CHECK(chain.accept(sha1_hex, key, {}));
}

BOOST_AUTO_TEST_CASE(B_160_a_wrong_or_missing_key_is_refused) {
  for (const std::string& wrong : {k2, k4, std::string(), std::string("x"), k3.substr(1), k3 + "0"}) {
    KeyChain chain(k4);
    BOOST_CHECK_MESSAGE(!chain.accept(sha1_hex, wrong, {}), wrong);
  }
  KeyChain chain(k4);
  BOOST_CHECK(chain.accept(sha1_hex, k3, {}));
  BOOST_CHECK(!chain.accept(sha1_hex, k3, {}));  // it was used
}

BOOST_AUTO_TEST_CASE(B_161_a_new_sequence_may_begin_with_any_key) {
  const std::string m1 = sha1_hex("another seed");
  const std::string m2 = sha1_hex(m1);
  KeyChain chain(k4);
  BOOST_CHECK(chain.accept(sha1_hex, k3, m2));
  BOOST_CHECK(!KeyChain(chain).accept(sha1_hex, k2, {}));  // the old one is over
  BOOST_CHECK(chain.accept(sha1_hex, m1, {}));
}

BOOST_AUTO_TEST_CASE(B_162_only_the_comparison_ignores_case) {
  KeyChain chain(upper(k4));
  BOOST_CHECK(chain.accept(sha1_hex, k3, {}));
  const std::string shouted = upper(k1);
  KeyChain other(sha1_hex(shouted));
  BOOST_CHECK(!KeyChain(other).accept(sha1_hex, k1, {}));  // another text, another hash
  BOOST_CHECK(other.accept(sha1_hex, shouted, {}));
}

BOOST_AUTO_TEST_CASE(B_164_B_166_without_newkey_at_the_creation_keys_mean_nothing) {
  KeyChain none;
  BOOST_CHECK(none.accept(sha1_hex, "anything", k4));
  BOOST_CHECK(none.accept(sha1_hex, {}, {}));
}

BOOST_AUTO_TEST_SUITE_END()
