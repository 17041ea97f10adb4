// Which account a client tries to log in to, as far as its SASL exchange tells (RFC 4616, RFC 5802).
#pragma once

#include <string>
#include <string_view>

namespace boshd {

/// The user name in the first message of PLAIN or SCRAM within these elements of a client, in lower case;
/// empty when there is none. What it says is the client's word, good for counting only.
std::string account_in(std::string_view elements);

}  // namespace boshd
