// SPDX-License-Identifier: MIT
// Makes listening sockets, with their options set, from "address:port", "[v6]:port",
// "*:port" or "unix:/path"; the first three may have "tls:" before them. Knows no HTTP.
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

// Binds and listens. "*" binds all addresses, IPv6 and IPv4 (IPv4 alone on a machine
// without IPv6). [::1] yields no listener on a machine without IPv6; that is not a failure.
// A unix socket that no process listens on is replaced, another one is not. On failure
// returns one sentence that names the address and the reason.
[[nodiscard]] std::variant<std::vector<Listener>, std::string> open_listeners(
    const std::string& address);

// For every listener, bound here or inherited: sets the options that its connections
// inherit, and returns its name, "127.0.0.1:9889" or "unix:/path".
void tune_listener(int fd);
[[nodiscard]] std::string name_of_listener(int fd);

// Whether the address has a port or is a unix socket: "localhost" and "[::1]" lack a port.
[[nodiscard]] bool has_port(const std::string& address);

// The address with this port in place of its own, if it has one; a unix socket stays as it
// is.
[[nodiscard]] std::string with_port(const std::string& address, uint16_t port);

}  // namespace distributex
