// SPDX-License-Identifier: MIT
// A freeze begins at the moment of the order; the operator hears of it when it is stored.
#include "backends/sqlite/rulings.h"

#include <utility>

#include "backends/rests.h"
#include "base/clock.h"

namespace distributex {

namespace {

Time time_of(int64_t ns) { return Time{std::chrono::nanoseconds{ns}}; }

int64_t mono_of(Time time) { return std::chrono::nanoseconds(time.time_since_epoch()).count(); }

StoreRow row_of(const Freeze& freeze) {
  StoreRow row;
  row.kind = StoreKind::freeze;
  row.pool = freeze.pool;
  row.owner.host = freeze.by;
  row.text = freeze.reason;
  row.since_wall = static_cast<int64_t>(wall_us());
  row.since_mono = mono_of(freeze.since);
  if (freeze.until) {
    row.ends = mono_of(*freeze.until);
  }
  return row;
}

}  // namespace

void StoreRulings::restore(const StoreRow& row) {
  books_.restore_ruling(row);
  if (row.kind == StoreKind::failures) {
    table_.open(row.pool).failed_runs = static_cast<uint32_t>(row.token);
    return;
  }
  if (row.kind == StoreKind::rest) {
    const auto why = find_rest(row.text);
    table_.rest(table_.open(row.pool), Rest{.owner = row.owner,
                                            .token = row.token,
                                            .ends = time_of(row.ends.value_or(0)),
                                            .why = why.value_or(Rest::Why::lock_delay)});
    return;
  }
  if (row.kind != StoreKind::freeze) {
    return;  // a later program wrote it: the row stays as it is
  }
  Freeze freeze{.pool = row.pool,
                .reason = row.text,
                .by = row.owner.host,
                .since = time_of(row.since_mono),
                .until = {}};
  if (row.ends) {
    freeze.until = time_of(*row.ends);
  }
  (void)rulings_.freeze(std::move(freeze));
}

Verdict StoreRulings::freeze(const Order& order, Time now) {
  Freeze freeze = freeze_of(order, now);
  if (!rulings_.has_room(order.pool)) {
    return LeaseTable::refused(Rulings::too_many_freezes);
  }
  begin(std::move(freeze), now);
  Verdict verdict = LeaseTable::without(Verdict::Kind::done);
  verdict.stored = changed_;
  return verdict;
}

Verdict StoreRulings::thaw(const Order& order, Time now) {
  const std::vector<Freeze> ended = rulings_.thaw(order.pool);
  for (const Freeze& freeze : ended) {
    thawed(freeze, order.by, now);
  }
  for (const std::string& name : table_.names(order.pool)) {
    LeasePool& pool = table_.open(name);
    if (std::exchange(pool.failed_runs, 0) != 0) {
      store_failures(pool, now);
      changed_ = books_.gathering();
    }
  }
  Verdict verdict =
      LeaseTable::without(ended.empty() ? Verdict::Kind::not_held : Verdict::Kind::done);
  verdict.stored = changed_ > books_.stored() ? changed_ : 0;
  return verdict;
}

void StoreRulings::released(LeasePool& pool, const Lease& lease, const Release& question,
                            Time now) {
  rest(pool, rest_after_release(specs_.find(pool.name), lease, now), now);
  if (question.outcome != Outcome::unknown) {
    const bool failed = question.outcome == Outcome::failed;
    count_run(pool, lease, failed, how_it_failed(question.status), now);
  }
}

void StoreRulings::cut(LeasePool& pool, const Lease& lease, Time at, const char* how, Time now) {
  rest(pool, rest_after_cut(specs_.find(pool.name), lease, at, now), now);
  count_run(pool, lease, true, how, now);
}

void StoreRulings::rest(LeasePool& pool, std::optional<Rest> rest, Time now) {
  if (!rest) {
    return;
  }
  StoreRow row;
  row.kind = StoreKind::rest;
  row.pool = pool.name;
  row.owner = rest->owner;
  row.token = rest->token;
  row.text = rest_name(rest->why);
  row.since_wall = static_cast<int64_t>(wall_us());
  row.since_mono = mono_of(now);
  row.ends = mono_of(rest->ends);
  books_.put_ruling(std::move(row), now);
  hand_over_();
  sink_.happened(rested(pool.name, *rest, now), books_.gathering());
  table_.rest(pool, *std::move(rest));
}

void StoreRulings::rest_is_over(const LeasePool& pool, Token token, Time now) {
  books_.remove_ruling(StoreKind::rest, pool.name, token, now);
  hand_over_();
}

// Counts only in pools with freeze_after: else each failed run would write a row.
void StoreRulings::count_run(LeasePool& pool, const Lease& lease, bool failed,
                             const std::string& how, Time now) {
  const PoolSpec* spec = specs_.find(pool.name);
  const uint32_t limit = spec ? spec->freeze_after : 0;
  const uint32_t before = pool.failed_runs;
  pool.failed_runs = failed && limit != 0 ? before + 1 : 0;
  if (limit != 0 && pool.failed_runs >= limit && rulings_.has_room(pool.name)) {
    begin(freeze_after(pool.name, pool.failed_runs, lease.owner, how, now), now);
    pool.failed_runs = 0;
  }
  if (pool.failed_runs != before) {
    store_failures(pool, now);
  }
}

void StoreRulings::store_failures(const LeasePool& pool, Time now) {
  if (pool.failed_runs == 0) {
    books_.remove_ruling(StoreKind::failures, pool.name, 0, now);
  } else {
    StoreRow row;
    row.kind = StoreKind::failures;
    row.pool = pool.name;
    row.token = pool.failed_runs;
    row.since_wall = static_cast<int64_t>(wall_us());
    row.since_mono = mono_of(now);
    books_.put_ruling(std::move(row), now);
  }
  hand_over_();
}

void StoreRulings::begin(Freeze freeze, Time now) {
  const Happening happening = frozen_by(freeze);
  books_.put_ruling(row_of(freeze), now);
  (void)rulings_.freeze(std::move(freeze));
  changed_ = books_.gathering();
  hand_over_();
  sink_.happened(happening, changed_);
}

void StoreRulings::end_due(Time now) {
  for (const Freeze& freeze : rulings_.end_due(now)) {
    thawed(freeze, {}, now);
  }
}

void StoreRulings::thawed(const Freeze& freeze, const std::string& by, Time now) {
  books_.remove_ruling(StoreKind::freeze, freeze.pool, 0, now);
  changed_ = books_.gathering();
  hand_over_();
  sink_.happened(thawed_by(freeze, by), changed_);
  for (const std::string& pool : table_.names(freeze.pool)) {
    sink_.changed(pool);
  }
}

}  // namespace distributex
