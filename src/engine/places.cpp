// SPDX-License-Identifier: MIT
// order_ has the places in the order of their ends; by_owner_ points into it.
#include "engine/places.h"

#include <algorithm>

namespace distributex {

void Places::keep(const Owner& owner, Turn turn, Time until, size_t most, Time now) {
  forget_old(now);
  if (const auto known = take(owner, now)) {
    turn = std::min(turn, *known);
  }
  while (!order_.empty() && order_.size() >= most) {
    erase(order_.begin());
  }
  if (most == 0) {
    return;
  }
  by_owner_.emplace(owner, order_.emplace(until, Place{.owner = owner, .turn = turn}));
}

std::optional<Turn> Places::take(const Owner& owner, Time now) {
  const std::optional<Turn> turn = find(owner, now);
  forget(owner);
  return turn;
}

std::optional<Turn> Places::find(const Owner& owner, Time now) const {
  if (order_.empty()) {
    return std::nullopt;
  }
  const auto it = by_owner_.find(owner);
  if (it == by_owner_.end() || it->second->first <= now) {
    return std::nullopt;
  }
  return it->second->second.turn;
}

void Places::forget_old(Time now) {
  while (!order_.empty() && order_.begin()->first <= now) {
    erase(order_.begin());
  }
}

void Places::forget(const Owner& owner) {
  if (order_.empty()) {
    return;
  }
  if (const auto it = by_owner_.find(owner); it != by_owner_.end()) {
    erase(it->second);
  }
}

void Places::clear() {
  by_owner_.clear();
  order_.clear();
}

void Places::erase(Order::iterator place) {
  by_owner_.erase(place->second.owner);
  order_.erase(place);
}

}  // namespace distributex
