// SPDX-License-Identifier: MIT
// The result of an answer decides the kind of its event. The table in events.cpp says
// whether an event of a kind is kept, and at which level it is logged.
#include "watch/record.h"

#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "lock/names.h"
#include "watch/audit.h"

namespace distributex {

namespace {

What what_of(Result result) {
  switch (result) {
    case Result::granted:
      return What::granted;
    case Result::held:
      return What::held;
    case Result::busy:
      return What::busy;
    case Result::timeout:
      return What::timeout;
    case Result::released:
      return What::released;
    case Result::not_held:
      return What::not_held;
    case Result::renewed:
      return What::renewed;
    case Result::lost:
      return What::lost;
    case Result::invalid:
    case Result::unavailable:
    case Result::frozen:  // for this and the next four answered() returns early: see happened()
    case Result::thawed:
    case Result::not_frozen:
    case Result::evicted:
    case Result::no_lease:
      return What::refused;
  }
  return What::refused;
}

// The plain door is not mentioned.
std::string_view shown_door(std::string_view door) {
  return door == "plain" ? std::string_view{} : door;
}

}  // namespace

Record::Record(const RecordOptions& options, uint64_t wall_us)
    : events_(options.events, wall_us), audit_(options.audit) {}

void Record::configure(const RecordOptions& options, const std::vector<PoolSpec>& pools) {
  audit_ = options.audit;
  events_.set_capacity(options.events);
  holdings_.keep_only(pools);
}

void Record::tell(LockEvent&& event) {
  const bool kept = is_kept(event.what);
  const Level level = level_of(event.what);
  const bool logged = audit_ && log_enabled(level);
  if (!kept && !logged) {
    return;
  }
  event.wall_us = wall_us();
  if (kept) {
    events_.add(event);
  }
  if (logged) {
    log_sound_line(level, AuditLine{event}.text(), event.wall_us);
  }
}

void Record::answered(const Answered& answered, const Origin& origin, Time now) {
  const Answer& answer = answered.answer;
  if (!is_own(answered.ticket)) {
    metrics_.answered(answered.verb, answer.result);
  }
  const bool is_refusal = answer.result == Result::invalid || answer.result == Result::unavailable;
  if (is_order(answered.verb) && !is_refusal) {
    return;
  }
  LockEvent event{.what = what_of(answer.result),
                  .pool = answer.pool,
                  .host = answer.owner.host,
                  .id = answer.owner.id,
                  .token = answer.token != 0 ? answer.token : answer.ended,
                  .held = answer.held,
                  .peer = origin.peer,
                  .door = shown_door(answer.door),
                  .by = origin.by};
  if (event.what == What::granted || event.what == What::timeout || event.what == What::busy) {
    event.waited = now - answered.since;
  }
  if (event.what == What::granted) {
    metrics_.count("grants");
    if (answered.verb == Verb::wait) {
      metrics_.waited(*event.waited);
    }
  } else if (event.what == What::released) {
    metrics_.count("releases");
    event.outcome = answer.outcome;
    event.status = answer.status;
    if (answer.outcome == Outcome::failed) {
      metrics_.count("failed_runs");
    }
    if (answer.held) {
      metrics_.held(*answer.held);
      holdings_.ended(answer.pool, *answer.held);
    }
  } else if (event.what == What::refused) {
    event.verb = verb_name(answered.verb);
    event.error = answer.error;
  }
  tell(std::move(event));
}

void Record::refused(std::optional<Verb> verb, const Answer& answer, const Origin& origin) {
  if (!verb) {
    return metrics_.count("stray_requests");
  }
  metrics_.answered(*verb, answer.result);
  tell({.what = What::refused,
        .pool = answer.pool,
        .host = answer.owner.host,
        .id = answer.owner.id,
        .peer = origin.peer,
        .door = shown_door(answer.door),
        .verb = verb_name(*verb),
        .error = answer.error,
        .by = origin.by});
}

void Record::left(const Left& left, const Origin& origin, Time now) {
  metrics_.count("cancelled_waits");
  tell({.what = What::cancelled,
        .pool = left.pool,
        .host = left.owner.host,
        .id = left.owner.id,
        .waited = now - left.since,
        .peer = origin.peer,
        .by = origin.by});
}

void Record::undelivered(const Release& release) {
  metrics_.count("undelivered_grants");
  tell({.what = What::undelivered,
        .pool = release.pool,
        .host = release.owner.host,
        .id = release.owner.id,
        .token = release.token.value_or(0)});
}

void Record::expired(std::string_view pool, const Lease& lease) {
  metrics_.count("expiries");
  LockEvent event{.what = What::expired,
                  .pool = pool,
                  .host = lease.owner.host,
                  .id = lease.owner.id,
                  .token = lease.token,
                  .door = door_of(lease.note)};
  if (lease.ends) {
    event.held = *lease.ends - lease.since;
    metrics_.held(*event.held);
    holdings_.ended(pool, *event.held);
  }
  tell(std::move(event));
}

void Record::happened(const Happening& happening) {
  constexpr What whats[] = {What::frozen, What::thawed, What::evicted, What::rested};
  LockEvent event{.what = whats[static_cast<size_t>(happening.kind)],
                  .pool = happening.pool,
                  .host = happening.owner.host,
                  .id = happening.owner.id,
                  .token = happening.token,
                  .held = happening.held};
  event.reason = happening.reason;
  event.by = happening.by;
  event.lasts = happening.lasts;
  if (event.what == What::evicted) {
    metrics_.count("evictions");
    if (happening.held) {
      metrics_.held(*happening.held);
      holdings_.ended(happening.pool, *happening.held);
    }
  }
  tell(std::move(event));
}

void Record::decided(OpId op, const Verdict& verdict, Time now) {
  if (verdict.kind == Verdict::Kind::failed) {
    metrics_.count("backend_errors");
  }
  const Asked& asked = asked_[op % asked_.size()];
  if (asked.op == op) {
    metrics_.backend_took(now - asked.at);
  }
}

}  // namespace distributex
