// SPDX-License-Identifier: MIT
// The few commands to a memcached, one at a time. None of them overwrites what another
// server has written since the last look: there is no plain set, delete or touch. It is an
// interface, against the rule, because tests interleave the commands of several servers.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lock/words.h"

namespace distributex {

struct MemcacheItem {
  size_t key = 0;  // the index of its key among the keys asked for
  std::string value;
  uint64_t unique = 0;  // differs in every write; valid for the next command only
};

// failed: the outcome is unknown; memcached may even carry the command out later.
enum class Stored { done, refused, absent, failed };

class MemcacheCommands {
 public:
  virtual ~MemcacheCommands() = default;

  static constexpr size_t keys_at_once = 1000;

  // Returns the items that exist, in the order of the keys; nullopt on failure. At most
  // keys_at_once keys.
  [[nodiscard]] virtual std::optional<std::vector<MemcacheItem>> read(
      std::span<const std::string> keys) = 0;
  // refused: the key has an item. memcached drops the item after `lives`, a second earlier
  // or later; 0: it keeps the item.
  [[nodiscard]] virtual Stored add(const std::string& key, const std::string& value,
                                   std::chrono::seconds lives) = 0;
  // Both change only the item that was read. refused: the key has another item now.
  [[nodiscard]] virtual Stored replace(const std::string& key, const std::string& value,
                                       std::chrono::seconds lives, uint64_t unique) = 0;
  [[nodiscard]] virtual Stored remove(const std::string& key, uint64_t unique) = 0;
  // Appends text to the item's value; does not change when the item is dropped.
  [[nodiscard]] virtual Stored append(const std::string& key, const std::string& text) = 0;
  [[nodiscard]] virtual Stored increment(const std::string& key, uint32_t by, uint64_t& value) = 0;

  [[nodiscard]] virtual Time now() const = 0;
  // Microseconds since 1970, about the same on all servers.
  [[nodiscard]] virtual uint64_t shared_us() const = 0;
};

}  // namespace distributex
