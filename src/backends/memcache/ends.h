// SPDX-License-Identifier: MIT
// The leases and rests that this server wrote last, by the moment of the monotonic clock at
// which they end: only this server knows that moment exactly. Leases that never end are
// not kept here. Every call costs O(log n).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lock/words.h"

namespace distributex {

struct EndingLease {
  std::string pool;
  Lease lease;        // ends is set
  std::string nonce;  // of the write; no other write has it
  bool is_rest = false;
};

class MemcacheEnds {
 public:
  void put(EndingLease lease);
  void drop(const std::string& nonce);
  [[nodiscard]] const EndingLease* find(const std::string& nonce) const;

  [[nodiscard]] std::optional<Time> first() const;
  [[nodiscard]] std::optional<Time> first(const std::string& pool) const;

  // Remove and return all that end by `now`, of all pools or of one.
  [[nodiscard]] std::vector<EndingLease> take_due(Time now);
  [[nodiscard]] std::vector<EndingLease> take_due(const std::string& pool, Time now);

 private:
  using Queue = std::set<std::pair<Time, std::string>>;  // end and nonce
  [[nodiscard]] EndingLease take(const std::string& nonce);

  std::map<std::string, EndingLease> leases_;
  Queue all_;
  std::map<std::string, Queue> pools_;
};

}  // namespace distributex
