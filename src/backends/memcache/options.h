// SPDX-License-Identifier: MIT
// The options of the memcache backend; their rows are in options.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace distributex {

struct MemcacheOptions {
  std::string hosts;
  uint32_t port = 0;  // of hosts without one
  std::string prefix;
  std::chrono::milliseconds timeout{0};  // for one question to be answered
  std::chrono::milliseconds poll{0};     // between two looks at a full pool
};

}  // namespace distributex
