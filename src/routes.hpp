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

Route route(const HttpRequest&, const HttpContext&, const OriginVerdict&, std::string_view bosh_path);

}  // namespace boshd
