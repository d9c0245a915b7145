// SPDX-License-Identifier: MIT
// Each place lasts for the same time, so the list in the order of keeping is in
// the order of the ends as well.
#include "engine/places.h"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace distributex {

namespace {

// The pauses of the client between two attempts are at most 7.5 s.
constexpr auto remembered_for = std::chrono::seconds{10};

}  // namespace

void Places::keep(const Owner& owner, Turn turn, size_t most, Time now) {
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
  order_.push_back({.owner = owner, .turn = turn, .until = now + remembered_for});
  by_owner_.emplace(owner, std::prev(order_.end()));
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
  if (it == by_owner_.end() || it->second->until <= now) {
    return std::nullopt;
  }
  return it->second->turn;
}

void Places::forget_old(Time now) {
  while (!order_.empty() && order_.front().until <= now) {
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
  by_owner_.erase(place->owner);
  order_.erase(place);
}

}  // namespace distributex
