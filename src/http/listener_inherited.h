// SPDX-License-Identifier: MIT
// Listening sockets that the service manager opened and handed over (systemd's socket
// activation). The service manager owns them: the daemon does not unlink the path of a unix
// socket, and a client that connects while the daemon restarts waits in the backlog.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "http/listener.h"

namespace distributex {

// Returns the LISTEN_FDS sockets from descriptor 3 on, if LISTEN_PID is this process; none
// otherwise. A TCP socket named tls (FileDescriptorName=) speaks TLS. On failure returns
// one sentence: LISTEN_FDS is no number, or a descriptor does not listen. Must be called
// before the process opens a descriptor or forks. Removes the variables from the
// environment.
[[nodiscard]] std::variant<std::vector<Listener>, std::string> inherited_listeners();

}  // namespace distributex
