// SPDX-License-Identifier: MIT
// A calm: every client stands still, what they left behind ends, and then each
// daemon must look as it did in the first calm.
#pragma once

#include <string>
#include <vector>

#include "cast.h"
#include "faults.h"
#include "figures.h"

namespace distributex::soak {

class Calms {
 public:
  Calms(World& world, Cast& cast, Faults& faults) : world_(world), cast_(cast), faults_(faults) {}
  void have_one();
  // The first calm, the last one, and what was counted.
  void print_table() const;

 private:
  struct Seat {  // one daemon's figures
    std::string name;
    bool keeps_count;  // it counts grants and ends of the same locks
    Figures first;
    Figures last;
  };
  void judge(Service& service, size_t index, size_t seat);
  Figures when_quiet(Service& service, size_t index);
  void let_go_of_all(Service& service);

  World& world_;
  Cast& cast_;
  Faults& faults_;
  std::vector<Seat> seats_;
  size_t count_ = 0;
};

}  // namespace distributex::soak
