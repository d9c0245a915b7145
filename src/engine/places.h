// SPDX-License-Identifier: MIT
// The places of owners who left the line of a pool without its lock. An owner
// that comes back soon stands where it stood: a proxy that cuts a long wait
// after some seconds must not send its client to the end of the line each time.
// A remembered place holds nothing up; it only says where to stand again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "lock/words.h"

namespace distributex {

using Turn = uint64_t;  // rises with each arrival; whoever has the lower one stands before

class Places {
 public:
  // Remembers the place until then, the better one if there is one already; at most
  // so many, of which the one that ends first goes first.
  void keep(const Owner& owner, Turn turn, Time until, size_t most, Time now);
  // The place of an owner that comes back, forgotten here.
  [[nodiscard]] std::optional<Turn> take(const Owner& owner, Time now);
  [[nodiscard]] std::optional<Turn> find(const Owner& owner, Time now) const;
  // Whose time is over, or who has the lock, needs no place any more.
  void forget_old(Time now);
  void forget(const Owner& owner);
  void clear();

 private:
  struct Place {
    Owner owner;
    Turn turn;
  };
  using Order = std::multimap<Time, Place>;  // by their ends

  void erase(Order::iterator place);

  Order order_;
  std::map<Owner, Order::iterator> by_owner_;
};

}  // namespace distributex
