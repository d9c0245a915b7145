// SPDX-License-Identifier: MIT
// Listening sockets: from "address:port", "[v6]:port", "*:port" or "unix:/path", the
// first three also with "tls:" before them,
// to descriptors that listen, with their options set. Knows no HTTP.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/handle.h"

namespace distributex {

struct Listener {
  Fd fd;
  std::string address;    // as bound, with the port that the kernel chose
  std::string unix_path;  // of a unix socket, to be unlinked at the end
  bool tls = false;
};

// Binds and listens. "*" binds all addresses, IPv6 and IPv4 (or IPv4 alone
// where there is no IPv6). [::1] yields no listener on a machine without IPv6, whose
// other addresses must do. A stale unix socket is replaced, a live one is not. On
// failure one sentence that names the address and the reason.
[[nodiscard]] std::variant<std::vector<Listener>, std::string> open_listeners(
    const std::string& address);

// What every listener of ours has, whoever bound it: the options for its
// connections, and a name: "127.0.0.1:9889", "unix:/path".
void tune_listener(int fd);
[[nodiscard]] std::string name_of_listener(int fd);

// Whether an address says where: "localhost" and "[::1]" lack a port.
[[nodiscard]] bool has_port(const std::string& address);

// The same address with this port, whether it had one or not.
[[nodiscard]] std::string with_port(const std::string& address, uint16_t port);

}  // namespace distributex
