// Why BOSH ends a session, and what the client is told.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bosh {

/// Terminal binding conditions (XEP-0124 §17.2).
enum class Condition {
  bad_request,
  host_gone,
  host_unknown,
  improper_addressing,
  internal_server_error,
  item_not_found,
  other_request,
  policy_violation,
  remote_connection_failed,
  remote_stream_error,
  see_other_uri,
  system_shutdown,
  undefined_condition,
};

constexpr std::string_view to_string(Condition condition) {
  switch (condition) {
    case Condition::bad_request:
      return "bad-request";
    case Condition::host_gone:
      return "host-gone";
    case Condition::host_unknown:
      return "host-unknown";
    case Condition::improper_addressing:
      return "improper-addressing";
    case Condition::internal_server_error:
      return "internal-server-error";
    case Condition::item_not_found:
      return "item-not-found";
    case Condition::other_request:
      return "other-request";
    case Condition::policy_violation:
      return "policy-violation";
    case Condition::remote_connection_failed:
      return "remote-connection-failed";
    case Condition::remote_stream_error:
      return "remote-stream-error";
    case Condition::see_other_uri:
      return "see-other-uri";
    case Condition::system_shutdown:
      return "system-shutdown";
    case Condition::undefined_condition:
      break;
  }
  return "undefined-condition";
}

/// The HTTP status that tells a condition to a client older than `ver`; 200 for those that have none
/// (XEP-0124 §17.1).
constexpr unsigned legacy_status(Condition condition) {
  switch (condition) {
    case Condition::bad_request:
      return 400;
    case Condition::policy_violation:
      return 403;
    case Condition::item_not_found:
      return 404;
    default:
      return 200;
  }
}

/// Why a session ended, as far as BOSH can know. The owner has the reason of `told`.
enum class End {
  client_terminated,  // type='terminate'
  inactive,           // no request within `inactivity`
  bad_request,        // a faulty request with an acceptable rid (B-188)
  rid_out_of_order,   // outside the window, or no longer cached (XEP-0124 §14.2, §14.3)
  rid_missing,        // a gap was not filled within `wait` (B-092)
  bad_key,            // not the next key of the sequence (XEP-0124 §15.4)
  unknown_stream,     // a stream that the session never had (XEP-0124 §16.4)
  overactive,         // too many requests, too often or too often the same (XEP-0124 §11, §12, §14.3)
  request_too_large,  // above the limit, with an acceptable rid
  upstream_stalled,   // the server took nothing for `wait`
  told,               // by end(): the upstream ended, or the daemon stops
};

/// What a terminal body says.
struct Terminal {
  std::optional<Condition> condition;  // none: an orderly end
  std::string content;                 // children of the body, complete in themselves
};

}  // namespace bosh
