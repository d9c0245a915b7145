// SPDX-License-Identifier: MIT
// All data types of the lock service, which every other folder uses. Plain data without
// decisions.
#pragma once

#include "lock/answer.h"    // IWYU pragma: export
#include "lock/command.h"   // IWYU pragma: export
#include "lock/identity.h"  // IWYU pragma: export
#include "lock/lease.h"     // IWYU pragma: export
#include "lock/note.h"      // IWYU pragma: export
#include "lock/question.h"  // IWYU pragma: export
#include "lock/ruling.h"    // IWYU pragma: export
