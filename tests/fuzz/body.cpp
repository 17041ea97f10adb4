// A request's body: what is accepted means on the server's stream what it meant in the body, and a request
// that is cut off names the session that the whole one names.
#include "bosh/body.hpp"

#include "tests/fuzz/check.hpp"
#include "tests/fuzz/plain_reader.hpp"

namespace {

using fuzz::require;

xml::Limits tight() {
  xml::Limits limits;
  limits.element_bytes = 1000;
  limits.token_bytes = 2000;
  limits.name_bytes = 200;
  limits.depth = 10;
  limits.attributes = 16;
  limits.declarations = 12;
  limits.elements = 12;
  return limits;
}
const xml::Limits limits = tight();

void check_payload(std::string_view input, const std::string& payload) {
  require(payload.size() <= input.size() + limits.element_bytes, "the payload is bounded");
  const std::string stream =
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
      "xmlns:p='urn:x'>" +
      payload + "</stream:stream>";
  // What is in httpbind is meant as jabber:client.
  const fuzz::PlainDocument sent = fuzz::read_plainly(input, bosh::httpbind_ns, "jabber:client");
  const fuzz::PlainDocument got = fuzz::read_plainly(stream);
  require(sent.well_formed && got.well_formed, "what is accepted is XML, there and here", stream);
  require(sent.children.size() == got.children.size(), "X-008: the server gets as many elements", stream);
  for (std::size_t i = 0; i < sent.children.size(); ++i) {
    const fuzz::PlainChild& a = sent.children[i];
    const fuzz::PlainChild& b = got.children[i];
    require(to_string(a.top) + a.inside == to_string(b.top) + b.inside,
            "X-008: the server reads the same names", stream);
    require(a.top.language == b.top.language, "the language is the same", stream);
    require(!b.top.name.starts_with("http://etherx.jabber.org/streams\x01"),
            "X-010: no element of the stream");
  }
}

void check_whole(std::string_view input, const bosh::ParsedBody& parsed) {
  const bosh::Body& body = parsed.body;
  require(parsed.root_read == (body.rid != 0), "the root is read when there is a rid");
  require(body.rid <= bosh::largest_rid, "B-004: no larger rid");
  if (!parsed.fault.empty())
    return require(body.payload.empty(), "nothing of a faulty request goes upstream");
  require(parsed.root_read, "no request without a rid");
  check_payload(input, body.payload);
}

void check_starts(xml::Pool& pool, std::string_view input, const bosh::ParsedBody& whole) {
  constexpr std::size_t most = 32;
  bool read = false;
  const auto check = [&](std::string_view start) {
    const bosh::ParsedBody parsed = bosh::parse_body_start(pool, fuzz::Exact(start).view(), limits);
    require(parsed.root_read || !read, "more bytes tell no less", std::string(start));
    read = parsed.root_read;
    require(parsed.body.payload.empty(), "nothing of a request that is cut off goes upstream");
    if (!read) return;
    require(whole.root_read, "the whole tells no less than a part", std::string(start));
    require(parsed.body.rid == whole.body.rid && parsed.body.sid == whole.body.sid,
            "a part names the session that the whole names", std::string(start));
  };
  for (std::size_t size = 0; size < input.size(); size += 1 + input.size() / most)
    check(input.substr(0, size));
  check(input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  xml::Pool pool(42, 1);
  const std::string_view input = fuzz::text(bytes, size);
  const bosh::ParsedBody parsed = bosh::parse_body(pool, input, limits);
  check_whole(input, parsed);
  check_starts(pool, input, parsed);
  return 0;
}
