// What systemd is told of the daemon, if it has started it (sd_notify(3)). Does nothing otherwise.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace boshd::service_manager {

/// Whether anybody listens.
bool is_there();
/// `status`: a sentence for people.
void tell_ready(std::string_view status);
void tell_reloading();
void tell_stopping(std::string_view status);
void tell_status(std::string_view status);
/// What goes on now may take so long.
void ask_for_time(std::chrono::seconds);

/// So often at least it wants to be fed, or it kills the process; none: it doesn't watch.
std::optional<std::chrono::microseconds> watchdog_interval();
void feed_watchdog();

}  // namespace boshd::service_manager
