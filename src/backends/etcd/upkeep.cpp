// SPDX-License-Identifier: MIT
// What the backend does without a question, beside ends.cpp: it follows the mirror's
// changes, moves the clock on, raises the offset of the tokens, takes back grants of unknown
// outcome, deletes tickets, and probes whether etcd still answers.
#include <algorithm>
#include <utility>

#include "backends/etcd/core.h"
#include "base/log.h"
#include "base/pattern.h"

namespace distributex {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds attempt{700};
constexpr milliseconds retry_pause{200};
constexpr milliseconds seed_pause{100};
constexpr milliseconds ticket_pause{500};
constexpr seconds probe_every{1};
constexpr seconds silence_max{2};

}  // namespace

// --- the mirror ---

void EtcdCore::changed(const std::vector<EtcdChange>& changes, bool was_set_back, Time now) {
  if (was_set_back) {
    needs_seed_ = true;
    revision_ = world_.mirror.revision();
    for (const auto& [pool, slots] : slots_) {
      world_.news.push_back({.pool = pool});
    }
  }
  if (!world_.clock.is_known() || world_.clock.has_fallen()) {
    needs_seed_ = true;
  }
  for (const EtcdChange& change : changes) {
    note_change(change, now);
  }
  seed(now);
  // Questions may wait for what the watch has just told.
  const bool was_flushing = std::exchange(is_flushing_, true);
  wake(now, true);
  is_flushing_ = was_flushing;
  settle_down(now);
}

void EtcdCore::note_change(const EtcdChange& change, Time now) {
  switch (change.kind) {
    case EtcdChange::Kind::lease:
      if (const EtcdLease* lease = world_.mirror.find(change.pool, change.owner)) {
        world_.keeper.saw(change.pool, *lease);
      }
      break;
    case EtcdChange::Kind::lease_gone:
      world_.keeper.gone(change.pool, change.owner, change.revision);
      world_.news.push_back({.pool = change.pool});
      break;
    case EtcdChange::Kind::rest:
      note_rest(change);
      break;
    case EtcdChange::Kind::rest_gone:
      world_.rest_keeper.gone(change.pool, rest_owner(change.token), change.revision);
      world_.news.push_back({.pool = change.pool});
      break;
    case EtcdChange::Kind::freeze:
    case EtcdChange::Kind::freeze_gone:
      note_freeze(change);
      break;
    case EtcdChange::Kind::gate:
      world_.sights.restart_turns(change.pool);
      // If another slot is free, it may now be this server's turn.
      if (const auto slots = slots_.find(change.pool);
          slots != slots_.end() && world_.sights.free_since(change.pool, slots->second, now)) {
        world_.news.push_back({.pool = change.pool});
      }
      break;
    case EtcdChange::Kind::ticket:
      break;
    case EtcdChange::Kind::ticket_gone:
      // Another server deleted this server's ticket, or one that came before it is gone.
      world_.news.push_back({.pool = change.pool});
      break;
  }
}

void EtcdCore::note_rest(const EtcdChange& change) {
  const EtcdPool* pool = world_.mirror.find(change.pool);
  const auto rest =
      pool ? pool->rests.find(change.token) : std::map<Token, EtcdRest>::const_iterator{};
  if (!pool || rest == pool->rests.end()) {
    return;
  }
  EtcdLease timed{.owner = rest_owner(change.token), .value = {}, .mod = rest->second.mod};
  timed.value.left = std::max<uint64_t>(rest->second.value.left, 1);
  timed.began = rest->second.began;
  world_.rest_keeper.saw(change.pool, timed);
}

// Does not announce freezes that stood already when this server started.
void EtcdCore::note_freeze(const EtcdChange& change) {
  const bool has_begun = change.kind == EtcdChange::Kind::freeze;
  if (world_.is_ready) {
    world_.happened.push_back(has_begun ? frozen_by(*change.freeze)
                                        : thawed_by(*change.freeze, change.by));
  }
  if (has_begun) {
    return;
  }
  for (const auto& [pool, slots] : slots_) {
    if (matches(change.pool, pool)) {
      world_.sights.restart_turns(pool);
      world_.news.push_back({.pool = pool});
    }
  }
}

// --- the offset of the tokens ---

void EtcdCore::seed(Time now) {
  if (!needs_seed_ || is_seeding_ || !follower_.is_live() || now < seed_at_) {
    return;
  }
  const uint64_t revision = world_.mirror.revision();
  const Token seen = std::max(world_.mirror.highest_token(), world_.highest_token);
  // Read the wall clock once: else `wanted` would grow while etcd answers.
  if (!seed_wall_) {
    seed_wall_ = world_.settings.wall_us();
  }
  const uint64_t wanted = std::max(*seed_wall_, seen + 1);
  if (world_.clock.is_known() && world_.clock.offset() + revision >= wanted) {
    needs_seed_ = false;
    seed_wall_.reset();
    world_.clock.accept_offset();
    world_.is_ready = true;
    return wake(now, true);
  }
  const uint64_t offset = std::max(world_.clock.offset(), wanted - std::min(wanted, revision));
  const std::string value = world_.clock.next(now, offset);
  EtcdTxn txn{.compares = world_.if_clock(world_.clock.mod(), world_.clock.text()),
              .success = {EtcdPut{world_.keys.base(), value}},
              .failure = {EtcdRange{.key = world_.keys.base()}}};
  is_seeding_ = true;
  ask(std::move(txn), attempt, [this, value](const EtcdReply& reply, Time at) {
    is_seeding_ = false;
    if (reply.outcome != EtcdOutcome::answered) {
      seed_at_ = at + seed_pause;
      return;
    }
    if (reply.answer.succeeded) {
      world_.note_base(value, reply.answer.revision, at);
    }
    if (!reply.answer.succeeded && reply.answer.parts.at(0).kvs.empty()) {
      world_.clock.forget();
    }
    if (!reply.answer.succeeded) {
      world_.note_clock(reply.answer, 0, at);
    }
    seed(at);
  });
}

// --- the clock ---

std::optional<Time> EtcdCore::clock_due() const {
  const bool is_wanted = world_.mirror.is_timed() || !world_.leftovers.empty();
  if (!is_wanted || is_ticking_ || !world_.is_ready) {
    return std::nullopt;
  }
  return std::max(world_.clock.seen() + EtcdClock::period + tick_jitter_, tick_not_before_);
}

void EtcdCore::tick_clock(Time now) {
  const auto due = clock_due();
  if (!due || now < *due) {
    return;
  }
  is_ticking_ = true;
  tick_jitter_ = milliseconds(world_.settings.random() % 400);
  const std::string value = world_.clock.next(now);
  EtcdTxn txn{.compares = world_.if_clock(world_.clock.mod(), world_.clock.text()),
              .success = {EtcdPut{world_.keys.base(), value}},
              .failure = {EtcdRange{.key = world_.keys.base()}}};
  ask(std::move(txn), attempt, [this, value](const EtcdReply& reply, Time at) {
    is_ticking_ = false;
    tick_not_before_ = at + retry_pause;
    if (reply.outcome != EtcdOutcome::answered) {
      return;
    }
    if (reply.answer.succeeded) {
      world_.counts.ticks++;
      world_.note_base(value, reply.answer.revision, at);
    } else {
      world_.note_clock(reply.answer, 0, at);
    }
  });
}

// --- leftovers ---

// A leftover is a write of unknown outcome that its question gave up. Once the mirror shows
// a later step of the clock, etcd can no longer carry it out: either the mirror shows the
// write's nonce now, and the lease is taken back, or it never will.
void EtcdCore::clear_leftovers(Time now) {
  const bool is_level = world_.mirror.revision() >= world_.clock.mod() && world_.clock.is_known();
  std::erase_if(world_.leftovers, [&](const EtcdUnsettled& left) {
    if (left.is_asked) {
      return false;
    }
    const EtcdLease* lease = world_.mirror.find(left.pool, left.owner);
    if (lease && lease->value.nonce == left.nonce) {
      return false;
    }
    return is_level && world_.clock.mod() > left.base;
  });
  for (EtcdUnsettled& left : world_.leftovers) {
    const EtcdLease* lease = world_.mirror.find(left.pool, left.owner);
    const bool is_there = lease && lease->value.nonce == left.nonce;
    if (left.is_asked || !is_there || now < left.not_before) {
      continue;
    }
    left.is_asked = true;
    take_back(left, *lease);
  }
}

void EtcdCore::take_back(const EtcdUnsettled& left, const EtcdLease& lease) {
  world_.keeper.given_back(left.pool, left.owner);
  const std::string key = world_.keys.lease(left.pool, left.owner);
  EtcdTxn txn{.compares = {if_mod(key, lease.mod)}, .success = {EtcdDelete{key}}, .failure = {}};
  ask(std::move(txn), attempt,
      [this, nonce = left.nonce, pool = left.pool, lease](const EtcdReply& reply, Time at) {
        const bool is_answered = reply.outcome == EtcdOutcome::answered;
        if (is_answered && reply.answer.succeeded) {
          world_.note_removal(pool, lease, reply.answer.revision);
        }
        for (EtcdUnsettled& each : world_.leftovers) {
          if (each.nonce != nonce) {
            continue;
          }
          each.is_asked = false;
          each.not_before = at + retry_pause;
        }
        if (is_answered) {
          std::erase_if(world_.leftovers, [&](const auto& each) { return each.nonce == nonce; });
        }
      });
}

// Repeats failed releases of untold grants until they succeed.
void EtcdCore::try_again(Time now) {
  std::vector<Again> due;
  std::erase_if(again_, [&](const Again& each) {
    if (each.at > now) {
      return false;
    }
    due.push_back(each);
    return true;
  });
  for (Again& each : due) {
    Name name{each.question.pool, each.question.owner};
    start({.question = EtcdRelease(world_, each.question, each.written, now),
           .name = std::move(name),
           .again = std::move(each.question)},
          now);
  }
}

// --- tickets ---

void EtcdCore::idle(const std::string& pool, Time now) {
  idle_[pool] = now;
  drop_tickets(now);
  settle_down(now);
}

void EtcdCore::drop_tickets(Time now) {
  if (!world_.is_ready) {
    return;
  }
  std::vector<std::string> due;
  for (const auto& [pool, at] : idle_) {
    if (at <= now && !dropping_.contains(pool)) {
      due.push_back(pool);
    }
  }
  for (const std::string& pool : due) {
    if (!world_.sights.of(pool).has_ticket(world_.settings.server)) {
      idle_.erase(pool);
      continue;
    }
    dropping_.insert(pool);
    EtcdTxn txn;
    txn.success.emplace_back(EtcdDelete{world_.keys.ticket(pool, world_.settings.server)});
    ask(std::move(txn), attempt, [this, pool](const EtcdReply& reply, Time at) {
      dropping_.erase(pool);
      if (reply.outcome == EtcdOutcome::answered) {
        idle_.erase(pool);
      } else if (const auto still = idle_.find(pool); still != idle_.end()) {
        still->second = at + ticket_pause;
      }
    });
  }
}

// --- health ---

void EtcdCore::probe(Time now) {
  if (now < probed_ + probe_every) {
    return;
  }
  probed_ = now;
  if (asking_ != 0 || (world_.answered && now - *world_.answered < probe_every)) {
    return;
  }
  EtcdTxn txn;
  txn.success.emplace_back(EtcdRange{.key = world_.keys.base()});
  ask(std::move(txn), attempt, [this](const EtcdReply& reply, Time at) {
    if (reply.outcome == EtcdOutcome::answered) {
      world_.note_clock(reply.answer, 0, at);
    }
  });
}

void EtcdCore::judge(Time now) {
  if (!first_tick_) {
    first_tick_ = now;
  }
  const Time last = world_.answered.value_or(*first_tick_);
  if (!refusal_.empty() && now - refused_ < silence_max) {
    trouble_ = "etcd: " + refusal_;
  } else if (now - last >= silence_max) {
    const auto since = std::chrono::floor<seconds>(now - last).count();
    trouble_ = "etcd: no answer from " + std::to_string(endpoints_) +
               (endpoints_ == 1 ? " endpoint" : " endpoints") + " since " + std::to_string(since) +
               " s" + (world_.reason.empty() ? "" : ": " + world_.reason);
  } else if (!world_.is_ready) {
    trouble_ = world_.reason.empty() ? "etcd: no answer yet" : "etcd: " + world_.reason;
  } else {
    trouble_.reset();
  }
}

}  // namespace distributex
