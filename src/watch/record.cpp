// SPDX-License-Identifier: MIT
// One table says what becomes of each kind of event. Everyday answers (busy,
// held, renewed) are no events that /events/ keeps: polling clients would
// drive out all others.
#include "watch/record.h"

#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "lock/names.h"
#include "watch/audit.h"

namespace distributex {

namespace {

// In the order of Result.
constexpr What what_of[] = {What::granted,  What::held,     What::busy,    What::timeout,
                            What::released, What::not_held, What::renewed, What::lost,
                            What::refused,  What::refused};

bool is_kept(What what) { return what <= What::undelivered; }

Level level_of(What what) { return what <= What::busy ? Level::info : Level::debug; }

}  // namespace

Record::Record(const RecordOptions& options, uint64_t wall_us)
    : events_(options.events, wall_us), audit_(options.audit) {}

void Record::configure(const RecordOptions& options, const std::vector<PoolSpec>& pools) {
  audit_ = options.audit;
  events_.set_capacity(options.events);
  holdings_.keep_only(pools);
}

void Record::tell(LockEvent event) {
  const bool logged = audit_ && log_enabled(level_of(event.what));
  if (!is_kept(event.what) && !logged) return;
  event.wall_us = wall_us();
  if (is_kept(event.what)) events_.add(event);
  if (logged) log_sound_line(level_of(event.what), AuditLine{event}.text());
}

void Record::answered(const Answered& answered, std::string_view peer, Time now) {
  const Answer& answer = answered.answer;
  metrics_.answered(answered.verb, answer.result);
  LockEvent event{.what = what_of[static_cast<size_t>(answer.result)],
                  .pool = answer.pool,
                  .host = answer.owner.host,
                  .id = answer.owner.id,
                  .token = answer.token != 0 ? answer.token : answer.ended,
                  .held = answer.held,
                  .peer = peer};
  if (event.what == What::granted || event.what == What::timeout || event.what == What::busy)
    event.waited = now - answered.since;
  if (event.what == What::granted) {
    metrics_.count(Count::grants);
    if (answered.verb == Verb::wait) metrics_.waited(*event.waited);
  } else if (event.what == What::released) {
    metrics_.count(Count::releases);
    if (answer.held) {
      metrics_.held(*answer.held);
      holdings_.ended(answer.pool, *answer.held);
    }
  } else if (event.what == What::refused) {
    event.verb = verb_name(answered.verb);
    event.error = answer.error;
  }
  tell(event);
}

void Record::refused(std::optional<Verb> verb, const Answer& answer, std::string_view peer) {
  if (!verb) return metrics_.count(Count::strays);
  metrics_.answered(*verb, answer.result);
  tell({.what = What::refused, .peer = peer, .verb = verb_name(*verb), .error = answer.error});
}

void Record::left(const Left& left, std::string_view peer, Time now) {
  metrics_.count(Count::cancelled);
  tell({.what = What::cancelled,
        .pool = left.pool,
        .host = left.owner.host,
        .id = left.owner.id,
        .waited = now - left.since,
        .peer = peer});
}

void Record::undelivered(const Release& release) {
  metrics_.count(Count::undelivered);
  tell({.what = What::undelivered,
        .pool = release.pool,
        .host = release.owner.host,
        .id = release.owner.id,
        .token = release.token.value_or(0)});
}

void Record::expired(std::string_view pool, const Lease& lease) {
  metrics_.count(Count::expiries);
  LockEvent event{.what = What::expired,
                  .pool = pool,
                  .host = lease.owner.host,
                  .id = lease.owner.id,
                  .token = lease.token};
  if (lease.ends) {
    event.held = *lease.ends - lease.since;
    metrics_.held(*event.held);
    holdings_.ended(pool, *event.held);
  }
  tell(event);
}

void Record::decided(OpId op, const Verdict& verdict, Time now) {
  if (verdict.kind == Verdict::Kind::failed) metrics_.count(Count::backend_errors);
  const Asked& asked = asked_[op % asked_.size()];
  if (asked.op == op) metrics_.backend_took(now - asked.at);
}

}  // namespace distributex
