// SPDX-License-Identifier: MIT
// What an owner that does not get a lock is told: its place, the holders, and an estimate of
// the time until its turn, made from the last holding times of the pool. Decides nothing.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_map.h"
#include "lock/words.h"
#include "watch/sight.h"

namespace distributex {

// The last few holding times of each pool.
class Holdings {
 public:
  void ended(std::string_view pool, Duration held);
  // nullopt: no lease of the pool has ended yet.
  [[nodiscard]] std::optional<Duration> mean(std::string_view pool) const;
  void forget(std::string_view pool);
  // Forgets all pools but these, and those that patterns make.
  void keep_only(const std::vector<PoolSpec>& pools);

 private:
  struct Recent {
    std::array<Duration, 8> last{};
    size_t count = 0;  // of all leases that have ended
  };
  NameMap<Recent> pools_;
};

// An estimate of the time until the turn of this place: the mean holding time, less the time
// for which the oldest holder has had its lock, plus mean / maxlocks for each place before.
[[nodiscard]] Duration turn_comes_in(Duration mean, Duration oldest_held, uint32_t maxlocks,
                                     size_t place);

// The estimates for the places of one pool. at() returns nullopt if no lease of the pool has
// ended yet, or the pool is frozen without an end.
class Estimate {
 public:
  Estimate(const Sight& sight, const Holdings& holdings, const PoolSpec& pool, Time now);
  [[nodiscard]] std::optional<Duration> at(size_t place) const;

 private:
  std::optional<Duration> mean_;
  Duration oldest_held_{};
  uint32_t maxlocks_;
  Duration first_rest_{};  // if all slots are closed: until the first one opens
  bool endless_ = false;   // the pool is frozen until it is thawed
  Duration least_{};       // until the freeze ends: no turn comes before
};

// For an owner whose answer is busy or timeout. Its cost is bounded.
[[nodiscard]] Standing standing_of(const Sight& sight, const Holdings& holdings,
                                   std::string_view pool, const Owner& owner, Time now);

}  // namespace distributex
