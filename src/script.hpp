// Script syntax (XEP-0252): BOSH for pages that can only load scripts. The request is a URL's query, the
// answer a call of a function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/http_request.hpp"

namespace boshd {

/// The body in the query of a GET to `bosh_path`; none: it is no such request, or badly escaped.
std::optional<std::string> script_body(const HttpRequest&, std::string_view bosh_path);

/// `_BOSH_("…")` on one line, from UTF-8.
std::string script_call(std::string_view body);

}  // namespace boshd
