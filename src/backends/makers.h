// SPDX-License-Identifier: MIT
// What table.cpp needs of each backend: a function that makes it, and its options if it
// has any.
#pragma once

#include <memory>

#include "backends/backend.h"
#include "config/option.h"

namespace distributex {

[[nodiscard]] std::unique_ptr<Backend> make_inmemory_backend(const BackendSetup& setup);
[[nodiscard]] std::unique_ptr<Backend> make_memcache_backend(const BackendSetup& setup);
[[nodiscard]] std::unique_ptr<Backend> make_sqlite_backend(const BackendSetup& setup);
[[nodiscard]] std::unique_ptr<Backend> make_etcd_backend(const BackendSetup& setup);

[[nodiscard]] OptionRows memcache_options();
[[nodiscard]] OptionRows sqlite_options();
[[nodiscard]] OptionRows etcd_options();

}  // namespace distributex
