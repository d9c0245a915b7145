// SPDX-License-Identifier: MIT
// Listening sockets that the service manager opened and handed over (systemd's
// socket activation). They are its own: a path is not unlinked at our end, and
// whoever connects between two lives of the daemon waits in their line.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "http/listener.h"

namespace distributex {

// A TCP socket named tls (FileDescriptorName=) speaks TLS.
//
// LISTEN_FDS sockets from descriptor 3 on, if LISTEN_PID is this process; none
// otherwise. On failure one sentence: what was handed over does not listen.
// For the start, before anything else opens a descriptor or forks; the
// variables are gone afterwards.
[[nodiscard]] std::variant<std::vector<Listener>, std::string> inherited_listeners();

}  // namespace distributex
