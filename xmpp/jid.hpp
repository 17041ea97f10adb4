// The address that a server gives its client (RFC 6120 §7, XEP-0388, XEP-0386).
#pragma once

#include <string>

#include "xml/splitter.hpp"

namespace xmpp {

/// The client's JID in an element of the server: the result of a bind, or the success of SASL2. Empty: it
/// tells none.
std::string bound_jid(xml::Pool&, const xml::Element&);

}  // namespace xmpp
