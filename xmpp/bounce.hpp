// Stanzas that never reached their client go back to whom they came from (XEP-0206 §7).
#pragma once

#include <string>
#include <string_view>

#include "xml/splitter.hpp"

namespace xmpp {

/// The errors for these whole elements, in their order, for the stream that brought them: a message comes
/// back as recipient-unavailable, a question (iq) as service-unavailable. Presence, answers and errors get
/// none.
std::string bounce(xml::Pool&, std::string_view elements);

}  // namespace xmpp
