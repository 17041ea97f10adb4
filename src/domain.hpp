// Domain names as DNS, certificates and the configuration know them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace boshd {

/// The domain with A-labels, in lower case and without a dot at its end; of an address its usual form.
/// Nothing if it is neither (U-002, U-063).
std::optional<std::string> ascii_domain(std::string_view domain);

}  // namespace boshd
