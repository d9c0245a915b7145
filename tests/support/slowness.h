// SPDX-License-Identifier: MIT
// How much longer a program takes that a sanitizer slows down: for leases that it has
// to renew in time, and for limits above a test's usual patience.
#pragma once

#include "support/test.h"

namespace distributex::test {

inline constexpr int slowness = sanitized ? 5 : 1;

}  // namespace distributex::test
