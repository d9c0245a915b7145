// SPDX-License-Identifier: MIT
// Words to the service manager (systemd's sd_notify protocol, which
// start-stop-daemon --notify-await speaks as well): one datagram to the socket
// that NOTIFY_SOCKET names. Without that variable all of it does nothing.
#pragma once

#include <optional>
#include <string_view>

#include "lock/words.h"

namespace distributex {

// Whether somebody listens.
[[nodiscard]] bool has_service_manager();

// Assignments, one a line: "READY=1", "STATUS=...". What cannot be delivered is
// lost: a manager that does not listen any more needs no word.
void tell_service_manager(std::string_view assignments);

// How often at least the manager wants to hear WATCHDOG=1 (twice as often as
// the time after which it acts); nothing: not at all.
[[nodiscard]] std::optional<Duration> watchdog_interval();

// The start has failed: the reason in words, and the error number by which the
// manager knows it. Without it start-stop-daemon waits its whole time.
void tell_start_failed(int error, std::string_view why);

}  // namespace distributex
