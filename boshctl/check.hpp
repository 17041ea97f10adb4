// Walks the way that sessions of a domain take, and says where it is blocked.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "boshctl/report.hpp"
#include "src/config.hpp"

namespace boshctl {

/// The command line is wrong.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `arguments`: behind "check". Returns the exit status. Throws UsageError.
int check(const std::vector<std::string>& arguments, bool json);

/// From boshd to the domain's servers, by this configuration.
void check_upstream(const boshd::Config&, const std::string& domain, Report&);

/// From a browser to boshd, through what stands before it: a session is opened and closed at `url`.
void check_bosh(const std::string& url, const std::string& domain, Report&);
/// The same by WebSocket.
void check_websocket(const std::string& url, Report&);

}  // namespace boshctl
