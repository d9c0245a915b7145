// SPDX-License-Identifier: MIT
// libevent reports a refusal only by event_add()'s result. Code that ignores the result
// waits for an event that never comes.
#include "base/event.h"

#include <sysexits.h>

#include <cstdlib>

#include "base/log.h"

namespace distributex {

void must_add(event* awaited) {
  if (event_add(awaited, nullptr) == 0) {
    return;
  }
  log_flush();
  log_last_word("the system refuses to watch a descriptor or a signal");
  std::_Exit(EX_OSERR);
}

}  // namespace distributex
