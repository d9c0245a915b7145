// SPDX-License-Identifier: MIT
// Checks addresses to listen on, for options that take one. Pure: resolves no name and
// opens no socket.
#pragma once

#include <string>
#include <string_view>

namespace distributex {

// Returns what is wrong, beginning with the text in quotes. Empty: the text is one of
// ADDRESS:PORT, [V6ADDRESS]:PORT, *:PORT, each perhaps with tls: before it, or unix:/PATH.
[[nodiscard]] std::string check_listen_address(std::string_view text);

// The same for the command line, where the port may be left out, and where the name of a host
// may stand in place of a numeric address.
[[nodiscard]] std::string check_listen_argument(std::string_view text);

}  // namespace distributex
