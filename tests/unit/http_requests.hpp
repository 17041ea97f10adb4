// Requests as bytes, read whole and in every way they can be cut.
#pragma once

#include "src/http_request.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

namespace boshd {

using namespace std::literals;
using State = RequestReader::State;

/// All that there is to say about a message after it was read.
struct Outcome {
  State state = State::reading;
  unsigned status = 0;
  std::size_t used = 0;
  HttpRequest request;
};

/// Reads pieces one after the other until the request ends.
inline Outcome read_pieces(const std::vector<std::string_view>& pieces, const HttpLimits& limits = {}) {
  RequestReader reader(limits);
  std::size_t used = 0;
  for (const auto piece : pieces) {
    const auto n = reader.read(piece);
    used += n;
    const bool reading = reader.state() == State::reading || reader.state() == State::continue_first;
    BOOST_TEST_REQUIRE((!reading || n == piece.size()));
    if (!reading) break;
  }
  const auto state = reader.state() == State::continue_first ? State::reading : reader.state();
  return {state, reader.status(), used, reader.request()};
}

inline std::vector<std::string_view> bytes_of(std::string_view message) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < message.size(); ++i) pieces.push_back(message.substr(i, 1));
  return pieces;
}

/// A text for messages: only its start and end when it is long, and no control characters.
inline std::string shown(std::string_view message) {
  std::string text;
  for (const char c :
       message.size() > 300 ? std::string(message.substr(0, 300)) + "..." : std::string(message)) {
    if (c == '\r')
      text += "\\r";
    else if (c == '\n')
      text += "\\n";
    else
      text += c >= ' ' && c < '\x7f' ? c : '?';
  }
  return text;
}

/// Compares; of a failed request only how it failed, for nobody looks at the rest.
inline bool same(const Outcome& a, const Outcome& b) {
  if (a.state != b.state || a.status != b.status) return false;
  return a.state == State::failed || (a.used == b.used && a.request == b.request);
}

/// Reads a message whole and in pieces, and checks that it comes out the same.
inline Outcome read_every_way(std::string_view message, const HttpLimits& limits = {}) {
  auto whole = read_pieces({message}, limits);
  BOOST_TEST_CONTEXT(shown(message)) {
    BOOST_TEST(same(whole, read_pieces(bytes_of(message), limits)), "byte by byte");
    for (std::size_t cut = 1; cut < message.size(); ++cut) {
      const auto outcome = read_pieces({message.substr(0, cut), message.substr(cut)}, limits);
      if (!same(whole, outcome)) BOOST_ERROR("differs when cut at " << cut);
    }
  }
  return whole;
}

inline HttpRequest good(std::string_view message, const HttpLimits& limits = {}) {
  const auto outcome = read_every_way(message, limits);
  BOOST_TEST_CONTEXT(shown(message)) {
    BOOST_TEST((outcome.state == State::complete));
    BOOST_TEST(outcome.used == message.size());
    BOOST_TEST(outcome.status == 0U);
  }
  return outcome.request;
}

inline void refused(unsigned status, std::string_view message, const HttpLimits& limits = {}) {
  const auto outcome = read_every_way(message, limits);
  BOOST_TEST_CONTEXT(shown(message)) {
    BOOST_TEST((outcome.state == State::failed));
    BOOST_TEST(outcome.status == status);
  }
}

inline std::string post(std::string_view fields, std::string_view body) {
  return "POST /http-bind HTTP/1.1\r\nHost: a.example\r\n"s + std::string(fields) + "\r\n" +
         std::string(body);
}

inline std::string chunked(std::string_view body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

inline std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
}

/// A request with a head of exactly so many bytes.
inline std::string request_with_head_of(std::size_t size) {
  const auto start = "GET / HTTP/1.1\r\nHost: a\r\nX: "s;
  return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
}

}  // namespace boshd
