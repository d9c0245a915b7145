// SPDX-License-Identifier: MIT
// Checks that a daemon works as before after trouble. No asserts here.
#pragma once

#include <stddef.h>

#include <string>

#include "support/daemon.h"

namespace distributex::test {

// What is wrong with a daemon that nobody uses any more; "" once it answers and
// is ready, has all slots of the pool free, gives each of them to a fresh client,
// no more than those, and takes them back, and has no more than so many
// descriptors open. Waits as long as patience lasts for what may take its time.
[[nodiscard]] std::string unrest(const Daemon& daemon, const std::string& pool, size_t slots,
                                 long open_files);

}  // namespace distributex::test
