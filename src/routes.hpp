// Which path and method means what.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/http_request.hpp"
#include "src/http_response.hpp"

namespace boshd {

/// A POST for a BOSH session, or an answer that needs no session.
struct Route {
  bool bosh = false;
  std::string response;
};

/// The path without query, and without a slash at its end (D-049).
std::string_view path_of(std::string_view target);

Route route(const HttpRequest&, const HttpContext&, const OriginVerdict&, std::string_view bosh_path);

}  // namespace boshd
