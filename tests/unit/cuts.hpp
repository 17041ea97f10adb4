// Feeds an input in every way it could arrive: whole, cut in two at each place (a short one in three at each
// two places), byte by byte; and each of these with the parser as it was left, with one that went to somebody
// else in between, and with one that was freed.
#pragma once

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/splitter.hpp"

namespace tests {

/// What a document came to, in comparable form.
struct Outcome {
  std::string root;                   // its tag's name and attributes
  std::vector<std::string> elements;  // each as it can stand alone
  std::vector<std::string> names;     // "namespace name"
  bool closed = false;
  xml::Error error = xml::Error::none;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  out << "root [" << outcome.root << "] error " << xml::to_string(outcome.error)
      << (outcome.closed ? " closed" : "");
  for (const std::string& element : outcome.elements) out << "\n  " << element;
  return out;
}

enum class Parsers { warm, borrowed_away, freed };

/// Reads pieces, one feed each.
inline Outcome read(const std::vector<std::string_view>& pieces, const xml::Options& options, Parsers parsers,
                    bool whole_document) {
  xml::Pool pool(42, 1);
  xml::Splitter splitter;
  xml::Splitter other;
  xml::Batch batch;
  xml::Batch unused;
  Outcome outcome;
  for (std::size_t i = 0; i < pieces.size() && outcome.error == xml::Error::none; ++i) {
    outcome.error = splitter.feed(pool, options, pieces[i], batch, whole_document && i + 1 == pieces.size());
    if (batch.root_opened) {
      outcome.root = batch.root.ns + " " + batch.root.name;
      for (const xml::Attribute& a : batch.root.attributes)
        outcome.root += " " + a.ns + "|" + a.name + "=" + a.value;
    }
    for (const xml::Element& element : batch.elements) {
      outcome.elements.push_back(element.to_string());
      outcome.names.push_back(element.ns + " " + element.name);
    }
    outcome.closed |= batch.root_closed;
    if (parsers == Parsers::borrowed_away) {
      other = {};
      other.feed(pool, {}, "<other>", unused);
    }
    if (parsers == Parsers::freed) {
      pool.cool();
      pool.cool();
    }
  }
  return outcome;
}

/// Reads it in every way and checks that all come to the same; returns that.
inline Outcome read_all_ways(std::string_view document, const xml::Options& options = {},
                             bool whole_document = false) {
  constexpr std::size_t most_for_three = 50;
  Outcome whole = read({document}, options, Parsers::warm, whole_document);
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < document.size(); ++i) bytes.push_back(document.substr(i, 1));
  for (const Parsers parsers : {Parsers::warm, Parsers::borrowed_away, Parsers::freed}) {
    BOOST_TEST_CONTEXT("parsers " << static_cast<int>(parsers)) {
      const auto check = [&](const std::vector<std::string_view>& pieces) {
        const Outcome found = read(pieces, options, parsers, whole_document);
        if (found != whole) BOOST_ERROR("first piece " << pieces[0] << ": " << found << "\nwhole: " << whole);
      };
      for (std::size_t one = 1; one < document.size(); ++one) {
        check({document.substr(0, one), document.substr(one)});
        for (std::size_t two = one; two < document.size() && document.size() <= most_for_three; ++two)
          check({document.substr(0, one), document.substr(one, two - one), document.substr(two)});
      }
      if (!bytes.empty()) BOOST_CHECK_EQUAL(read(bytes, options, parsers, whole_document), whole);
    }
  }
  return whole;
}

}  // namespace tests
