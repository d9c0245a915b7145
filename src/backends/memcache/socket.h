// SPDX-License-Identifier: MIT
// Finds the socket inside libmemcached, which does not tell it. Another thread needs it to
// end a call that memcached draws out byte by byte, for the library's time limit starts
// anew with each byte.
#pragma once

#include <cstdint>
#include <string>

#include "base/handle.h"

namespace distributex {

// A duplicate of this process's connected socket with that local TCP port, or
// with that path at its other end; empty when there is none.
[[nodiscard]] Fd duplicate_socket(uint16_t local_port, const std::string& path);

}  // namespace distributex
