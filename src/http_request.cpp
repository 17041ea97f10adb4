#include "src/http_request.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <cassert>

#include "src/http_chunks.hpp"
#include "src/http_head.hpp"
#include "src/text.hpp"

namespace boshd {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using Text = boost::beast::string_view;

std::string_view view(Text text) {
  return {text.data(), text.size()};
}

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::get;
    case http::verb::head:
      return Method::head;
    case http::verb::post:
      return Method::post;
    case http::verb::options:
      return Method::options;
    default:
      return Method::other;
  }
}

void append_to_list(std::string& list, std::string_view value) {
  if (!list.empty()) list += ", ";
  list += value;
}

}  // namespace

/// The head is collected, checked and given to Beast in one piece. What follows is counted here: the start of
/// a body too large is kept.
struct RequestReader::Impl final : http::basic_parser<true> {
  explicit Impl(const HttpLimits& most)
      : limits(most), scanner(most.header_bytes), chunks(most.header_bytes) {
    header_limit(static_cast<std::uint32_t>(most.header_bytes));
    body_limit(boost::none);
  }

  std::size_t read(std::string_view bytes);
  std::size_t read_head(std::string_view bytes);
  void take_head(std::string_view head);
  void expect_body(bool client_waits);
  std::size_t read_body(std::string_view bytes);
  std::size_t read_chunks(std::string_view bytes);
  void take_body(std::string_view part, bool end);
  void fail(unsigned with);
  std::string* plain_field(http::field);

  void on_request_impl(http::verb, Text, Text, int, error_code&) override;
  void on_field_impl(http::field, Text, Text, error_code&) override;
  void on_header_impl(error_code&) override {}
  void on_finish_impl(error_code&) override {}
  // Beast gets no body and no response.
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(Text, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text, error_code&) override { return 0; }
  void on_response_impl(int, Text, int, error_code&) override {}

  HttpLimits limits;
  HeadScanner scanner;
  ChunkReader chunks;
  HttpRequest request;
  State state = State::reading;
  unsigned status = 0;
  std::string partial_head;
  std::uint64_t body_left = 0;  // of a body with a length
  bool oversized = false;
  bool close = false;
};

void RequestReader::Impl::fail(unsigned with) {
  state = State::failed;
  status = with;
}

std::size_t RequestReader::Impl::read(std::string_view bytes) {
  if (state == State::continue_first) state = State::reading;
  std::size_t used = 0;
  if (state == State::reading && !is_header_done()) used = read_head(bytes);
  if (state == State::reading && used < bytes.size()) used += read_body(bytes.substr(used));
  return used;
}

std::size_t RequestReader::Impl::read_head(std::string_view bytes) {
  const auto used = scanner.scan(bytes);
  auto head = bytes.substr(0, used);
  if (scanner.status() != 0) {
    fail(scanner.status());
    return used;
  }
  if (!scanner.done() || !partial_head.empty()) {
    partial_head += head;
    head = partial_head;
  }
  if (!scanner.done()) return used;
  take_head(head.substr(scanner.leading()));
  partial_head = {};
  // The client has not sent any of its body, so it does wait.
  if (state == State::continue_first && used < bytes.size()) state = State::reading;
  return used;
}

void RequestReader::Impl::take_head(std::string_view head) {
  const auto checked = check_head(head, limits.header_fields);
  if (checked.status != 0) return fail(checked.status);
  error_code error;
  const auto used = put(boost::asio::buffer(head), error);
  if (status != 0) return fail(status);
  if (error) return fail(400);
  assert(used == head.size() && is_header_done());
  request.host = checked.host;
  request.target = checked.target;
  if (request.target.empty() || request.target.front() == '?') request.target.insert(0, "/");
  request.keep_alive = keep_alive() && !close;
  if (is_done()) {
    state = State::complete;
  } else {
    expect_body(checked.expects_continue);
  }
}

void RequestReader::Impl::expect_body(bool client_waits) {
  body_left = content_length().value_or(0);
  oversized = body_left > limits.body_bytes;
  if (client_waits) state = oversized ? State::too_large : State::continue_first;
}

std::size_t RequestReader::Impl::read_body(std::string_view bytes) {
  if (chunked()) return read_chunks(bytes);
  const auto part =
      bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left, bytes.size())));
  body_left -= part.size();
  take_body(part, body_left == 0);
  return part.size();
}

std::size_t RequestReader::Impl::read_chunks(std::string_view bytes) {
  std::size_t used = 0;
  while (state == State::reading && used < bytes.size()) {
    const auto step = chunks.read(bytes.substr(used));
    used += step.used;
    if (chunks.status() != 0) {
      fail(chunks.status());
      break;
    }
    // A chunk too much is known from its size, before its data.
    if (!oversized) oversized = step.data.size() + chunks.left() > limits.body_bytes - request.body.size();
    take_body(step.data, chunks.done());
  }
  return used;
}

void RequestReader::Impl::take_body(std::string_view part, bool end) {
  auto& body = request.body;
  const auto most = oversized ? kept_of_too_large : limits.body_bytes;
  body += part.substr(0, most - std::min(most, body.size()));
  if (oversized && (end || body.size() >= kept_of_too_large)) {
    state = State::too_large;
  } else if (end) {
    state = State::complete;
  }
}

void RequestReader::Impl::on_request_impl(http::verb verb, Text, Text, int version, error_code&) {
  if (verb == http::verb::unknown) status = 501;
  request.method = method_of(verb);
  request.version = static_cast<unsigned>(version);
}

/// Where a field goes that is kept as it is.
std::string* RequestReader::Impl::plain_field(http::field field) {
  switch (field) {
    case http::field::accept:
      return &request.accept;
    case http::field::if_none_match:
      return &request.if_none_match;
    case http::field::upgrade:
      return &request.upgrade;
    case http::field::sec_websocket_key:
      return &request.websocket_key;
    case http::field::sec_websocket_version:
      return &request.websocket_version;
    case http::field::sec_websocket_protocol:
      return &request.websocket_protocol;
    case http::field::sec_websocket_extensions:
      return &request.websocket_extensions;
    default:
      return nullptr;
  }
}

void RequestReader::Impl::on_field_impl(http::field field, Text name, Text text, error_code&) {
  const auto value = view(text);
  if (field == http::field::origin) {
    append_to_list(request.origin, value);
  } else if (field == http::field::access_control_request_headers) {
    append_to_list(request.request_headers, value);
  } else if (field == http::field::content_encoding) {
    append_to_list(request.content_encoding, value);
  } else if (field == http::field::accept_encoding) {
    append_to_list(request.accept_encoding, value);
  } else if (field == http::field::forwarded) {
    append_to_list(request.forwarded, value);
  } else if (field == http::field::connection) {
    // Beast lets keep-alive win in HTTP/1.0 (D-069).
    http::token_list tokens{text};
    if (tokens.exists("close")) close = true;
    if (tokens.exists("upgrade")) request.connection_upgrade = true;
  } else if (std::string* kept = plain_field(field)) {
    append_to_list(*kept, value);
  } else if (equal_ignoring_case(view(name), "X-Forwarded-Proto")) {
    append_to_list(request.x_forwarded_proto, value);
  } else if (equal_ignoring_case(view(name), "X-Forwarded-Host")) {
    append_to_list(request.x_forwarded_host, value);
  } else if (equal_ignoring_case(view(name), "X-Forwarded-For")) {
    append_to_list(request.x_forwarded_for, value);
  }
}

RequestReader::RequestReader(const HttpLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

std::size_t RequestReader::read(std::string_view bytes) {
  return impl_->read(bytes);
}
RequestReader::State RequestReader::state() const {
  return impl_->state;
}
bool RequestReader::started() const {
  return impl_->scanner.started();
}
bool RequestReader::head_complete() const {
  return !impl_->request.target.empty();  // it never is after the head
}
unsigned RequestReader::status() const {
  return impl_->status;
}
HttpRequest& RequestReader::request() {
  return impl_->request;
}

}  // namespace boshd
