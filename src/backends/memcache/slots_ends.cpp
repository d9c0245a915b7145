// SPDX-License-Identifier: MIT
// How leases end that their holders do not give back: by time, because nobody
// heard of them, or by an operator. As in slots.cpp, an item is removed only as
// the one that was just read.
#include <algorithm>

#include "backends/memcache/slots.h"

namespace distributex {

MemcacheSlots::Undone MemcacheSlots::give_back(const PoolRef& pool, const std::string& nonce) {
  return remove_write(pool, nonce, false);
}

MemcacheSlots::Undone MemcacheSlots::expire(const PoolRef& pool, const std::string& nonce) {
  return remove_write(pool, nonce, true);
}

MemcacheSlots::Undone MemcacheSlots::remove_write(const PoolRef& pool, const std::string& nonce,
                                                  bool even_told) {
  for (int steps = 0; steps < max_steps; steps++) {
    const auto view = look(pool);
    if (!view) {
      return Undone::failed;
    }
    const Entry* entry = find_nonce(*view, nonce);
    if (!entry || (!entry->lease->told.empty() && !even_told)) {
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
      return each.lease && each.lease->token == token;
    });
    if (entry == view->end()) {
      // A removal whose answer did not come was done.
      answer.kind = answer.lease.token == token ? Verdict::Kind::done : Verdict::Kind::not_held;
      return answer;
    }
    answer.lease = *entry->lease;
    if (commands_.remove(key(pool, entry->slot), entry->unique) == Stored::done) {
      answer.kind = Verdict::Kind::done;
      return answer;
    }
  }
  answer.kind = Verdict::Kind::failed;
  return answer;
}

}  // namespace distributex
