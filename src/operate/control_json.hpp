// The lines that the control socket tells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/config.hpp"
#include "src/log/log.hpp"
#include "src/operate/mask.hpp"
#include "src/operate/session_figures.hpp"
#include "src/operate/trace.hpp"
#include "src/tls.hpp"

namespace boshd {

std::string error_line(std::string_view sentence);
/// A trace has begun; so many sessions that are there are meant.
std::string following_line(std::size_t sessions);
/// So many lines of a trace were not told.
std::string dropped_line(std::uint64_t count);
/// A session in a list.
std::string session_line(const SessionFigures&);
/// All there is of one.
std::string session_details(const SessionFigures&);
std::string trace_line(const TraceEvent&, Unmasked);
std::string certificate_line(const ServerTls::Known&, std::chrono::system_clock::time_point now);

std::string problem_line(const Problem&);

/// What a server of all sessions looks like.
struct ServerUse {
  std::string server;
  std::size_t open = 0;
  std::size_t connecting = 0;
  std::size_t encrypted = 0;
  std::string tls{};  // the latest
  ServerFailures failures{};
};
std::string server_line(const ServerUse&);

}  // namespace boshd
