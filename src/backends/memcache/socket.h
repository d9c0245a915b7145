// SPDX-License-Identifier: MIT
// The socket inside libmemcached, which has no way to tell it: so that another
// thread can end a call that memcached draws out byte by byte (the library's
// time limit starts anew with each).
#pragma once

#include <cstdint>
#include <string>

#include "base/handle.h"

namespace distributex {

// A duplicate of this process's connected socket with that local TCP port, or
// with that path at its other end; empty when there is none.
[[nodiscard]] Fd duplicate_socket(uint16_t local_port, const std::string& path);

}  // namespace distributex
