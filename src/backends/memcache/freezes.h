// SPDX-License-Identifier: MIT
// The freezes, in one item of each memcached, which every server reads every 0.4
// seconds. Each line after the first is a freeze:
//
//   dx1
//   POOL SINCE UNTIL REASON BY
//
// POOL, REASON and BY are percent-encoded; times are microseconds since 1970 by the clock
// that all servers share; UNTIL is 0 if the freeze lasts until it is thawed. Calls block
// as long as their commands do. Belongs to one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/memcache/commands.h"
#include "backends/rulings.h"

namespace distributex {

struct SharedFreeze {
  std::string pool;
  std::string reason;
  std::string by;
  uint64_t since_us = 0;
  uint64_t until_us = 0;  // 0: until it is thawed
  bool operator==(const SharedFreeze&) const = default;
};

[[nodiscard]] std::string format_freezes(const std::vector<SharedFreeze>& freezes);
// Returns nullopt if another program wrote the value.
[[nodiscard]] std::optional<std::vector<SharedFreeze>> parse_freezes(std::string_view value);

class MemcacheFreezes {
 public:
  MemcacheFreezes(MemcacheCommands& commands, std::string_view prefix);

  // Reads the item. If memcached does not answer, returns false and changes nothing.
  [[nodiscard]] bool read(Time now);
  // Carries out a freeze or a thaw: done, not_held, failed, or full: too many freezes.
  [[nodiscard]] Verdict::Kind perform(const Order& order, Time now);

  // Counts one more failed run of the pool, or sets the count to 0. Returns the count;
  // nullopt if memcached does not answer.
  [[nodiscard]] std::optional<uint32_t> count_run(std::string_view pool, bool failed);

  [[nodiscard]] bool freezes(std::string_view pool, Time now);
  [[nodiscard]] std::vector<Freeze> all() const { return rulings_.all(); }
  // Whether the freezes have changed since the last call.
  [[nodiscard]] bool take_change();

 private:
  struct Item {
    std::vector<SharedFreeze> freezes;
    uint64_t unique = 0;  // 0: there is no item
  };
  [[nodiscard]] std::optional<Item> fetch();
  void learn(std::vector<SharedFreeze> freezes, Time now);
  [[nodiscard]] Stored store(const Item& before, const std::vector<SharedFreeze>& after);

  MemcacheCommands& commands_;
  std::string prefix_;
  std::string key_;
  std::vector<SharedFreeze> known_;
  Rulings rulings_;
  bool changed_ = false;
};

}  // namespace distributex
