// SPDX-License-Identifier: MIT
// What calls left behind in memcached and no client will give back: claims and grants of
// attempts that failed half-way, and grants whose client had gone. This looks for them until
// they are gone. Belongs to one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backends/memcache/slots.h"

namespace distributex {

// Either what one attempt wrote, found by its nonce, or a grant that `release` gives back.
struct Leftover {
  PoolRef pool;
  std::string nonce;
  std::optional<Release> release;
  int tries = 0;
};

// What an acquire leaves behind: a grant that no client was told of (heard: false), or what
// a failed attempt may have written. nullopt: nothing.
[[nodiscard]] std::optional<Leftover> leftover_of(const SlotAnswer& answer, bool heard,
                                                  const PoolRef& pool, const std::string& nonce);

class MemcacheLeftovers {
 public:
  // Calls freed when a slot of the pool was given back.
  MemcacheLeftovers(MemcacheSlots& slots, std::function<void(const std::string& pool)> freed)
      : slots_(slots), freed_(std::move(freed)) {}

  // Keeps at most 10,000 and forgets the others: these stay until memcached drops them.
  void keep(Leftover leftover);
  // Looks for it once; keeps it if it is not settled.
  void settle(Leftover leftover);
  // Looks for all; once goes_on() is false, keeps the others without a look.
  void settle_all(const std::function<bool()>& goes_on);
  [[nodiscard]] bool empty() const { return all_.empty(); }

 private:
  [[nodiscard]] bool is_settled(Leftover& leftover);

  MemcacheSlots& slots_;
  std::function<void(const std::string& pool)> freed_;
  std::vector<Leftover> all_;
};

}  // namespace distributex
