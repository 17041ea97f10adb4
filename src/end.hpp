// Every reason for which a session ends: the closed list over the two cores and the daemon. One table gives
// the word in the log and the condition that the client is told (XEP-0124 §17.2).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "bosh/end.hpp"
#include "websocket/session.hpp"
#include "xmpp/end.hpp"

namespace boshd {

enum class EndReason {
  client_terminated,
  inactive,
  bad_request,
  rid_out_of_order,
  rid_missing,
  bad_key,
  unknown_stream,
  overactive,
  request_too_large,
  not_opened,
  bad_frames,
  client_lost,
  client_stalled,
  host_unknown,
  origin_refused,
  login_timeout,
  too_many_logins,
  server_stalled,
  server_closed,
  server_stream_error,
  server_bad_xml,
  server_unreachable,
  server_refused,
  server_tls_failed,
  server_silent,
  server_lost,
  shutdown,
  killed,
};
inline constexpr std::size_t end_reasons = static_cast<std::size_t>(EndReason::killed) + 1;

/// The word in the log.
std::string_view to_string(EndReason);

/// What the client is told when the reason lies with the server or with boshd itself; none is an orderly end.
std::optional<bosh::Condition> condition_of(EndReason);

/// The same for a WebSocket; `error` is the server's own stream error, if there is one.
websocket::Farewell farewell_of(EndReason, std::string&& error);

EndReason reason_of(xmpp::End);

/// The reason of an end that BOSH saw; `told` is what the owner had told the session.
EndReason reason_of(bosh::End, EndReason told);
EndReason reason_of(websocket::End, EndReason told);

}  // namespace boshd
