// SPDX-License-Identifier: MIT
// Whether a text is an address to listen on, for the rows of options that take
// one. Pure: resolves no name and opens nothing.
#pragma once

#include <string>
#include <string_view>

namespace distributex {

// What is wrong with the text, which is quoted; empty when it is one of
// ADDRESS:PORT, [V6ADDRESS]:PORT, *:PORT, all also with tls: before, and unix:/PATH.
[[nodiscard]] std::string check_listen_address(std::string_view text);

}  // namespace distributex
