// SPDX-License-Identifier: MIT
// Takes a slot by the rules of slots.cpp: claims it, draws a token, and replaces the claim
// by the lease. Or finds that the owner has a lease already.
#include <algorithm>
#include <limits>

#include "backends/memcache/key.h"
#include "backends/memcache/slots.h"

namespace distributex {

namespace {

constexpr std::chrono::seconds claim_life{10};

}  // namespace

struct MemcacheSlots::Attempt {
  const Acquire& question;
  PoolRef pool;
  const std::string& nonce;
  SlotAnswer answer{};
  std::optional<Time> started{};  // when the first replacement was sent
};

SlotAnswer MemcacheSlots::acquire(const Acquire& question, uint32_t width,
                                  const std::string& nonce) {
  Attempt attempt{question, {question.pool, std::max(width, question.slots)}, nonce};
  // In a pool with one slot, claim without a look first: most often the slot is free.
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
    return entry.lease && entry.lease->is_claim() && entry.lease->owner == attempt.question.owner;
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
  uint32_t slot = 0;  // becomes the lowest free slot: the view is sorted by slot
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

// Settles a claim for this owner. This attempt made the claim, or another server did, which
// may still be at work or have died. The server that replaces it first grants the lease.
MemcacheSlots::Step MemcacheSlots::settle_claim(Attempt& attempt, const View& view,
                                                const Entry& claim) {
  SlotAnswer& answer = attempt.answer;
  const Step others = drop_other_claims(attempt, view, claim);
  if (others != Step::answered) {
    return others;
  }
  if (view.size() > attempt.question.slots) {  // maxlocks was lowered meanwhile
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

// Removes the owner's other claims. The view is sorted by slot; `kept` is the lowest claim.
MemcacheSlots::Step MemcacheSlots::drop_other_claims(const Attempt& attempt, const View& view,
                                                     const Entry& kept) {
  for (const Entry& entry : view) {
    if (entry.slot == kept.slot || !entry.lease || entry.lease->rest ||
        !(entry.lease->owner == kept.lease->owner)) {
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
  // This attempt's replace command was carried out without an answer: that is a grant.
  const bool ours = entry.lease->nonce == attempt.nonce && attempt.started;
  if (!ours && !entry.lease->told_by(server_)) {
    const Stored stored =
        commands_.append(key(attempt.pool, entry.slot), told_mark(*entry.lease, server_));
    return stored == Stored::failed ? Step::failed : Step::again;
  }
  // Remove this attempt's own claim, which is not needed; else it would block a slot until
  // it dies.
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

// If the counter is lost, it starts at the clock or above all tokens that this server has
// seen; if it is behind them, it is raised. So tokens rise across restarts of both sides.
std::optional<Token> MemcacheSlots::draw_token(const std::string& pool) {
  const std::string counter = counter_key(prefix_, pool);
  uint32_t by = 1;
  for (int steps = 0; steps < max_steps; steps++) {
    uint64_t value = 0;
    Stored stored = commands_.increment(counter, by, value);
    const Token highest = highest_.in(pool);
    if (stored == Stored::absent) {
      const Token seed = std::max<Token>(commands_.shared_us(), highest_.in_all() + 1);
      stored = commands_.add(counter, std::to_string(seed), std::chrono::seconds(0));
    } else if (stored == Stored::done && value > highest) {
      if (value > max_token) {
        return std::nullopt;
      }
      highest_.note(pool, value);
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

}  // namespace distributex
