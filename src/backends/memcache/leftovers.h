// SPDX-License-Identifier: MIT
// What calls left behind in memcached without anybody who would give it back:
// claims and grants of attempts that failed half-way, grants whose client had
// gone. They are looked for until they are gone. Belongs to one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backends/memcache/slots.h"

namespace distributex {

// Either what one attempt wrote, known by its nonce, or a grant that is to be
// released.
struct Leftover {
  PoolRef pool;
  std::string nonce;
  std::optional<Release> release;
  int tries = 0;
};

// What an acquire leaves behind: a grant that nobody heard of, or what a failed
// attempt may have written.
[[nodiscard]] std::optional<Leftover> leftover_of(const SlotAnswer& answer, bool heard,
                                                  const PoolRef& pool, const std::string& nonce);

class MemcacheLeftovers {
 public:
  // freed: a slot of the pool was given back.
  MemcacheLeftovers(MemcacheSlots& slots, std::function<void(const std::string& pool)> freed)
      : slots_(slots), freed_(std::move(freed)) {}

  // Above 10,000 it is forgotten: it then lasts as long as a claim or a lease.
  void keep(Leftover leftover);
  // Looks for it once, and keeps it unless it is settled.
  void settle(Leftover leftover);
  // The same for all, until `goes_on` says no: the rest is kept unlooked.
  void settle_all(const std::function<bool()>& goes_on);
  [[nodiscard]] bool empty() const { return all_.empty(); }

 private:
  [[nodiscard]] bool is_settled(Leftover& leftover);

  MemcacheSlots& slots_;
  std::function<void(const std::string& pool)> freed_;
  std::vector<Leftover> all_;
};

}  // namespace distributex
