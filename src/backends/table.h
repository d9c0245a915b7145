// SPDX-License-Identifier: MIT
// Which backends there are, by name. A new one is a row in table.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "backends/backend.h"
#include "config/option.h"

namespace distributex {

struct BackendKind {
  std::string_view name;
  std::unique_ptr<Backend> (*make)(const BackendSetup&);
  OptionRows (*options)();
  bool forgets = false;  // its leases end with this process
};

[[nodiscard]] std::span<const BackendKind> backend_kinds();
// The names in the same order: the values of the option "backend".
[[nodiscard]] std::span<const std::string_view> backend_names();
// Returns nullptr if no backend has that name.
[[nodiscard]] const BackendKind* find_backend(std::string_view name);

}  // namespace distributex
