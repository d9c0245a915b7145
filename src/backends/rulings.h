// SPDX-License-Identifier: MIT
// The freezes that stand, in this process's memory: which pool is frozen, and
// which freeze ends next. A backend that also stores freezes elsewhere fills this
// from its store. Decides nothing about leases.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lock/words.h"

namespace distributex {

class Rulings {
 public:
  static constexpr size_t freezes_max = 1000;
  static constexpr const char* too_many_freezes =
      "there are already 1000 freezes: thaw some, or freeze a pattern";

  // Adds a freeze, or replaces the one of the same name; false if there are too many.
  bool freeze(Freeze freeze);
  [[nodiscard]] bool has_room(std::string_view pool) const {
    return freezes_.size() < freezes_max || freezes_.contains(pool);
  }
  // Ends all freezes whose names match the name or pattern, and returns them.
  std::vector<Freeze> thaw(std::string_view pool);
  // Ends the freeze of exactly that name.
  std::optional<Freeze> lift(std::string_view pool);
  // Ends all freezes whose time is over, and returns them.
  std::vector<Freeze> end_due(Time now);
  [[nodiscard]] std::optional<Time> first_end() const { return first_end_; }

  // Returns the freeze that holds for a pool: the one of the pool's name, else the one of
  // the first matching pattern in name order. Walks all freezes only if one is a pattern.
  [[nodiscard]] const Freeze* find(std::string_view pool) const;
  [[nodiscard]] std::vector<Freeze> all() const;
  [[nodiscard]] bool empty() const { return freezes_.empty(); }

 private:
  // Ends all freezes for which chosen() is true.
  template <typename Chosen>
  std::vector<Freeze> end(Chosen chosen);
  void count();

  std::map<std::string, Freeze, std::less<>> freezes_;
  size_t patterns_ = 0;  // how many of freezes_ are patterns
  std::optional<Time> first_end_;
};

// The freeze that an order asks for.
[[nodiscard]] Freeze freeze_of(const Order& order, Time now);
// What to announce of a freeze that begins or ends.
[[nodiscard]] Happening frozen_by(const Freeze& freeze);
// by: who thawed the freeze; empty: its time is over.
[[nodiscard]] Happening thawed_by(const Freeze& freeze, const std::string& by);

}  // namespace distributex
