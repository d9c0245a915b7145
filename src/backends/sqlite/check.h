// SPDX-License-Identifier: MIT
// A look at a store that no daemon has open, for people and for scripts.
#pragma once

#include <string>

namespace distributex {

struct StoreReport {
  int exit_code = 0;  // sysexits.h
  std::string text;   // lines for people, or one JSON object
};

// What is in it, and whether it is whole. The store stays as it is.
[[nodiscard]] StoreReport check_store(const std::string& path, bool as_json);

}  // namespace distributex
