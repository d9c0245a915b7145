// SPDX-License-Identifier: MIT
// Tests that run over every backend: each test gets a BackendBench of its own, with
// keys or a store that no other has.
#pragma once

#include <span>
#include <string>

#include "support/bench.h"
#include "support/test.h"

namespace distributex::test {

inline BackendBench& bench(void** state) { return *static_cast<BackendBench*>(*state); }
inline std::string name(const Verdict& verdict) { return BackendBench::name_of(verdict); }

// Lines of the configuration; new keys in the shared memcached and etcd, and a new store, each
// time.
[[nodiscard]] std::string memcache_options();
[[nodiscard]] std::string sqlite_options();
[[nodiscard]] std::string etcd_options();

// Runs the tests once over each backend (etcd only where it is installed), and then
// the others, which make their own benches. Returns how many failed.
[[nodiscard]] int run_over_backends(std::span<const CMUnitTest> tests,
                                    std::span<const CMUnitTest> others = {});

}  // namespace distributex::test
