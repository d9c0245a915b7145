// SPDX-License-Identifier: MIT
// The rules of memcached's commands, as far as the slots need them.
#include "support/fakecache.h"

#include <stdlib.h>

namespace distributex::test {

FakeCache::Item* FakeCache::find(const std::string& key) {
  const auto it = items.find(key);
  if (it == items.end()) {
    return nullptr;
  }
  if (!it->second.ends || now < *it->second.ends) {
    return &it->second;
  }
  items.erase(it);
  return nullptr;
}

void FakeCache::put(const std::string& key, const std::string& value, std::chrono::seconds lives) {
  const std::optional<Time> ends =
      lives.count() == 0 ? std::nullopt : std::optional<Time>(now + lives);
  items[key] = {value, ++last_unique, ends};
}

bool FakeLink::deliver() {
  if (delayed_.empty()) {
    return false;
  }
  (void)delayed_.front()();
  delayed_.erase(delayed_.begin());
  return true;
}

uint64_t FakeLink::shared_us() const {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(cache_.now - Time{});
  return static_cast<uint64_t>(1'700'000'000'000'000 + since.count() + clock_ahead_us);
}

Stored FakeLink::run(const std::string& command, std::function<Stored()> effect) {
  commands_++;
  switch (before_command(command)) {
    case Fault::none:
      return effect();
    case Fault::not_sent:
      return Stored::failed;
    case Fault::not_answered:
      (void)effect();
      return Stored::failed;
    case Fault::delayed:
      // Only writes whose effect refers to nobody's variables.
      if (command == "increment" || command == "read") {
        return Stored::failed;
      }
      delayed_.push_back(std::move(effect));
      return Stored::failed;
  }
  return Stored::failed;
}

std::optional<std::vector<MemcacheItem>> FakeLink::read(std::span<const std::string> keys) {
  if (keys.size() > keys_at_once) {
    abort();
  }
  std::vector<MemcacheItem> found;
  const Stored stored = run("read", [&] {
    for (size_t i = 0; i < keys.size(); i++) {
      if (const auto* item = cache_.find(keys[i])) {
        found.push_back({i, item->value, item->unique});
      }
    }
    return Stored::done;
  });
  return stored == Stored::done ? std::optional(found) : std::nullopt;
}

Stored FakeLink::add(const std::string& key, const std::string& value, std::chrono::seconds lives) {
  return run("add", [this, key, value, lives] {
    if (cache_.find(key)) {
      return Stored::refused;
    }
    cache_.put(key, value, lives);
    return Stored::done;
  });
}

Stored FakeLink::replace(const std::string& key, const std::string& value,
                         std::chrono::seconds lives, uint64_t unique) {
  return run("replace", [this, key, value, lives, unique] {
    const auto* item = cache_.find(key);
    if (!item) {
      return Stored::absent;
    }
    if (item->unique != unique) {
      return Stored::refused;
    }
    cache_.put(key, value, lives);
    return Stored::done;
  });
}

Stored FakeLink::remove(const std::string& key, uint64_t unique) {
  return run("remove", [this, key, unique] {
    const auto* item = cache_.find(key);
    if (!item) {
      return Stored::absent;
    }
    if (item->unique != unique) {
      return Stored::refused;
    }
    cache_.items.erase(key);
    return Stored::done;
  });
}

Stored FakeLink::append(const std::string& key, const std::string& text) {
  return run("append", [this, key, text] {
    auto* item = cache_.find(key);
    if (!item) {
      return Stored::refused;
    }
    item->value += text;
    item->unique = ++cache_.last_unique;
    return Stored::done;
  });
}

Stored FakeLink::increment(const std::string& key, uint32_t by, uint64_t& value) {
  return run("increment", [this, key, by, &value] {
    auto* item = cache_.find(key);
    if (!item) {
      return Stored::absent;
    }
    value = std::stoull(item->value) + by;
    item->value = std::to_string(value);
    item->unique = ++cache_.last_unique;
    return Stored::done;
  });
}

}  // namespace distributex::test
