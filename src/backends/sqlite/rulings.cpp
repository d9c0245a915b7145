// SPDX-License-Identifier: MIT
// A freeze counts from the moment of the order, not from when it is stored: the
// operator hears of it when it is.
#include "backends/sqlite/rulings.h"

#include <utility>

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
  if (row.kind != StoreKind::freeze) {
    return;  // of a later program: it stays as it is
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
  const Happening happening = frozen_by(freeze);
  StoreRow row = row_of(freeze);
  if (!rulings_.freeze(std::move(freeze))) {
    return LeaseTable::refused(Rulings::too_many_freezes);
  }
  books_.put_ruling(std::move(row), now);
  changed_ = books_.gathering();
  hand_over_();
  sink_.happened(happening, changed_);
  Verdict verdict = LeaseTable::without(Verdict::Kind::done);
  verdict.stored = changed_;
  return verdict;
}

Verdict StoreRulings::thaw(const Order& order, Time now) {
  const std::vector<Freeze> ended = rulings_.thaw(order.pool);
  for (const Freeze& freeze : ended) {
    thawed(freeze, order.by, now);
  }
  Verdict verdict =
      LeaseTable::without(ended.empty() ? Verdict::Kind::not_held : Verdict::Kind::done);
  verdict.stored = changed_ > books_.stored() ? changed_ : 0;
  return verdict;
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
