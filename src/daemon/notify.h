// SPDX-License-Identifier: MIT
// Messages to the service manager by systemd's sd_notify protocol, which
// start-stop-daemon --notify-await speaks as well: one datagram to the socket
// that NOTIFY_SOCKET names. Without that variable these functions do nothing.
#pragma once

#include <optional>
#include <string_view>

#include "lock/words.h"

namespace distributex {

// Whether NOTIFY_SOCKET names a service manager.
[[nodiscard]] bool has_service_manager();

// Sends assignments, one a line: "READY=1", "STATUS=...". Ignores failures: a manager that
// does not listen any more needs no message.
void tell_service_manager(std::string_view assignments);

// The interval at which to send WATCHDOG=1: half the time after which the manager acts.
// nullopt: the manager wants none.
[[nodiscard]] std::optional<Duration> watchdog_interval();

// Tells that the start has failed: the reason in words, and an errno. Without this message
// start-stop-daemon would wait until its time limit.
void tell_start_failed(int error, std::string_view why);

}  // namespace distributex
