// SPDX-License-Identifier: MIT
// The options of the sqlite backend; their rows are in options.cpp.
#pragma once

#include <chrono>
#include <string>

namespace distributex {

struct SqliteOptions {
  std::string file;                      // the store
  std::chrono::milliseconds timeout{0};  // for the disk to take a change
};

}  // namespace distributex
