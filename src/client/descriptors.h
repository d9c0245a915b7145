// SPDX-License-Identifier: MIT
//
// Which descriptors are the command's: those that were open when we were started. All others are
// ours, also those that a library opened, and must not reach it.
#pragma once

#include <vector>

namespace distributex::client {

class Descriptors {
 public:
  // Make it before anything else opens a descriptor.
  Descriptors();
  // Marks all that are ours now to be closed by exec.
  void protect() const;

 private:
  std::vector<int> inherited_;
};

}  // namespace distributex::client
