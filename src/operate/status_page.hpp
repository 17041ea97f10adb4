// The page that /status shows to a person: src/operate/status_page.html, which the build makes a part of the
// program.
#pragma once

#include <string_view>

namespace boshd {

/// HTML in UTF-8. It reads `status.json` beside it and loads nothing else; it may be sent with the policy
/// below.
std::string_view status_page();

/// The value of Content-Security-Policy under which the page works.
inline constexpr std::string_view status_page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src "
    "data:";

}  // namespace boshd
