// SPDX-License-Identifier: MIT
// A slot is taken in three writes: its item is added as a claim, a token is
// drawn, the claim is replaced by the lease. Everything is a loop "look, then
// do the next step", so a refused or unanswered command is followed by another
// look and never by the same command again.
//
// 1. A slot has one item, and an item is added, replaced and removed only as
//    the one that was just read: exclusion is memcached's.
// 2. A token is drawn while the slot is claimed. Whoever held the slot before
//    drew before, so tokens rise from holder to holder; and a grant that was
//    answered before another was asked for has the lower one, in any slot.
// 3. A claim dies after claim_life by memcached's clock. Only a lease whose
//    token is known for good stands in an item as a lease.
// 4. An owner has one slot. Each claims before it looks, so of two servers that
//    claim for one owner at least one sees the other's claim; both then go for
//    the lower slot, and the higher one is removed before the lower is settled.
// 5. Who answers "held" marks the item first. Who gives a grant back because
//    nobody heard of it does so only without the mark. One unique, so one wins.
#include "backends/memcache/slots.h"

#include <algorithm>
#include <limits>

#include "backends/memcache/key.h"

namespace distributex {

namespace {

constexpr std::chrono::seconds claim_life{10};
constexpr int max_steps = 200;   // looks of one question: only others' progress costs any
constexpr int max_failures = 2;  // of commands, in one question

// memcached counts whole seconds and may be one early; and we end leases
// ourselves, at their exact end.
std::chrono::seconds life_of(std::chrono::seconds length) {
  return length.count() == 0 ? length : length + std::chrono::seconds(2);
}

}  // namespace

struct MemcacheSlots::Attempt {
  const Acquire& question;
  PoolRef pool;
  const std::string& nonce;
  SlotAnswer answer{};
  std::optional<Time> started{};  // when the first replacement was sent
};

std::string MemcacheSlots::key(const PoolRef& pool, uint32_t slot) const {
  return slot_key(prefix_, pool.name, slot);
}

void MemcacheSlots::note(const std::string& pool, Token token) {
  Token& highest = highest_[pool];
  highest = std::max(highest, token);
}

// A pool may have a million slots: keys are made and read a part at a time.
// Calls found with the place of each item that there is.
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
          note(pool.name, view.back().lease->token);
        }
      });
  return whole ? std::optional(std::move(view)) : std::nullopt;
}

const MemcacheSlots::Entry* MemcacheSlots::find_lease(const View& view, const Owner& owner) const {
  const auto it = std::find_if(view.begin(), view.end(), [&](const Entry& entry) {
    return entry.lease && !entry.lease->is_claim() && entry.lease->owner == owner;
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

SlotAnswer MemcacheSlots::acquire(const Acquire& question, uint32_t width,
                                  const std::string& nonce) {
  Attempt attempt{question, {question.pool, std::max(width, question.slots)}, nonce};
  // The lock of a mutex is claimed unseen: most often it is free.
  bool looked = attempt.pool.width > 1 || question.find_only;
  int failures = 0;
  for (int steps = 0; steps < max_steps; steps++) {
    const Step step = looked ? acquire_step(attempt) : claim_slot(attempt, {});
    looked = true;
    if (step == Step::answered) {
      return attempt.answer;
    }
    if (step == Step::failed && ++failures == max_failures) {
      break;
    }
  }
  attempt.answer.kind = Verdict::Kind::failed;
  return attempt.answer;
}

MemcacheSlots::Step MemcacheSlots::acquire_step(Attempt& attempt) {
  const auto view = look(attempt.pool);
  if (!view) {
    return Step::failed;
  }
  SlotAnswer& answer = attempt.answer;
  answer.seen.clear();
  for (const Entry& entry : *view) {
    if (entry.lease) {
      answer.seen.push_back(*entry.lease);
    }
  }
  if (const Entry* entry = find_lease(*view, attempt.question.owner)) {
    return tell_held(attempt, *view, *entry);
  }
  const auto claim = std::find_if(view->begin(), view->end(), [&](const Entry& entry) {
    return entry.lease && entry.lease->owner == attempt.question.owner;
  });
  if (claim != view->end() && !attempt.question.find_only) {
    return settle_claim(attempt, *view, *claim);
  }
  if (attempt.question.find_only || view->size() >= attempt.question.slots) {
    answer.kind = Verdict::Kind::full;
    return Step::answered;
  }
  return claim_slot(attempt, *view);
}

MemcacheSlots::Step MemcacheSlots::claim_slot(Attempt& attempt, const View& view) {
  uint32_t slot = 0;  // the lowest free one: the view is sorted by slot
  for (const Entry& entry : view) {
    if (entry.slot == slot) {
      slot++;
    }
  }
  SlotLease claim;
  claim.owner = attempt.question.owner;
  claim.nonce = attempt.nonce;
  attempt.answer.unsure = true;
  const Stored stored = commands_.add(key(attempt.pool, slot), format_slot(claim), claim_life);
  return stored == Stored::failed ? Step::failed : Step::again;
}

// A claim of our owner: ours, or that of a server which is at it too, or was
// when it ended. Whoever replaces it first has granted.
MemcacheSlots::Step MemcacheSlots::settle_claim(Attempt& attempt, const View& view,
                                                const Entry& claim) {
  SlotAnswer& answer = attempt.answer;
  const Step others = drop_other_claims(attempt, view, claim);
  if (others != Step::answered) {
    return others;
  }
  if (view.size() > attempt.question.slots) {  // maxlocks was lowered beneath us
    if (commands_.remove(key(attempt.pool, claim.slot), claim.unique) == Stored::failed) {
      return Step::failed;
    }
    answer.kind = Verdict::Kind::full;
    return Step::answered;
  }
  const auto token = draw_token(attempt.pool.name);
  if (!token) {
    return Step::failed;
  }
  SlotLease lease;
  lease.owner = attempt.question.owner;
  lease.token = *token;
  lease.length = attempt.question.length.value_or(std::chrono::seconds(0));
  lease.granted_us = lease.started_us = commands_.shared_us();
  lease.nonce = attempt.nonce;
  if (!attempt.started) {
    attempt.started = commands_.now();
  }
  attempt.answer.unsure = true;
  const Stored stored = commands_.replace(key(attempt.pool, claim.slot), format_slot(lease),
                                          life_of(lease.length), claim.unique);
  if (stored == Stored::failed) {
    return Step::failed;
  }
  if (stored != Stored::done) {
    return Step::again;
  }
  answer.kind = Verdict::Kind::granted;
  answer.lease = lease;
  answer.started = *attempt.started;
  answer.more_free = view.size() < attempt.question.slots;
  std::replace_if(
      answer.seen.begin(), answer.seen.end(),
      [&](const SlotLease& seen) { return seen.nonce == claim.lease->nonce; }, lease);
  return Step::answered;
}

// The view is sorted by slot and `kept` is the lowest claim of the owner.
MemcacheSlots::Step MemcacheSlots::drop_other_claims(const Attempt& attempt, const View& view,
                                                     const Entry& kept) {
  for (const Entry& entry : view) {
    if (entry.slot == kept.slot || !entry.lease || !(entry.lease->owner == kept.lease->owner)) {
      continue;
    }
    const Stored stored = commands_.remove(key(attempt.pool, entry.slot), entry.unique);
    return stored == Stored::failed ? Step::failed : Step::again;
  }
  return Step::answered;
}

MemcacheSlots::Step MemcacheSlots::tell_held(Attempt& attempt, const View& view,
                                             const Entry& entry) {
  SlotAnswer& answer = attempt.answer;
  // Our own replacement, whose answer did not come: granted nonetheless.
  const bool ours = entry.lease->nonce == attempt.nonce && attempt.started;
  if (!ours && !entry.lease->told_by(server_)) {
    const Stored stored =
        commands_.append(key(attempt.pool, entry.slot), told_mark(*entry.lease, server_));
    return stored == Stored::failed ? Step::failed : Step::again;
  }
  // What we claimed meanwhile is not needed; left alone it would die as well.
  const Entry* own = find_nonce(view, attempt.nonce);
  if (own && own != &entry && own->lease->is_claim()) {
    const Stored stored = commands_.remove(key(attempt.pool, own->slot), own->unique);
    if (stored == Stored::failed) {
      return Step::failed;
    }
  }
  answer.kind = ours ? Verdict::Kind::granted : Verdict::Kind::held;
  answer.lease = *entry.lease;
  answer.more_free = view.size() < attempt.question.slots;
  if (ours) {
    answer.started = *attempt.started;
  }
  return Step::answered;
}

// A counter that is lost, or behind what this server has seen, starts at the
// clock or above all seen: so tokens rise across restarts of both sides.
std::optional<Token> MemcacheSlots::draw_token(const std::string& pool) {
  const std::string counter = counter_key(prefix_, pool);
  uint32_t by = 1;
  for (int steps = 0; steps < max_steps; steps++) {
    uint64_t value = 0;
    Stored stored = commands_.increment(counter, by, value);
    const Token highest = highest_[pool];
    if (stored == Stored::absent) {
      const Token seed = std::max<Token>(commands_.shared_us(), highest + 1);
      stored = commands_.add(counter, std::to_string(seed), std::chrono::seconds(0));
    } else if (stored == Stored::done && value > highest) {
      if (value > max_token) {
        return std::nullopt;
      }
      note(pool, value);
      return value;
    } else if (stored == Stored::done) {
      by = static_cast<uint32_t>(
          std::min<uint64_t>(highest - value + 1, std::numeric_limits<uint32_t>::max()));
      continue;
    }
    if (stored == Stored::failed) {
      return std::nullopt;
    }
    by = 1;
  }
  return std::nullopt;
}

bool MemcacheSlots::told_elsewhere(const SlotLease& lease) const {
  return std::any_of(lease.told.begin(), lease.told.end(),
                     [&](const std::string& server) { return server != server_; });
}

SlotAnswer MemcacheSlots::release(const Release& question, uint32_t width) {
  const PoolRef pool{question.pool, std::max(width, question.slots)};
  SlotAnswer answer;
  int failures = 0;
  bool sent = false;  // a removal of answer.lease, whose answer did not come
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
      entry = nullptr;  // another lease, or another server's word for it
    }
    answer.kind = sent ? Verdict::Kind::released : Verdict::Kind::not_held;
    if (!entry) {
      return answer;
    }
    answer.lease = *entry->lease;
    const Stored stored = commands_.remove(key(pool, entry->slot), entry->unique);
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

MemcacheSlots::Undone MemcacheSlots::give_back(const PoolRef& pool, const std::string& nonce) {
  return remove_write(pool, nonce, false);
}

MemcacheSlots::Undone MemcacheSlots::expire(const PoolRef& pool, const std::string& nonce) {
  return remove_write(pool, nonce, true);
}

MemcacheSlots::Undone MemcacheSlots::remove_write(const PoolRef& pool, const std::string& nonce,
                                                  bool even_told) {
  for (int steps = 0; steps < max_steps; steps++) {
    const auto view = look(pool);
    if (!view) {
      return Undone::failed;
    }
    const Entry* entry = find_nonce(*view, nonce);
    if (!entry || (!entry->lease->told.empty() && !even_told)) {
      return Undone::absent;
    }
    const Stored stored = commands_.remove(key(pool, entry->slot), entry->unique);
    if (stored == Stored::done) {
      return Undone::gone;
    }
    if (stored == Stored::failed) {
      return Undone::failed;
    }
  }
  return Undone::failed;
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
