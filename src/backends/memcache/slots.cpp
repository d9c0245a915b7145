// SPDX-License-Identifier: MIT
// A server takes a slot in three writes: it adds a claim as the slot's item, draws a
// token, and replaces the claim by the lease. Every question is a loop of "look, then do
// the next step": after a refused or unanswered command the server looks again, and never
// repeats the command blindly.
//
// 1. A slot has one item. A server adds it only if it is absent, and replaces or removes
//    it only if it is still the one that it read. So memcached guarantees exclusion.
// 2. A server draws the token while it has the claim. The previous holder's token was
//    drawn earlier, so tokens rise from holder to holder. If one grant was answered before
//    another was asked for, the first has the lower token, in any slot of the pool.
// 3. A claim dies after claim_life by memcached's clock. An item becomes a lease only
//    with a token that was drawn.
// 4. An owner has one slot. Each server claims before it looks, so if two servers claim
//    for one owner, at least one sees the other's claim. Both then choose the lower
//    slot, and remove the higher claim before they settle the lower one.
// 5. A server that answers "held" marks the item first. A server that takes a grant back
//    because it could not tell its client does so only if another has not marked the item.
//    Both writes need the same unique, so only one succeeds.
#include "backends/memcache/slots.h"

#include <algorithm>

#include "backends/memcache/key.h"

namespace distributex {

// The item lives two seconds longer than the lease: memcached counts whole seconds and may
// be one second early, and servers end their leases themselves, at the exact end. If that
// server has died, the item also stands in for the lock_delay.
std::chrono::seconds MemcacheSlots::life_of(std::chrono::seconds length) const {
  return length.count() == 0 ? length : length + delays_.lock_delay + std::chrono::seconds(2);
}

std::string MemcacheSlots::key(const PoolRef& pool, uint32_t slot) const {
  return slot_key(prefix_, pool.name, slot);
}

// Makes and reads keys in parts, for a pool may have a million slots. Calls found with the
// index of each key that has an item.
bool MemcacheSlots::read_all(size_t count, const std::function<std::string(size_t)>& key_of,
                             const std::function<void(size_t, const MemcacheItem&)>& found) {
  std::vector<std::string> keys;
  for (size_t first = 0; first < count; first += keys.size()) {
    keys.clear();
    const size_t end = std::min(first + MemcacheCommands::keys_at_once, count);
    for (size_t at = first; at < end; at++) {
      keys.push_back(key_of(at));
    }
    const auto items = commands_.read(keys);
    if (!items) {
      return false;
    }
    for (const MemcacheItem& item : *items) {
      found(first + item.key, item);
    }
  }
  return true;
}

std::optional<MemcacheSlots::View> MemcacheSlots::look(const PoolRef& pool) {
  View view;
  const bool whole = read_all(
      pool.width, [&](size_t slot) { return key(pool, static_cast<uint32_t>(slot)); },
      [&](size_t slot, const MemcacheItem& item) {
        view.push_back({static_cast<uint32_t>(slot), item.unique, parse_slot(item.value)});
        if (view.back().lease) {
          highest_.note(pool.name, view.back().lease->token);
        }
      });
  return whole ? std::optional(std::move(view)) : std::nullopt;
}

const MemcacheSlots::Entry* MemcacheSlots::find_lease(const View& view, const Owner& owner) const {
  const auto it = std::find_if(view.begin(), view.end(), [&](const Entry& entry) {
    return entry.lease && entry.lease->is_lease() && entry.lease->owner == owner;
  });
  return it == view.end() ? nullptr : &*it;
}

const MemcacheSlots::Entry* MemcacheSlots::find_nonce(const View& view,
                                                      const std::string& nonce) const {
  const auto it = std::find_if(view.begin(), view.end(), [&](const Entry& entry) {
    return entry.lease && entry.lease->nonce == nonce;
  });
  return it == view.end() ? nullptr : &*it;
}

bool MemcacheSlots::told_elsewhere(const SlotLease& lease) const {
  return std::any_of(lease.told.begin(), lease.told.end(),
                     [&](const std::string& server) { return server != server_; });
}

SlotAnswer MemcacheSlots::release(const Release& question, uint32_t width) {
  const PoolRef pool{question.pool, std::max(width, question.slots)};
  SlotAnswer answer;
  int failures = 0;
  bool sent = false;  // a removal of answer.lease was sent and not answered
  for (int steps = 0; steps < max_steps && failures < max_failures; steps++) {
    const auto view = look(pool);
    if (!view) {
      failures++;
      continue;
    }
    const Entry* entry = find_lease(*view, question.owner);
    if (entry && ((question.token && *question.token != entry->lease->token) ||
                  (sent && answer.lease.token != entry->lease->token) ||
                  (question.undelivered && told_elsewhere(*entry->lease)))) {
      entry = nullptr;  // it is another lease, or another server has told the owner of it
    }
    answer.kind = sent ? Verdict::Kind::released : Verdict::Kind::not_held;
    if (!entry) {
      return answer;
    }
    answer.lease = *entry->lease;
    answer.rest = question.undelivered ? std::nullopt : rest_of(answer.lease, true);
    const Stored stored = end(pool, *entry, answer.rest);
    answer.kind = Verdict::Kind::released;
    if (stored == Stored::done) {
      return answer;
    }
    if (stored == Stored::failed) {
      failures++;
      sent = true;
    }
  }
  answer.kind = Verdict::Kind::failed;
  return answer;
}

SlotAnswer MemcacheSlots::renew(const Renew& question, uint32_t width) {
  const PoolRef pool{question.pool, std::max(width, question.slots)};
  const std::string nonce = make_nonce();
  SlotAnswer answer;
  int failures = 0;
  std::optional<Time> started;
  for (int steps = 0; steps < max_steps && failures < max_failures; steps++) {
    const auto view = look(pool);
    if (!view) {
      failures++;
      continue;
    }
    const Entry* entry = find_lease(*view, question.owner);
    answer.kind = Verdict::Kind::lost;
    if (!entry || (question.token && *question.token != entry->lease->token)) {
      return answer;
    }
    const bool applied = entry->lease->nonce == nonce;
    if (!applied) {
      answer.nonce_before = entry->lease->nonce;
    }
    answer.lease = *entry->lease;
    if (question.length) {
      answer.lease.length = *question.length;
    }
    answer.lease.nonce = nonce;
    answer.lease.told = {server_};
    answer.lease.started_us = commands_.shared_us();
    if (!started) {
      started = commands_.now();
    }
    answer.started = *started;
    answer.kind = Verdict::Kind::renewed;
    if (applied) {
      return answer;
    }
    const Stored stored = commands_.replace(key(pool, entry->slot), format_slot(answer.lease),
                                            life_of(answer.lease.length), entry->unique);
    if (stored == Stored::done) {
      return answer;
    }
    if (stored == Stored::failed) {
      failures++;
    }
  }
  answer.kind = Verdict::Kind::failed;
  return answer;
}

std::optional<std::vector<std::vector<SlotLease>>> MemcacheSlots::survey(
    const std::vector<PoolRef>& pools) {
  struct Place {
    size_t pool;
    uint32_t slot;
  };
  std::vector<Place> places;
  for (size_t i = 0; i < pools.size(); i++) {
    for (uint32_t slot = 0; slot < pools[i].width; slot++) {
      places.push_back({i, slot});
    }
  }
  std::vector<std::vector<SlotLease>> seen(pools.size());
  const bool whole = read_all(
      places.size(), [&](size_t at) { return key(pools[places[at].pool], places[at].slot); },
      [&](size_t at, const MemcacheItem& item) {
        if (auto lease = parse_slot(item.value)) {
          seen[places[at].pool].push_back(*std::move(lease));
        }
      });
  if (!whole) {
    return std::nullopt;
  }
  return seen;
}

}  // namespace distributex
