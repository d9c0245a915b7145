// SPDX-License-Identifier: MIT
// Each commit grants two leases, and every third ends one.
#include "support/store_run.h"

#include <filesystem>

namespace distributex::test {

namespace {

constexpr int tries = 6;

}  // namespace

void StoreRun::lay_out(uint64_t count) {
  StoreModel model;
  for (uint64_t n = 1; n <= count; n++) {
    Commit commit;
    commit.changes.push_back(model.grant(2 * n));
    commit.changes.push_back(model.grant(2 * n + 1));
    if (n % 3 == 0) {
      commit.changes.push_back(model.end(2 * n - 1));
    }
    commit.totals = model.totals;
    plan.push_back(std::move(commit));
    texts.push_back(model.text());
  }
}

void StoreRun::clear() const {
  for (const char* folder : {"disk", "twin"}) {
    std::filesystem::remove_all(dir.file(folder));
    std::filesystem::create_directory(dir.file(folder));
  }
}

int StoreRun::work(FaultDisk& disk, uint64_t from, uint64_t to, bool closes) const {
  StoreFile file;
  file.set_room(room);
  StoreContents contents;
  StoreOutcome trouble;
  for (int i = 0; i < tries; i++) {
    if (!(trouble = file.open(this->disk(), StoreFile::Purpose::serve, contents))) {
      break;
    }
  }
  if (trouble) {
    return is_for_people(trouble->kind) ? 3 : 4;
  }
  const StoreTotals totals{.rows = contents.rows.size(),
                           .rows_sum = contents.rows_sum,
                           .top = contents.meta.top,
                           .ending = 0};
  for (int i = 0; i < tries; i++) {
    std::string doubt;
    if (!(trouble = file.prepare({}, totals, store_moment(), doubt))) {
      break;
    }
  }
  if (trouble) {
    return 5;
  }
  for (uint64_t n = from; n < to; n++) {
    for (int i = 0; i < tries; i++) {
      if (!(trouble = file.commit(plan[n].changes, plan[n].totals, store_moment()))) {
        break;
      }
    }
    if (trouble) {
      return 6;
    }
    disk.note(n + 1);
    if (moves_log && n % 4 == 3) {
      (void)file.checkpoint();
    }
  }
  if (closes) {
    file.close();
  }
  return 0;
}

std::string StoreRun::wrong_with(const std::string& path, uint64_t acked) const {
  const std::string text = look_at_store(path);
  const bool is_new = acked == 0 && (text == "refused: missing" || text.empty());
  const bool is_next = acked + 1 < texts.size() && text == texts[acked + 1];
  if (is_new || is_next || text == texts[acked]) {
    return "";
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace distributex::test
