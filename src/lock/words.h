// SPDX-License-Identifier: MIT
// All words of the lock service, which every other room shares. Plain data:
// nothing here decides.
#pragma once

#include "lock/answer.h"    // IWYU pragma: export
#include "lock/command.h"   // IWYU pragma: export
#include "lock/identity.h"  // IWYU pragma: export
#include "lock/lease.h"     // IWYU pragma: export
#include "lock/note.h"      // IWYU pragma: export
#include "lock/question.h"  // IWYU pragma: export
#include "lock/ruling.h"    // IWYU pragma: export
