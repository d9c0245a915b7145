// SPDX-License-Identifier: MIT
// How the process gets its memory. Out of memory ends the process, whichever code or library
// asked for it.
#pragma once

namespace distributex {

// From now on a failed allocation ends the process with a line in the log: an allocation by
// operator new in any thread, by libevent, jansson or OpenSSL. Must be called before any of
// these libraries is used.
void end_when_out_of_memory();

// From now on all threads allocate from one heap. Must be called before a thread is started.
void use_one_heap();

}  // namespace distributex
