// SPDX-License-Identifier: MIT
// What a backend says of the store outside this process that keeps its leases.
#pragma once

#include <optional>
#include <string>

namespace distributex {

struct StoreState {
  std::string address;                   // of the member that is asked now
  std::optional<std::string> trouble{};  // in one line; nothing: it is well
};

}  // namespace distributex
