// SPDX-License-Identifier: MIT
// The makers of all backends, one line each; backend.cpp has their names.
#pragma once

#include <memory>

#include "backends/backend.h"

namespace distributex {

[[nodiscard]] std::unique_ptr<Backend> make_inmemory_backend(const BackendSetup& setup);
[[nodiscard]] std::unique_ptr<Backend> make_memcache_backend(const BackendSetup& setup);
[[nodiscard]] std::unique_ptr<Backend> make_sqlite_backend(const BackendSetup& setup);

}  // namespace distributex
