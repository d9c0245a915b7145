// SPDX-License-Identifier: MIT
// The order of the steps is the safe one: no row is written before all rows were read.
#include "backends/sqlite/opening.h"

#include <sysexits.h>

#include <utility>

#include "base/log.h"

namespace distributex {

namespace {

BackendRefusal refusal(const StoreTrouble& trouble) {
  return {is_for_people(trouble.kind) ? EX_DATAERR : EX_OSERR, trouble.what};
}

Lease lease_of(const StoreRow& row) {
  const auto time = [](int64_t ns) { return Time{std::chrono::nanoseconds{ns}}; };
  return {.owner = row.owner,
          .token = row.token,
          .since = time(row.since_mono),
          .ends = row.ends ? std::optional{time(*row.ends)} : std::nullopt,
          .note = row.note};
}

// Returns false if the pool has a lease of this owner already.
bool enter(const StoreRow& row, LeaseTable& table, StoreBooks& books) {
  const auto length = row.length ? std::optional{std::chrono::seconds{*row.length}} : std::nullopt;
  HeldLease* held = table.restore(table.open(row.pool), lease_of(row), length);
  if (held) {
    books.restore(*held, row);
  }
  return held != nullptr;
}

void warn_of_machine(const StoreMeta& meta, const StoreMoment& now) {
  if (meta.machine.empty() || meta.machine == now.machine) {
    return;
  }
  log_line(Level::warning,
           "store comes from another machine: leases end by the difference of both clocks");
}

}  // namespace

std::optional<BackendRefusal> open_store(const std::string& path, StoreWriter& writer,
                                         LeaseTable& table, StoreBooks& books,
                                         StoreRulings& rulings, OpenedStore& opened) {
  std::string doubt;
  if (auto trouble = check_place(path, doubt)) {
    return refusal(*trouble);
  }
  StoreContents contents;
  if (auto trouble = writer.file().open(path, StoreFile::Purpose::serve, contents)) {
    return refusal(*trouble);
  }
  if (!doubt.empty()) {
    log_line(Level::warning, "store: %s", doubt.c_str());
  }
  const StoreMoment now = store_moment();
  opened.is_new = contents.is_new;
  opened.same_boot = !contents.is_new && is_same_boot(contents.meta, now);
  opened.leases = contents.rows.size();
  opened.top = contents.meta.top;
  if (!contents.is_new) {
    warn_of_machine(contents.meta, now);
    if (!opened.same_boot) {
      opened.gone =
          std::chrono::duration_cast<std::chrono::milliseconds>(time_gone(contents.meta, now));
    }
  }
  books.restore_top(contents.meta.top);
  for (StoreRow& row : contents.rows) {
    if (!opened.same_boot) {
      carry_over(row, contents.meta, now);
    }
    if (!enter(row, table, books)) {
      return refusal(damage(path, "two leases of one owner in pool \"" + row.pool + "\""));
    }
  }
  for (StoreRow& row : contents.rulings) {
    if (!opened.same_boot) {
      carry_over(row, contents.meta, now);
    }
    rulings.restore(row);
    contents.rows.push_back(std::move(row));
  }
  if (opened.same_boot) {
    contents.rows.clear();
  }
  opened.trouble = writer.start({std::move(contents.rows), books.totals()});
  return std::nullopt;
}

}  // namespace distributex
