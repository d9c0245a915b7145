// SPDX-License-Identifier: MIT
// Out of memory ends the process, whichever code or library asked for the memory.
#pragma once

namespace distributex {

// From now on a failed allocation ends the process with a line in the log: an allocation by
// operator new in any thread, by libevent, jansson or OpenSSL. Must be called before any of
// these libraries is used.
void end_when_out_of_memory();

}  // namespace distributex
