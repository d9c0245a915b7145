// SPDX-License-Identifier: MIT
// The freezes that stand, in this process's memory: which pool is frozen, and
// which freeze ends next. A backend that keeps them elsewhere as well fills it
// from there. Decides nothing about leases.
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
      "1000 freezes stand already: thaw some, or freeze a pattern";

  // Puts one in the place of that of the same name; false when there are too many.
  bool freeze(Freeze freeze);
  [[nodiscard]] bool has_room(std::string_view pool) const {
    return freezes_.size() < freezes_max || freezes_.contains(pool);
  }
  // Ends those whose names the name or pattern matches, and says which.
  std::vector<Freeze> thaw(std::string_view pool);
  // Ends the one of exactly that name.
  std::optional<Freeze> lift(std::string_view pool);
  // Ends those whose time is over, and says which.
  std::vector<Freeze> end_due(Time now);
  [[nodiscard]] std::optional<Time> first_end() const { return first_end_; }

  // The freeze that a pool stands under: that of its name, or of the first pattern
  // by name. Costs little while there are few patterns.
  [[nodiscard]] const Freeze* find(std::string_view pool) const;
  [[nodiscard]] std::vector<Freeze> all() const;
  [[nodiscard]] bool empty() const { return freezes_.empty(); }

 private:
  // Ends all that are chosen.
  template <typename Chosen>
  std::vector<Freeze> end(Chosen chosen);
  void count();

  std::map<std::string, Freeze, std::less<>> freezes_;
  size_t patterns_ = 0;  // among them
  std::optional<Time> first_end_;
};

// The freeze that an order asks for.
[[nodiscard]] Freeze freeze_of(const Order& order, Time now);
// What there is to tell of a freeze that begins or ends.
[[nodiscard]] Happening frozen_by(const Freeze& freeze);
// by: who thawed it; empty: nobody, its time is over.
[[nodiscard]] Happening thawed_by(const Freeze& freeze, const std::string& by);

}  // namespace distributex
