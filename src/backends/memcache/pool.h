// SPDX-License-Identifier: MIT
// A pool as the loop knows it: which memcached has it, and what this server's questions and
// surveys last saw of it. Other servers may have changed it since.
#pragma once

#include <string>
#include <vector>

#include "backends/memcache/item.h"
#include "backends/memcache/poll.h"
#include "backends/memcache/slots.h"

namespace distributex {

class MemcachePool {
 public:
  size_t server = 0;
  PoolRef ref;
  uint32_t slots = 1;
  bool configured = false;
  bool full = false;  // the last verdict said so
  MemcachePoll poll;

  // Takes the items of the pool's slots, claims too, in any order.
  void see(std::vector<SlotLease> items);
  void drop(const std::string& nonce);
  void drop(Token token);
  void add(const SlotLease& item);
  void replace(const std::string& nonce, const SlotLease& lease);

  // Claims first, then leases and rests by their tokens.
  [[nodiscard]] const std::vector<SlotLease>& seen() const { return seen_; }
  [[nodiscard]] size_t claims() const { return claims_; }

 private:
  std::vector<SlotLease> seen_;
  size_t claims_ = 0;
};

}  // namespace distributex
