// What reading requests and frames costs, and writing what stands before answers and messages. micro.cpp says
// how to run it.
#include <array>
#include <span>

#include "src/http_request.hpp"
#include "src/http_response.hpp"
#include "tests/bench/micro.hpp"
#include "websocket/frames.hpp"

namespace {

using bench::measure;

// --- HTTP ---

std::string post(std::string_view fields) {
  const std::string body = bench::strophe_body(bench::client_message);
  return "POST /http-bind HTTP/1.1\r\nHost: chat.example.org\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// What Chromium sends from a page of another origin.
constexpr std::string_view chromium_fields =
    "Connection: keep-alive\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 "
    "Safari/537.36\r\n"
    "sec-ch-ua: \"Not)A;Brand\";v=\"8\", \"Chromium\";v=\"138\"\r\n"
    "Content-Type: text/xml; charset=utf-8\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "Accept: */*\r\n"
    "Origin: https://web.example.org\r\n"
    "Sec-Fetch-Site: same-site\r\n"
    "Sec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Dest: empty\r\n"
    "Referer: https://web.example.org/\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-US,en;q=0.9\r\n";

/// A reader for each request, as connections make them.
void read_post(benchmark::State& state, const std::string& request) {
  const boshd::HttpLimits limits;
  measure(state, [&] {
    boshd::RequestReader reader(limits);
    return reader.read(request) == request.size() && reader.state() == boshd::RequestReader::State::complete;
  });
}

void http_post_of_chromium(benchmark::State& state) {
  read_post(state, post(chromium_fields));
}
BENCHMARK(http_post_of_chromium);

void http_post_with_least_fields(benchmark::State& state) {
  read_post(state, post({}));
}
BENCHMARK(http_post_with_least_fields);

/// Into a string of its own, as each answer has one.
void http_head_of_an_answer(benchmark::State& state) {
  boshd::HttpContext context;
  context.allowed_origin = "*";
  context.gzip = true;
  measure(state, [&] {
    std::string head;
    boshd::append_head(head, context, 200, "text/xml; charset=utf-8", 242);
    return head.ends_with("\r\n\r\n");
  });
}
BENCHMARK(http_head_of_an_answer);

// --- WebSocket frames ---

/// One message in one masked frame. The reader unmasks in place, so the mask is 0: the same work, and the
/// bytes are good for the next time.
void frame_with_message(benchmark::State& state) {
  const std::string_view message = bench::client_message;
  static_assert(bench::client_message.size() > 125 && bench::client_message.size() < 256);
  std::string frame{'\x81', '\xfe', '\0', static_cast<char>(message.size()), '\0', '\0', '\0', '\0'};
  frame += message;
  websocket::FrameReader reader(boshd::HttpLimits{}.body_bytes);
  measure(state, [&] {
    std::span<char> bytes(frame);
    const websocket::Event event = reader.next(bytes);
    return event.kind == websocket::Event::Kind::text && event.payload.size() == message.size();
  });
}
BENCHMARK(frame_with_message);

void frame_header(benchmark::State& state) {
  std::string out;
  measure(state, [&] {
    out.clear();
    websocket::append_frame_header(out, websocket::Opcode::text, bench::client_message.size());
    return out.size() == 4;
  });
}
BENCHMARK(frame_header);

}  // namespace
