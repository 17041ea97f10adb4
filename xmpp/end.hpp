// Why an XMPP stream ends, as far as the stream itself can know.
#pragma once

namespace xmpp {

enum class End {
  closed_by_server,  // its footer, without an error
  stream_error,      // its stream:error (RFC 6120 §4.9)
  bad_xml,           // it sent what is not an XMPP stream, or more than the limits allow
  tls_refused,       // it can't or won't encrypt the stream, which has to be (RFC 6120 §5)
};

}  // namespace xmpp
