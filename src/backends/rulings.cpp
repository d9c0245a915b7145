// SPDX-License-Identifier: MIT
// Names and patterns (with a '*') are in the same map; find() looks up the pool's own
// name before it tries the patterns.
#include "backends/rulings.h"

#include <algorithm>
#include <utility>

#include "base/pattern.h"

namespace distributex {

bool Rulings::freeze(Freeze freeze) {
  const auto it = freezes_.find(freeze.pool);
  if (it == freezes_.end() && freezes_.size() >= freezes_max) {
    return false;
  }
  std::string name = freeze.pool;
  freezes_.insert_or_assign(std::move(name), std::move(freeze));
  count();
  return true;
}

template <typename Chosen>
std::vector<Freeze> Rulings::end(Chosen chosen) {
  std::vector<Freeze> ended;
  for (auto it = freezes_.begin(); it != freezes_.end();) {
    if (!chosen(it->second)) {
      ++it;
      continue;
    }
    ended.push_back(std::move(it->second));
    it = freezes_.erase(it);
  }
  count();
  return ended;
}

std::vector<Freeze> Rulings::thaw(std::string_view pool) {
  return end([pool](const Freeze& each) {
    return each.pool == pool || (is_pattern(pool) && matches(pool, each.pool));
  });
}

std::optional<Freeze> Rulings::lift(std::string_view pool) {
  auto ended = end([pool](const Freeze& each) { return each.pool == pool; });
  return ended.empty() ? std::nullopt : std::optional{std::move(ended.front())};
}

std::vector<Freeze> Rulings::end_due(Time now) {
  if (!first_end_ || *first_end_ > now) {
    return {};
  }
  return end([now](const Freeze& each) { return each.until && *each.until <= now; });
}

// Recomputes patterns_ and first_end_ after each change, for they are read far more often.
void Rulings::count() {
  patterns_ = 0;
  first_end_.reset();
  for (const auto& [name, freeze] : freezes_) {
    patterns_ += is_pattern(name) ? 1U : 0U;
    if (freeze.until && (!first_end_ || *freeze.until < *first_end_)) {
      first_end_ = freeze.until;
    }
  }
}

const Freeze* Rulings::find(std::string_view pool) const {
  if (freezes_.empty()) {
    return nullptr;
  }
  const auto own = freezes_.find(pool);
  if (own != freezes_.end() || patterns_ == 0) {
    return own == freezes_.end() ? nullptr : &own->second;
  }
  const auto it = std::find_if(freezes_.begin(), freezes_.end(), [&](const auto& each) {
    return is_pattern(each.first) && matches(each.first, pool);
  });
  return it == freezes_.end() ? nullptr : &it->second;
}

std::vector<Freeze> Rulings::all() const {
  std::vector<Freeze> all;
  for (const auto& [name, freeze] : freezes_) {
    all.push_back(freeze);
  }
  return all;
}

Freeze freeze_of(const Order& order, Time now) {
  return {.pool = order.pool,
          .reason = order.reason,
          .by = order.by,
          .since = now,
          .until = order.lasts ? std::optional{now + *order.lasts} : std::nullopt};
}

Happening frozen_by(const Freeze& freeze) {
  Happening happening{.kind = Happening::Kind::frozen,
                      .pool = freeze.pool,
                      .reason = freeze.reason,
                      .by = freeze.by};
  if (freeze.until) {
    happening.lasts = *freeze.until - freeze.since;
  }
  return happening;
}

Happening thawed_by(const Freeze& freeze, const std::string& by) {
  return {.kind = Happening::Kind::thawed,
          .pool = freeze.pool,
          .reason = by.empty() ? "its time is over" : freeze.reason,
          .by = by};
}

}  // namespace distributex
