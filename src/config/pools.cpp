// SPDX-License-Identifier: MIT
// An option of a pool is one row here and a member of PoolSpec. The manual page
// and the sample describe it, which a check asks for. A reload changes all of them.
#include "config/pools.h"

#include "config/slot.h"
#include "lock/words.h"

namespace distributex {
namespace {

// clang-format off
constexpr Option rows[] = {
    // pool options begin
    {"name", text<&PoolSpec::name>(1, 255), nullptr, Reload::takes_effect,
     "what clients call the pool"},
    {"expire", in_seconds<&PoolSpec::expire>(0, 2147483647), "1800", Reload::takes_effect,
     "how long a lease lasts; 0: for ever"},
    {"maxlocks", number<&PoolSpec::maxlocks>(1, 1000000), "1", Reload::takes_effect,
     "how many may hold a lock at a time"},
    {"servers", hosts<&PoolSpec::servers>(
         "host names with commas between, or a list of them; without this key every host may ask"),
     "", Reload::takes_effect, "the hosts that may take a lock"},
    // pool options end
};
// clang-format on

}  // namespace

constinit const Items pool_items{"pool", rows};

}  // namespace distributex
