// SPDX-License-Identifier: MIT
// The log lines of what happens to locks: one line a grant, refusal, release,
// renewal and expiry. What a client sent is escaped.
#pragma once

#include <string>

#include "engine.h"
#include "pool.h"

namespace distributex {

void log_answer(const Answered& answered, Time now);
void log_expiry(const std::string& pool, const Lease& lease);

}  // namespace distributex
