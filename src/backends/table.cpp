// SPDX-License-Identifier: MIT
// The table from a backend's name to its maker. A new backend is one row.
#include "backends/backend.h"

#include <algorithm>
#include <iterator>

#include "backends/makers.h"
#include "config/config.h"

namespace distributex {

namespace {

struct Row {
  std::string_view name;
  std::unique_ptr<Backend> (*make)(const BackendSetup&);
};

constexpr Row backends[] = {
    {"inmemory", make_inmemory_backend},
    {"memcache", make_memcache_backend},
    {"sqlite", make_sqlite_backend},
};

}  // namespace

std::unique_ptr<Backend> make_backend(const BackendSetup& setup) {
  const auto row = std::find_if(std::begin(backends), std::end(backends),
                                [&](const Row& r) { return r.name == setup.config.backend; });
  return row == std::end(backends) ? nullptr : row->make(setup);
}

}  // namespace distributex
