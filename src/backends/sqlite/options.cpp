// SPDX-License-Identifier: MIT
// The backend reads its options once, when it is made. A reload does not change them: the
// store stays open, and the time limit stays the same.
#include "backends/sqlite/options.h"

#include "backends/makers.h"
#include "config/slot.h"

namespace distributex {
namespace {

// clang-format off
constexpr Option rows[] = {
    // options begin
    {"sqlitefile", text<&SqliteOptions::file>(1, 1024), "/var/lib/distributex/locks.db",
     Reload::needs_restart, "the store"},
    {"sqlitetimeout", in_milliseconds<&SqliteOptions::timeout>(100, 60000), "2000",
     Reload::needs_restart, "for the disk to take a change"},
    // options end
};
// clang-format on

}  // namespace

OptionRows sqlite_options() { return rows; }

}  // namespace distributex
