// SPDX-License-Identifier: MIT
// The item is replaced only if it is still the one that was read. memcached never drops it:
// servers ignore a freeze whose time is over, and the next write leaves it out. When a
// server first sees a freeze, it converts the end to its monotonic clock, so that setting
// the wall clock back does not lengthen the freeze.
#include "backends/memcache/freezes.h"

#include <algorithm>
#include <utility>

#include "backends/memcache/key.h"
#include "base/pattern.h"
#include "base/text.h"

namespace distributex {

namespace {

constexpr std::string_view magic = "dx1";
constexpr int max_steps = 20;
constexpr uint64_t time_max = uint64_t{1} << 60;

std::optional<SharedFreeze> parse_line(std::string_view line) {
  SharedFreeze freeze;
  const std::string_view pool = take_until(' ', line);
  const auto since = parse_whole(take_until(' ', line));
  const auto until = parse_whole(take_until(' ', line));
  const std::string_view reason = take_until(' ', line);
  if (!since || !until || *since > time_max || *until > time_max || pool.empty()) {
    return std::nullopt;
  }
  if (!percent_decoded(pool, freeze.pool) || !percent_decoded(reason, freeze.reason) ||
      !percent_decoded(line, freeze.by)) {
    return std::nullopt;
  }
  freeze.since_us = *since;
  freeze.until_us = *until;
  return freeze;
}

std::optional<Time> moment_of(uint64_t us, uint64_t shared_us, Time now) {
  const auto ahead = static_cast<int64_t>(us) - static_cast<int64_t>(shared_us);
  return now + std::chrono::microseconds(ahead);
}

}  // namespace

std::string format_freezes(const std::vector<SharedFreeze>& freezes) {
  std::string text(magic);
  for (const SharedFreeze& freeze : freezes) {
    text += "\n" + percent_encoded(freeze.pool) + " " + std::to_string(freeze.since_us) + " " +
            std::to_string(freeze.until_us) + " " + percent_encoded(freeze.reason) + " " +
            percent_encoded(freeze.by);
  }
  return text;
}

std::optional<std::vector<SharedFreeze>> parse_freezes(std::string_view value) {
  if (take_until('\n', value) != magic) {
    return std::nullopt;
  }
  std::vector<SharedFreeze> freezes;
  while (!value.empty()) {
    auto freeze = parse_line(take_until('\n', value));
    if (!freeze) {
      return std::nullopt;
    }
    freezes.push_back(*std::move(freeze));
  }
  return freezes;
}

// The key of the freezes looks like that of a pool with an empty name, which no pool has.
MemcacheFreezes::MemcacheFreezes(MemcacheCommands& commands, std::string_view prefix)
    : commands_(commands), prefix_(prefix), key_(prefix_ + ":freezes") {}

// If another program wrote the item, it counts as no freezes; the next freeze replaces it.
std::optional<MemcacheFreezes::Item> MemcacheFreezes::fetch() {
  const auto items = commands_.read(std::span(&key_, 1));
  if (!items) {
    return std::nullopt;
  }
  Item item;
  if (!items->empty()) {
    item.freezes = parse_freezes(items->front().value).value_or(std::vector<SharedFreeze>());
    item.unique = items->front().unique;
  }
  return item;
}

bool MemcacheFreezes::read(Time now) {
  auto item = fetch();
  if (!item) {
    return false;
  }
  learn(std::move(item->freezes), now);
  return true;
}

void MemcacheFreezes::learn(std::vector<SharedFreeze> freezes, Time now) {
  (void)rulings_.end_due(now);
  if (freezes == known_) {
    return;
  }
  const uint64_t shared = commands_.shared_us();
  Rulings next;
  for (const SharedFreeze& each : freezes) {
    const bool is_known = std::find(known_.begin(), known_.end(), each) != known_.end();
    if (is_known) {
      const Freeze* own = rulings_.find(each.pool);
      if (own && own->pool == each.pool) {
        (void)next.freeze(*own);
      }
      continue;
    }
    Freeze freeze{
        .pool = each.pool, .reason = each.reason, .by = each.by, .since = now, .until = {}};
    freeze.since = *moment_of(std::min(each.since_us, shared), shared, now);
    if (each.until_us != 0) {
      freeze.until = moment_of(each.until_us, shared, now);
    }
    (void)next.freeze(std::move(freeze));
  }
  (void)next.end_due(now);
  known_ = std::move(freezes);
  rulings_ = std::move(next);
  changed_ = true;
}

Stored MemcacheFreezes::store(const Item& before, const std::vector<SharedFreeze>& after) {
  const std::string value = format_freezes(after);
  if (before.unique == 0) {
    return commands_.add(key_, value, std::chrono::seconds(0));
  }
  return commands_.replace(key_, value, std::chrono::seconds(0), before.unique);
}

Verdict::Kind MemcacheFreezes::perform(const Order& order, Time now) {
  for (int steps = 0; steps < max_steps; steps++) {
    const auto item = fetch();
    if (!item) {
      return Verdict::Kind::failed;
    }
    const uint64_t shared = commands_.shared_us();
    std::vector<SharedFreeze> after = item->freezes;
    std::erase_if(after, [shared](const SharedFreeze& each) {
      return each.until_us != 0 && each.until_us <= shared;
    });
    const size_t standing = after.size();
    const bool freezes = order.kind == Order::Kind::freeze;
    std::erase_if(after, [&](const SharedFreeze& each) {
      return each.pool == order.pool ||
             (!freezes && is_pattern(order.pool) && matches(order.pool, each.pool));
    });
    if (freezes) {
      const auto lasts =
          std::chrono::ceil<std::chrono::microseconds>(order.lasts.value_or(Duration::zero()));
      after.push_back({order.pool, order.reason, order.by, shared,
                       order.lasts ? shared + static_cast<uint64_t>(lasts.count()) : 0});
    } else if (after.size() == standing) {
      learn(item->freezes, now);
      return Verdict::Kind::not_held;
    }
    if (after.size() > Rulings::freezes_max) {
      return Verdict::Kind::full;
    }
    const Stored stored = store(*item, after);
    if (stored == Stored::failed) {
      return Verdict::Kind::failed;
    }
    if (stored == Stored::done) {
      learn(std::move(after), now);
      return Verdict::Kind::done;
    }
  }
  return Verdict::Kind::failed;
}

std::optional<uint32_t> MemcacheFreezes::count_run(std::string_view pool, bool failed) {
  const std::string key = failures_key(prefix_, pool);
  for (int steps = 0; steps < max_steps; steps++) {
    uint64_t runs = 0;
    Stored stored = Stored::done;
    if (failed) {
      stored = commands_.increment(key, 1, runs);
      if (stored == Stored::absent) {
        runs = 1;
        stored = commands_.add(key, "1", std::chrono::seconds(0));
      }
    } else {
      const auto items = commands_.read(std::span(&key, 1));
      if (!items) {
        return std::nullopt;
      }
      if (!items->empty()) {
        stored = commands_.remove(key, items->front().unique);
      }
    }
    if (stored == Stored::failed) {
      return std::nullopt;
    }
    if (stored == Stored::done || (stored == Stored::absent && !failed)) {
      return static_cast<uint32_t>(std::min<uint64_t>(runs, UINT32_MAX));
    }
  }
  return std::nullopt;
}

bool MemcacheFreezes::freezes(std::string_view pool, Time now) {
  (void)rulings_.end_due(now);
  return rulings_.find(pool) != nullptr;
}

bool MemcacheFreezes::take_change() { return std::exchange(changed_, false); }

}  // namespace distributex
