// SPDX-License-Identifier: MIT
// The options of a pool, one row each in pools.cpp. Their values go into PoolSpec.
#pragma once

#include "config/option.h"

namespace distributex {

extern const Items pool_items;

}  // namespace distributex
