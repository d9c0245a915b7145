// SPDX-License-Identifier: MIT
// The places of owners that left the line of a pool without its lock. An owner that comes
// back soon gets its old place: a proxy that cuts a long wait after some seconds must not
// send its client to the end of the line each time. A remembered place delays no waiter;
// it only says where the owner joins the line again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "lock/words.h"

namespace distributex {

using Turn = uint64_t;  // rises with each arrival; the waiter with the lower turn goes first

class Places {
 public:
  // Remembers the owner's place until then; if the owner has a place already, the lower
  // turn counts. At most `most` places are kept: those that end first are dropped.
  void keep(const Owner& owner, Turn turn, Time until, size_t most, Time now);
  // Returns the place of an owner that comes back, and forgets it.
  [[nodiscard]] std::optional<Turn> take(const Owner& owner, Time now);
  [[nodiscard]] std::optional<Turn> find(const Owner& owner, Time now) const;
  // Drops the places whose time is over.
  void forget_old(Time now);
  // For an owner that has got the lock.
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
