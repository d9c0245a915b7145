// SPDX-License-Identifier: MIT
// libevent reports a refusal by a return value alone; who goes on with it waits for
// what never comes.
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
