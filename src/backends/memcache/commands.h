// SPDX-License-Identifier: MIT
// The few things that are asked of a memcached, one at a time, each of them
// harmless to what another server has written since we looked: there is no
// plain set, delete or touch. An interface, against the house's habit, because
// tests interleave several servers command by command behind it.
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
  size_t key = 0;  // its place among the keys asked for
  std::string value;
  uint64_t unique = 0;  // of this very write; good for the next command only
};

// failed: nothing is known, the command may even be carried out later.
enum class Stored { done, refused, absent, failed };

class MemcacheCommands {
 public:
  virtual ~MemcacheCommands() = default;

  static constexpr size_t keys_at_once = 1000;

  // The items there are, in the order of the keys, of which there are at most
  // keys_at_once; nullopt on failure.
  [[nodiscard]] virtual std::optional<std::vector<MemcacheItem>> read(
      std::span<const std::string> keys) = 0;
  // refused: there is such an item. lives is what memcached is told: it may
  // drop the item a second earlier or later; 0: it keeps it.
  [[nodiscard]] virtual Stored add(const std::string& key, const std::string& value,
                                   std::chrono::seconds lives) = 0;
  // Both only when the item is still the one read. refused: it is another.
  [[nodiscard]] virtual Stored replace(const std::string& key, const std::string& value,
                                       std::chrono::seconds lives, uint64_t unique) = 0;
  [[nodiscard]] virtual Stored remove(const std::string& key, uint64_t unique) = 0;
  // Puts text behind whatever value is there; its time goes on.
  [[nodiscard]] virtual Stored append(const std::string& key, const std::string& text) = 0;
  [[nodiscard]] virtual Stored increment(const std::string& key, uint32_t by, uint64_t& value) = 0;

  [[nodiscard]] virtual Time now() const = 0;
  // Microseconds since 1970, about the same on all servers.
  [[nodiscard]] virtual uint64_t shared_us() const = 0;
};

}  // namespace distributex
