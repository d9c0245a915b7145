// SPDX-License-Identifier: MIT
// Spoilt requests: seeds that are mixed and changed at random, and the order in which their
// pieces are sent over several connections at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http_steps.h"
#include "support/choices.h"

namespace distributex::fuzz {

using test::Choices;

class Mutator {
 public:
  Mutator(std::vector<std::string> seeds, uint64_t seed) : seeds_(std::move(seeds)), dice_(seed) {}

  // The steps before one look at the daemon; the last one is a check.
  [[nodiscard]] Steps batch();

 private:
  [[nodiscard]] std::string bytes();
  [[nodiscard]] Steps connection();

  std::vector<std::string> seeds_;
  Choices dice_;
  unsigned connections_ = 0;
  std::vector<unsigned> left_open_;
};

}  // namespace distributex::fuzz
