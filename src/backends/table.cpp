// SPDX-License-Identifier: MIT
// The rows: a backend's name, its maker and its options.
#include "backends/table.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "backends/makers.h"

namespace distributex {

namespace {

OptionRows no_options() { return {}; }

constexpr BackendKind kinds[] = {
    {"inmemory", make_inmemory_backend, no_options, true},
    {"memcache", make_memcache_backend, memcache_options},
    {"sqlite", make_sqlite_backend, sqlite_options},
    {"etcd", make_etcd_backend, etcd_options},
};

constexpr auto names = [] {
  std::array<std::string_view, std::size(kinds)> all;
  std::transform(std::begin(kinds), std::end(kinds), all.begin(),
                 [](const BackendKind& kind) { return kind.name; });
  return all;
}();

}  // namespace

std::span<const BackendKind> backend_kinds() { return kinds; }

std::span<const std::string_view> backend_names() { return names; }

const BackendKind* find_backend(std::string_view name) {
  const auto kind = std::find_if(std::begin(kinds), std::end(kinds),
                                 [&](const BackendKind& each) { return each.name == name; });
  return kind == std::end(kinds) ? nullptr : kind;
}

}  // namespace distributex
