// SPDX-License-Identifier: MIT
// Keeps the items of a pool in the order that pool.h promises.
#include "backends/memcache/pool.h"

#include <algorithm>
#include <utility>

namespace distributex {

void MemcachePool::see(std::vector<SlotLease> items) {
  seen_ = std::move(items);
  std::sort(seen_.begin(), seen_.end(),
            [](const SlotLease& a, const SlotLease& b) { return a.token < b.token; });
  const auto lease = std::find_if(seen_.begin(), seen_.end(),
                                  [](const SlotLease& item) { return !item.is_claim(); });
  claims_ = static_cast<size_t>(lease - seen_.begin());
}

void MemcachePool::drop(const std::string& nonce) {
  std::erase_if(seen_,
                [&](const SlotLease& item) { return !item.is_claim() && item.nonce == nonce; });
}

void MemcachePool::drop(Token token) {
  std::erase_if(seen_,
                [&](const SlotLease& item) { return !item.is_claim() && item.token == token; });
}

void MemcachePool::add(const SlotLease& item) {
  std::vector<SlotLease> items = std::move(seen_);
  items.push_back(item);
  see(std::move(items));
}

// A renewed lease keeps its token, and so its place in the order.
void MemcachePool::replace(const std::string& nonce, const SlotLease& lease) {
  std::replace_if(
      seen_.begin(), seen_.end(), [&](const SlotLease& item) { return item.nonce == nonce; },
      lease);
}

}  // namespace distributex
