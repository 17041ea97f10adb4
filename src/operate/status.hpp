// What /status.json says: one look at everything, for the page, for boshctl and for programs.
#pragma once

#include <string>
#include <vector>

#include "src/operate/census.hpp"
#include "src/operate/history.hpp"
#include "src/operate/readings.hpp"

namespace boshd {

/// One line of the log that tells of trouble; equal ones are counted.
struct StatusProblem {
  WallTime time{};
  std::string level;
  std::string event;
  std::string text;
  std::uint64_t count = 1;
};

/// What is wrong with a proxy, and what helps.
struct StatusProxy {
  std::string address;
  std::string problem;
  std::string advice;
  WallTime since{};
  std::uint64_t count = 0;
};

/// What only a status needs, beside the readings.
struct StatusFacts {
  std::string node;
  std::string config_file;
  Tally domains;                        // the largest first
  Tally addresses;                      // of clients
  std::vector<StatusProblem> problems;  // the newest first
  std::vector<StatusProxy> proxies;
};

/// `now` and `wall` are the same moment by two clocks.
std::string status_json(const Readings&, const History&, const StatusFacts&, Time now, WallTime wall);

}  // namespace boshd
