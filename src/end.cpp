#include "src/end.hpp"

#include <array>

namespace boshd {

namespace {

struct Row {
  EndReason reason;
  std::string_view word;
  std::optional<bosh::Condition> condition;
};

using bosh::Condition;

constexpr std::array rows{
    Row{EndReason::client_terminated, "client-terminated", std::nullopt},
    Row{EndReason::inactive, "inactive", Condition::item_not_found},
    Row{EndReason::bad_request, "bad-request", Condition::bad_request},
    Row{EndReason::rid_out_of_order, "rid-out-of-order", Condition::item_not_found},
    Row{EndReason::rid_missing, "rid-missing", Condition::item_not_found},
    Row{EndReason::bad_key, "bad-key", Condition::item_not_found},
    Row{EndReason::unknown_stream, "unknown-stream", Condition::item_not_found},
    Row{EndReason::overactive, "overactive", Condition::policy_violation},
    Row{EndReason::request_too_large, "request-too-large", Condition::policy_violation},
    Row{EndReason::not_opened, "not-opened", Condition::policy_violation},
    Row{EndReason::bad_frames, "bad-frames", Condition::bad_request},
    Row{EndReason::client_lost, "client-lost", std::nullopt},
    Row{EndReason::client_stalled, "client-stalled", Condition::policy_violation},
    Row{EndReason::host_unknown, "host-unknown", Condition::host_unknown},
    Row{EndReason::origin_refused, "origin-refused", Condition::policy_violation},
    Row{EndReason::login_timeout, "login-timeout", Condition::policy_violation},
    Row{EndReason::too_many_logins, "too-many-logins", Condition::policy_violation},
    Row{EndReason::server_stalled, "server-stalled", Condition::remote_connection_failed},
    Row{EndReason::server_closed, "server-closed", std::nullopt},
    Row{EndReason::server_stream_error, "server-stream-error", Condition::remote_stream_error},
    Row{EndReason::server_bad_xml, "server-bad-xml", Condition::remote_connection_failed},
    Row{EndReason::server_unreachable, "server-unreachable", Condition::remote_connection_failed},
    Row{EndReason::server_refused, "server-refused", Condition::remote_connection_failed},
    Row{EndReason::server_tls_failed, "server-tls-failed", Condition::remote_connection_failed},
    Row{EndReason::server_silent, "server-silent", Condition::remote_connection_failed},
    Row{EndReason::server_lost, "server-lost", Condition::remote_connection_failed},
    Row{EndReason::shutdown, "shutdown", Condition::system_shutdown},
    Row{EndReason::killed, "killed", Condition::policy_violation},  // by an operator
};

constexpr bool rows_in_order() {
  if (rows.size() != end_reasons) return false;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].reason != static_cast<EndReason>(i)) return false;
  return true;
}
static_assert(rows_in_order());

const Row& row(EndReason reason) {
  return rows[static_cast<std::size_t>(reason)];
}

}  // namespace

std::string_view to_string(EndReason reason) {
  return row(reason).word;
}

std::optional<bosh::Condition> condition_of(EndReason reason) {
  return row(reason).condition;
}

websocket::Farewell farewell_of(EndReason reason, std::string&& error) {
  using websocket::CloseCode;
  const auto condition = condition_of(reason);
  if (!condition) return {};
  if (reason == EndReason::server_stream_error) return {std::move(error), CloseCode::normal};
  CloseCode code = CloseCode::normal;
  if (condition == Condition::remote_connection_failed) code = CloseCode::internal_error;
  if (condition == Condition::system_shutdown) code = CloseCode::going_away;
  return {xmpp::stream_error(bosh::to_string(*condition)), code};
}

EndReason reason_of(websocket::End end, EndReason told) {
  switch (end) {
    case websocket::End::client_closed:
      return EndReason::client_terminated;
    case websocket::End::client_lost:
      return EndReason::client_lost;
    case websocket::End::client_stalled:
      return EndReason::client_stalled;
    case websocket::End::not_opened:
      return EndReason::not_opened;
    case websocket::End::bad_message:
      return EndReason::bad_request;
    case websocket::End::bad_frames:
      return EndReason::bad_frames;
    case websocket::End::message_too_large:
      return EndReason::request_too_large;
    case websocket::End::overactive:
      return EndReason::overactive;
    case websocket::End::told:
      break;
  }
  return told;
}

EndReason reason_of(xmpp::End end) {
  switch (end) {
    case xmpp::End::closed_by_server:
      return EndReason::server_closed;
    case xmpp::End::stream_error:
      return EndReason::server_stream_error;
    case xmpp::End::tls_refused:
      return EndReason::server_tls_failed;
    case xmpp::End::bad_xml:
      break;
  }
  return EndReason::server_bad_xml;
}

EndReason reason_of(bosh::End end, EndReason told) {
  switch (end) {
    case bosh::End::client_terminated:
      return EndReason::client_terminated;
    case bosh::End::inactive:
      return EndReason::inactive;
    case bosh::End::bad_request:
      return EndReason::bad_request;
    case bosh::End::rid_out_of_order:
      return EndReason::rid_out_of_order;
    case bosh::End::rid_missing:
      return EndReason::rid_missing;
    case bosh::End::bad_key:
      return EndReason::bad_key;
    case bosh::End::unknown_stream:
      return EndReason::unknown_stream;
    case bosh::End::overactive:
      return EndReason::overactive;
    case bosh::End::request_too_large:
      return EndReason::request_too_large;
    case bosh::End::upstream_stalled:
      return EndReason::server_stalled;
    case bosh::End::told:
      break;
  }
  return told;
}

}  // namespace boshd
