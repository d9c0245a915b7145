// SPDX-License-Identifier: MIT
// The options of a pool, one row each in pools.cpp; the struct is PoolSpec.
#pragma once

#include "config/option.h"

namespace distributex {

extern const Items pool_items;

}  // namespace distributex
