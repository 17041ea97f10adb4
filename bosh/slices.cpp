#include "bosh/slices.hpp"

namespace bosh {

ParsedBody parse_slice(xml::Pool& pool, std::string_view bytes, const xml::Limits& limits) {
  const std::size_t start_tag_end = parse_body_start(pool, bytes, limits).content_at;
  ParsedBody parsed = parse_body_start(pool, bytes.substr(0, start_tag_end), limits);
  if (!parsed.fault.empty()) return parsed;
  constexpr std::string_view blanks = " \t\r\n";
  constexpr std::string_view end_tag = "</body>";
  bytes = bytes.substr(0, bytes.find_last_not_of(blanks) + 1);
  if (bytes.substr(0, start_tag_end).ends_with("/>"))
    parsed.fault = start_tag_end == bytes.size() ? std::string() : "something behind the body";
  else if (!bytes.ends_with(end_tag) || bytes.size() < start_tag_end + end_tag.size())
    parsed.fault = "the body is not closed";
  else
    parsed.body.payload = bytes.substr(start_tag_end, bytes.size() - start_tag_end - end_tag.size());
  return parsed;
}

Slices::Slices(xml::Pool& pool, const xml::Limits& limits) : options_(payload_options(limits)) {
  xml::Batch batch;
  splitter_.feed(pool, options_, "<body xmlns='" + std::string(httpbind_ns) + "'>", batch);
}

Slices::Whole Slices::add(xml::Pool& pool, std::string_view slice) {
  Whole whole;
  xml::Batch batch;
  const xml::Error error = splitter_.feed(pool, options_, slice, batch);
  if (error != xml::Error::none) whole.fault = xml::to_string(error);
  if (batch.root_closed) whole.fault = "the end of a body in a slice";
  for (const xml::Element& element : batch.elements) {
    if (whole.fault.empty()) whole.fault = refuse_payload(element);
    element.append_to(whole.payload);
    ++whole.elements;
  }
  return whole;
}

}  // namespace bosh
