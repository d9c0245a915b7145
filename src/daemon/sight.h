// SPDX-License-Identifier: MIT
// Fills watch's views from the engine and the backend.
#pragma once

#include "backends/backend.h"
#include "daemon/groups.h"
#include "engine/engine.h"
#include "watch/sight.h"

namespace distributex {

// Borrows all of them, for as long as the sight is used.
[[nodiscard]] Sight make_sight(const Engine& engine, const Backend& backend, const Groups& groups);

}  // namespace distributex
