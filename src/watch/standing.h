// SPDX-License-Identifier: MIT
// Where somebody stands who does not get a lock: its place, the holders, and
// how long it may take, judged by how long locks of the pool were held of
// late. Decides nothing.
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
  // Nothing while none has ended.
  [[nodiscard]] std::optional<Duration> mean(std::string_view pool) const;
  void forget(std::string_view pool);
  // Forgets all pools but these, and those that patterns make.
  void keep_only(const std::vector<PoolSpec>& pools);

 private:
  struct Recent {
    std::array<Duration, 8> last{};
    size_t count = 0;  // of all that have ended
  };
  NameMap<Recent> pools_;
};

// How long until the place's turn comes: the mean holding time, less what the
// oldest holder has had of it already, and one maxlocks-th of it for everyone
// who stands before.
[[nodiscard]] Duration turn_comes_in(Duration mean, Duration oldest_held, uint32_t maxlocks,
                                     size_t place);

// The estimates for the places of one pool; nothing without a basis.
class Estimate {
 public:
  Estimate(const Sight& sight, const Holdings& holdings, const PoolSpec& pool, Time now);
  [[nodiscard]] std::optional<Duration> at(size_t place) const;

 private:
  std::optional<Duration> mean_;
  Duration oldest_held_{};
  uint32_t maxlocks_;
  Duration first_rest_{};  // nobody holds a lock, and the first closed slot opens then
  bool endless_ = false;   // the pool is frozen, nobody knows until when
  Duration least_{};       // so long nobody's turn comes
};

// For an owner that was just told busy or timeout. Its cost is bounded.
[[nodiscard]] Standing standing_of(const Sight& sight, const Holdings& holdings,
                                   std::string_view pool, const Owner& owner, Time now);

}  // namespace distributex
