// SPDX-License-Identifier: MIT
// A change subtracts the lease's old share from the sum and adds the new one, so the cost of
// a batch does not depend on the number of leases.
#include "backends/sqlite/books.h"

#include <algorithm>
#include <utility>

namespace distributex {

namespace {

std::optional<int64_t> mono_of(std::optional<Time> time) {
  return time ? std::optional{std::chrono::nanoseconds(time->time_since_epoch()).count()}
              : std::nullopt;
}

std::optional<int64_t> seconds_of(std::optional<std::chrono::seconds> length) {
  return length ? std::optional{static_cast<int64_t>(length->count())} : std::nullopt;
}

uint64_t share_of_times(const HeldLease& held) {
  return distributex::share_of_times(held.token, seconds_of(held.length), mono_of(held.ends));
}

}  // namespace

void StoreBooks::restore(HeldLease& held, const StoreRow& row) {
  held.share = share_of_identity(row.token, row.pool, row.owner, row.since_wall, row.since_mono);
  ++totals_.rows;
  totals_.rows_sum += held.share + share_of_times(held);
  totals_.ending += held.ends ? 1U : 0U;
  restore_top(row.token);
}

StoreBooks::RulingKey StoreBooks::key_of(const StoreRow& row) {
  return {row.kind, row.pool, row.kind == StoreKind::rest ? row.token : 0};
}

void StoreBooks::count_ruling(const StoreRow& row) {
  const Share share{share_of_ruling(row), row.ends.has_value()};
  rulings_.insert_or_assign(key_of(row), share);
  ++totals_.rulings;
  totals_.rulings_sum += share.share;
  totals_.ending += share.ends ? 1U : 0U;
}

bool StoreBooks::discount_ruling(const RulingKey& key) {
  const auto node = rulings_.extract(key);
  if (node.empty()) {
    return false;
  }
  --totals_.rulings;
  totals_.rulings_sum -= node.mapped().share;
  totals_.ending -= node.mapped().ends ? 1U : 0U;
  return true;
}

void StoreBooks::restore_ruling(const StoreRow& row) { count_ruling(row); }

void StoreBooks::put_ruling(StoreRow row, Time now) {
  (void)discount_ruling(key_of(row));
  count_ruling(row);
  add({.kind = StoreChange::Kind::put_ruling, .row = std::move(row)}, now);
}

void StoreBooks::remove_ruling(StoreKind kind, const std::string& pool, Token token, Time now) {
  StoreChange change{.kind = StoreChange::Kind::remove_ruling, .row = {}};
  change.row.kind = kind;
  change.row.pool = pool;
  change.row.token = token;
  if (discount_ruling(key_of(change.row))) {
    add(std::move(change), now);
  }
}

void StoreBooks::restore_top(Token top) {
  totals_.top = std::max(totals_.top, top);
  stored_top_ = totals_.top;
}

void StoreBooks::granted(LeasePool& pool, HeldLease& held, int64_t wall_us, Time now) {
  StoreRow row{.token = held.token,
               .pool = pool.name,
               .owner = *held.owner,
               .since_wall = wall_us,
               .since_mono = *mono_of(held.since),
               .length = seconds_of(held.length),
               .ends = mono_of(held.ends),
               .note = held.note};
  held.share = share_of_identity(row.token, row.pool, row.owner, row.since_wall, row.since_mono);
  held.stored = gathering();
  ++totals_.rows;
  totals_.rows_sum += held.share + share_of_times(held);
  totals_.ending += held.ends ? 1U : 0U;
  totals_.top = held.token;
  add({.kind = StoreChange::Kind::put, .row = std::move(row)}, pool, now);
}

void StoreBooks::renewed(LeasePool& pool, HeldLease& held,
                         std::optional<std::chrono::seconds> length_before,
                         std::optional<Time> ends_before, Time now) {
  totals_.rows_sum -=
      distributex::share_of_times(held.token, seconds_of(length_before), mono_of(ends_before));
  totals_.rows_sum += share_of_times(held);
  held.stored = gathering();
  StoreChange change{.kind = StoreChange::Kind::renew, .row = {}};
  change.row.token = held.token;
  change.row.length = seconds_of(held.length);
  change.row.ends = mono_of(held.ends);
  add(std::move(change), pool, now);
}

void StoreBooks::ended(LeasePool& pool, const HeldLease& held, Time now) {
  --totals_.rows;
  totals_.rows_sum -= held.share + share_of_times(held);
  totals_.ending -= held.ends ? 1U : 0U;
  StoreChange change{.kind = StoreChange::Kind::remove, .row = {}};
  change.row.token = held.token;
  change.row.note = held.note;
  add(std::move(change), pool, now);
}

void StoreBooks::add(StoreChange change, LeasePool& pool, Time now) {
  pool.stored = gathering();
  add(std::move(change), now);
}

void StoreBooks::add(StoreChange change, Time now) {
  if (batch_.changes.empty()) {
    open_.push_back({.number = gathering(), .since = now});
  }
  open_.back().top = totals_.top;
  batch_.changes.push_back(std::move(change));
}

std::optional<StoreBatch> StoreBooks::take_batch() {
  if (batch_.changes.empty()) {
    return std::nullopt;
  }
  batch_.totals = totals_;
  const uint64_t next = batch_.number + 1;
  return std::exchange(batch_, StoreBatch{.number = next, .changes = {}, .totals = {}});
}

void StoreBooks::stored(uint64_t number) {
  while (!open_.empty() && open_.front().number <= number) {
    stored_top_ = open_.front().top;
    open_.pop_front();
  }
  stored_ = std::max(stored_, number);
}

std::optional<Time> StoreBooks::waits_since() const {
  return open_.empty() ? std::nullopt : std::optional{open_.front().since};
}

}  // namespace distributex
