// SPDX-License-Identifier: MIT
// What a backend tells about the store outside this process that keeps its leases.
#pragma once

#include <optional>
#include <string>

namespace distributex {

struct StoreState {
  std::string address;                   // of the member that the backend uses now
  std::optional<std::string> trouble{};  // in one line; nullopt: the store works
};

}  // namespace distributex
