// What a client's URL tells its server: parameters that the configuration lets through.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace boshd {

/// One element with a child for each parameter of `target` that is in `allowed`, for the server to read
/// before the login; empty when there is none. Values that are not UTF-8, or no text for XML, are left out.
std::string query_element(std::string_view target, const std::vector<std::string>& allowed);

}  // namespace boshd
