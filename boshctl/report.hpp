// The steps of a check, told as they are taken, and what is to be done at the end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace boshctl {

class Report {
 public:
  enum class Result { ok, note, warn, fail };

  explicit Report(bool json) : json_(json) {}

  /// One step; `advice`: what to do, if anything.
  void tell(Result, std::string_view step, std::string_view sentence, std::string_view advice = {});
  void ok(std::string_view step, std::string_view sentence) { tell(Result::ok, step, sentence); }
  void note(std::string_view step, std::string_view sentence) { tell(Result::note, step, sentence); }
  void warn(std::string_view step, std::string_view sentence, std::string_view advice = {}) {
    tell(Result::warn, step, sentence, advice);
  }
  void fail(std::string_view step, std::string_view sentence, std::string_view advice = {}) {
    tell(Result::fail, step, sentence, advice);
  }
  /// Whether a step has failed since this was asked last.
  bool has_failed();
  /// What failed until now doesn't matter: there was another way.
  void forgive();

  /// The summary; the exit status.
  int finish(std::string_view subject) const;

 private:
  struct Problem {
    Result result;
    std::string step;
    std::string sentence;
    std::string advice;
  };
  bool json_;
  bool failed_lately_ = false;
  std::vector<Problem> problems_;
};

}  // namespace boshctl
