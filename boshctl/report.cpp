#include "boshctl/report.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "boshctl/table.hpp"

namespace boshctl {

namespace {

using Json = nlohmann::ordered_json;

std::string_view word(Report::Result result) {
  switch (result) {
    case Report::Result::ok:
      return "ok";
    case Report::Result::note:
      return "note";
    case Report::Result::warn:
      return "warn";
    case Report::Result::fail:
      break;
  }
  return "fail";
}

std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A word in its column.
std::string cell(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, text.size()), ' ') + " ";
}

}  // namespace

void Report::tell(Result result, std::string_view step, std::string_view sentence, std::string_view advice) {
  const bool known = std::ranges::any_of(
      problems_, [&](const Problem& p) { return p.step == step && p.sentence == sentence; });
  if ((result == Result::warn || result == Result::fail) && !known)
    problems_.push_back({result, std::string(step), std::string(sentence), std::string(advice)});
  failed_lately_ |= result == Result::fail;
  if (json_) {
    Json json{{"step", step}, {"result", word(result)}, {"text", sentence}};
    if (!advice.empty()) json["advice"] = advice;
    std::cout << line(json) << std::endl;
    return;
  }
  std::cout << cell(word(result), 4) << cell(step, 9) << printable(sentence) << std::endl;
}

bool Report::has_failed() {
  return std::exchange(failed_lately_, false);
}

void Report::forgive() {
  for (Problem& problem : problems_)
    if (problem.result == Result::fail) problem.result = Result::warn;
}

int Report::finish(std::string_view subject) const {
  const bool failed =
      std::ranges::any_of(problems_, [](const Problem& p) { return p.result == Result::fail; });
  if (json_) {
    Json json{{"ok", !failed}, {"subject", subject}, {"problems", Json::array()}};
    for (const Problem& p : problems_)
      json["problems"].push_back(
          {{"result", word(p.result)}, {"step", p.step}, {"text", p.sentence}, {"advice", p.advice}});
    std::cout << line(json) << std::endl;
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
  }
  std::cout << "\n"
            << subject
            << (failed              ? " does not work:"
                : problems_.empty() ? " works."
                                    : " works, but:")
            << "\n";
  for (const Problem& p : problems_) {
    std::cout << "- " << p.step << ": " << printable(p.sentence) << "\n";
    if (!p.advice.empty()) std::cout << "  " << p.advice << "\n";
  }
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace boshctl
