// SPDX-License-Identifier: MIT
// The leases that this server granted or renewed, by the moment of the
// monotonic clock at which they end: it alone knows that moment exactly. Leases
// that never end are not kept here. Every call costs O(log n).
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
  Lease lease;        // with its end
  std::string nonce;  // of its write, unique everywhere
  bool is_rest = false;
};

class MemcacheEnds {
 public:
  void put(EndingLease lease);
  void drop(const std::string& nonce);
  [[nodiscard]] const EndingLease* find(const std::string& nonce) const;

  [[nodiscard]] std::optional<Time> first() const;
  [[nodiscard]] std::optional<Time> first(const std::string& pool) const;

  // Out with all that end by then, of one pool or of all.
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
