// The way to a running boshd.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace boshctl {

/// A sentence for the operator: what went wrong, and what to do.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Where boshd's control socket is, if nobody says otherwise.
std::string default_socket();

/// Sends a command and takes its answer line by line, until boshd closes or `take` says false. Throws
/// Failure.
void ask(const std::string& socket, std::string_view command,
         const std::function<bool(std::string_view line)>& take);

}  // namespace boshctl
