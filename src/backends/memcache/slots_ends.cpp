// SPDX-License-Identifier: MIT
// Ends leases that their holders do not give back: by time, because their client was not
// told, or by an operator. As in slots.cpp, an item is removed only if it is still the one
// that was read.
#include <algorithm>

#include "backends/memcache/slots.h"

namespace distributex {

// The rest that closes the slot after its lease was released, or ended otherwise; nullopt:
// none.
std::optional<SlotLease> MemcacheSlots::rest_of(const SlotLease& lease, bool released) const {
  const uint64_t now = commands_.shared_us();
  const auto us = [](std::chrono::seconds delay) {
    return static_cast<uint64_t>(std::chrono::microseconds(delay).count());
  };
  // The clock of the server that granted the lease may be ahead.
  const uint64_t held = std::min(lease.granted_us, now) + us(delays_.min_hold);
  const uint64_t delayed = now + us(released ? delays_.release_delay : delays_.lock_delay);
  const uint64_t ends = released ? std::max(held, delayed) : delayed;
  if (ends <= now || lease.rest) {
    return std::nullopt;
  }
  SlotLease rest = lease;
  rest.told.clear();
  rest.nonce = make_nonce();
  rest.started_us = now;
  rest.length = std::chrono::ceil<std::chrono::seconds>(std::chrono::microseconds(ends - now));
  rest.rest = !released        ? Rest::Why::lock_delay
              : held > delayed ? Rest::Why::min_hold
                               : Rest::Why::release_delay;
  return rest;
}

Stored MemcacheSlots::end(const PoolRef& pool, const Entry& entry,
                          const std::optional<SlotLease>& rest) {
  if (!rest) {
    return commands_.remove(key(pool, entry.slot), entry.unique);
  }
  return commands_.replace(key(pool, entry.slot), format_slot(*rest),
                           rest->length + std::chrono::seconds(2), entry.unique);
}

MemcacheSlots::Undone MemcacheSlots::give_back(const PoolRef& pool, const std::string& nonce) {
  return remove_write(pool, nonce);
}

// Also removes a rest whose time is over.
MemcacheSlots::Undone MemcacheSlots::expire(const PoolRef& pool, const std::string& nonce,
                                            std::optional<SlotLease>* rest) {
  for (int steps = 0; steps < max_steps; steps++) {
    const auto view = look(pool);
    if (!view) {
      return Undone::failed;
    }
    const Entry* entry = find_nonce(*view, nonce);
    if (!entry) {
      return Undone::absent;
    }
    const auto closed = rest ? rest_of(*entry->lease, false) : std::nullopt;
    const Stored stored = end(pool, *entry, closed);
    if (stored == Stored::done) {
      if (rest) {
        *rest = closed;
      }
      return Undone::gone;
    }
    if (stored == Stored::failed) {
      return Undone::failed;
    }
  }
  return Undone::failed;
}

MemcacheSlots::Undone MemcacheSlots::remove_write(const PoolRef& pool, const std::string& nonce) {
  for (int steps = 0; steps < max_steps; steps++) {
    const auto view = look(pool);
    if (!view) {
      return Undone::failed;
    }
    const Entry* entry = find_nonce(*view, nonce);
    if (!entry || !entry->lease->told.empty()) {
      return Undone::absent;
    }
    const Stored stored = commands_.remove(key(pool, entry->slot), entry->unique);
    if (stored == Stored::done) {
      return Undone::gone;
    }
    if (stored == Stored::failed) {
      return Undone::failed;
    }
  }
  return Undone::failed;
}

SlotAnswer MemcacheSlots::evict(const PoolRef& pool, Token token) {
  SlotAnswer answer;
  for (int steps = 0; steps < max_steps; steps++) {
    const auto view = look(pool);
    if (!view) {
      break;
    }
    const auto entry = std::find_if(view->begin(), view->end(), [token](const Entry& each) {
      return each.lease && each.lease->is_lease() && each.lease->token == token;
    });
    if (entry == view->end()) {
      // If an earlier removal got no answer, it was carried out.
      answer.kind = answer.lease.token == token ? Verdict::Kind::done : Verdict::Kind::not_held;
      return answer;
    }
    answer.lease = *entry->lease;
    answer.rest = rest_of(answer.lease, false);
    if (end(pool, *entry, answer.rest) == Stored::done) {
      answer.kind = Verdict::Kind::done;
      return answer;
    }
  }
  answer.kind = Verdict::Kind::failed;
  return answer;
}

}  // namespace distributex
