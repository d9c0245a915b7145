// SPDX-License-Identifier: MIT
// If a command got no answer, memcached may carry it out after the look that follows, so one
// look that finds nothing proves nothing.
#include "backends/memcache/leftovers.h"

#include <utility>

namespace distributex {

namespace {

constexpr size_t leftovers_max = 10000;
// Looks, a second apart. A claim that memcached adds late dies after ten seconds.
constexpr int tries_max = 12;

}  // namespace

std::optional<Leftover> leftover_of(const SlotAnswer& answer, bool heard, const PoolRef& pool,
                                    const std::string& nonce) {
  const bool late = !heard && answer.kind == Verdict::Kind::granted;
  const bool doubtful = answer.kind == Verdict::Kind::failed && answer.unsure;
  if (!late && !doubtful) {
    return std::nullopt;
  }
  return Leftover{pool, nonce, {}};
}

void MemcacheLeftovers::keep(Leftover leftover) {
  if (all_.size() < leftovers_max) {
    all_.push_back(std::move(leftover));
  }
}

void MemcacheLeftovers::settle(Leftover leftover) {
  if (!is_settled(leftover)) {
    keep(std::move(leftover));
  }
}

void MemcacheLeftovers::settle_all(const std::function<bool()>& goes_on) {
  for (Leftover& leftover : std::exchange(all_, {})) {
    if (goes_on()) {
      settle(std::move(leftover));
    } else {
      keep(std::move(leftover));
    }
  }
}

bool MemcacheLeftovers::is_settled(Leftover& leftover) {
  if (leftover.release) {
    const auto kind = slots_.release(*leftover.release, leftover.pool.width).kind;
    if (kind == Verdict::Kind::released) {
      freed_(leftover.pool.name);
    }
    return kind != Verdict::Kind::failed;
  }
  switch (slots_.give_back(leftover.pool, leftover.nonce)) {
    case MemcacheSlots::Undone::gone:
      freed_(leftover.pool.name);
      return true;
    case MemcacheSlots::Undone::absent:
      return ++leftover.tries >= tries_max;
    case MemcacheSlots::Undone::failed:
      return false;
  }
  return true;
}

}  // namespace distributex
