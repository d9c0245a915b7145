// SPDX-License-Identifier: MIT
// A report about a store that no daemon has open, for people or for scripts.
#pragma once

#include <string>

namespace distributex {

struct StoreReport {
  int exit_code = 0;  // sysexits.h
  std::string text;   // lines for people, or one JSON object
};

// Reports what is in the store and whether it is whole; does not change it.
[[nodiscard]] StoreReport check_store(const std::string& path, bool as_json);

}  // namespace distributex
