// SPDX-License-Identifier: MIT
// What happens when there is no memory left: the process ends, whoever asked
// for it.
#pragma once

namespace distributex {

// From now on an allocation that fails ends the process, with a word to the
// log: operator new's, in every thread, and those of libevent, jansson
// and OpenSSL. To be
// called before either library is used.
void end_when_out_of_memory();

}  // namespace distributex
