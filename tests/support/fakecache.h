// SPDX-License-Identifier: MIT
// A memcached in memory for the slot algorithm: the same commands, a clock that
// stands until it is moved, and faults on demand. Each command first calls a
// hook, in which a test lets another server do something in between.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backends/memcache/commands.h"

namespace distributex::test {

// What several servers share.
struct FakeCache {
  struct Item {
    std::string value;
    uint64_t unique = 0;
    std::optional<Time> ends{};
  };
  std::map<std::string, Item> items{};
  uint64_t last_unique = 0;
  Time now = Time{} + std::chrono::hours(1);

  // The item, if its time has not come.
  Item* find(const std::string& key);
  void put(const std::string& key, const std::string& value, std::chrono::seconds lives);
  void forget_all() { items.clear(); }
};

enum class Fault {
  none,
  not_sent,      // the command never arrives
  not_answered,  // it is carried out, the answer is lost
  delayed        // it is carried out later, when deliver() is called
};

// One server's connection.
class FakeLink final : public MemcacheCommands {
 public:
  explicit FakeLink(FakeCache& cache) : cache_(cache) {}

  std::function<Fault(const std::string& command)> before_command = [](const std::string&) {
    return Fault::none;
  };
  int64_t clock_ahead_us = 0;

  // Carries out one delayed command; false when there is none.
  bool deliver();
  [[nodiscard]] size_t commands() const { return commands_; }

  std::optional<std::vector<MemcacheItem>> read(std::span<const std::string> keys) override;
  Stored add(const std::string& key, const std::string& value, std::chrono::seconds lives) override;
  Stored replace(const std::string& key, const std::string& value, std::chrono::seconds lives,
                 uint64_t unique) override;
  Stored remove(const std::string& key, uint64_t unique) override;
  Stored append(const std::string& key, const std::string& text) override;
  Stored increment(const std::string& key, uint32_t by, uint64_t& value) override;
  Time now() const override { return cache_.now; }
  uint64_t shared_us() const override;

 private:
  Stored run(const std::string& command, std::function<Stored()> effect);

  FakeCache& cache_;
  std::vector<std::function<Stored()>> delayed_;
  size_t commands_ = 0;
};

}  // namespace distributex::test
