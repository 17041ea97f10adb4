// What a client behind boshd may see of the server's stream features (X-027..X-032, X-088).
#pragma once

#include <string>

#include "xml/splitter.hpp"

namespace xmpp {

/// The features without STARTTLS, stream compression, channel binding and the SASL mechanisms that need it,
/// and the pipelining of XEP-0305: all of that belongs to the connection that ends in boshd. What stays is
/// passed on as it was written. `features` is a whole stream:features element.
std::string filter_features(xml::Pool&, const xml::Element& features);

/// Whether the server encrypts, and insists on it: it says so, or offers nothing else (RFC 6120 §5.3.1).
struct TlsOffer {
  bool offered = false;
  bool required = false;
};
TlsOffer tls_offer(xml::Pool&, const xml::Element& features);

}  // namespace xmpp
