// SPDX-License-Identifier: MIT
//
// Which descriptors the command inherits: those that were open when the client was started. All
// others, also those that a library opened, are closed before the command runs.
#pragma once

#include <vector>

namespace distributex::client {

class Descriptors {
 public:
  // Make it before anything else opens a descriptor.
  Descriptors();
  // Lets exec close every descriptor that is open now and was not open at the start.
  void protect() const;

 private:
  std::vector<int> inherited_;
};

}  // namespace distributex::client
