// SPDX-License-Identifier: MIT
// The first bytes of a TLS client.
#pragma once

#include <string>

namespace distributex::test {

// What a client that speaks this version (TLS1_3_VERSION) and no other begins with.
[[nodiscard]] std::string client_hello(int version);

}  // namespace distributex::test
