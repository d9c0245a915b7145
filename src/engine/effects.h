// SPDX-License-Identifier: MIT
// The queue of what the engine wants done, in order. An effect is made inside its list
// node and stays there until it has been carried out; then the node is used again. So no
// effect is moved, and no node is allocated while the spare ones suffice.
#pragma once

#include <cstddef>
#include <list>
#include <variant>

#include "lock/words.h"

namespace distributex {

using Effect = std::variant<Answered, Acquire, Release, Renew, Order>;

class Effects {
 public:
  template <typename Kind>
  Kind& add() {
    if (spare_.empty()) {
      spare_.emplace_back();
    }
    due_.splice(due_.end(), spare_, spare_.begin());
    return due_.back().emplace<Kind>();
  }
  [[nodiscard]] bool empty() const { return due_.empty(); }
  [[nodiscard]] Effect& first() { return due_.front(); }
  void drop_first() {
    if (spare_.size() < most_spare) {
      spare_.splice(spare_.begin(), due_, due_.begin());
    } else {
      due_.pop_front();
    }
  }

 private:
  static constexpr size_t most_spare = 64;

  std::list<Effect> due_;
  std::list<Effect> spare_;
};

}  // namespace distributex
