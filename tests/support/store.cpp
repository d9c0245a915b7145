// SPDX-License-Identifier: MIT
// Rows that can be told apart, of a few hundred bytes in all kinds.
#include "support/store.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace distributex::test {

StoreRow StoreModel::row_of(uint64_t number) {
  StoreRow row;
  row.token = number;
  row.pool = "pool-" + std::to_string(number % 50);
  row.owner = {"host-" + std::to_string(number) + ".example.com",
               number % 3 == 0 ? "" : std::string(number % 120, 'i') + std::to_string(number)};
  row.since_wall = static_cast<int64_t>(number) * 1000;
  row.since_mono = static_cast<int64_t>(number) * 7;
  if (number % 4 != 0) {
    row.length = 1800;
    row.ends = int64_t{1} << 60;
  }
  return row;
}

StoreChange StoreModel::grant(uint64_t number) {
  StoreRow row = row_of(number);
  totals.rows++;
  totals.rows_sum += share_of(row);
  totals.top = number;
  totals.ending += row.ends ? 1U : 0U;
  rows.push_back(row);
  return {.kind = StoreChange::Kind::put, .row = std::move(row)};
}

StoreChange StoreModel::end(uint64_t number) {
  const StoreRow row = row_of(number);
  totals.rows--;
  totals.rows_sum -= share_of(row);
  totals.ending -= row.ends ? 1U : 0U;
  std::erase_if(rows, [&](const StoreRow& one) { return one.token == number; });
  StoreChange change{.kind = StoreChange::Kind::remove, .row = {}};
  change.row.token = number;
  return change;
}

std::string StoreModel::text() const { return text_of(rows); }

std::string text_of(const std::vector<StoreRow>& rows) {
  std::string text;
  for (const StoreRow& row : rows) {
    text += std::to_string(row.token) + " " + row.pool + " " + row.owner.host + " " + row.owner.id +
            " " + std::to_string(row.since_wall) + " " + std::to_string(row.since_mono) + " " +
            (row.length ? std::to_string(*row.length) : "-") + " " +
            (row.ends ? std::to_string(*row.ends) : "-") + "\n";
  }
  return text;
}

std::string look_at_store(const std::string& path) {
  StoreFile file;
  StoreContents contents;
  const StoreOutcome trouble = file.open(path, StoreFile::Purpose::look, contents);
  const std::string text =
      trouble ? std::string("refused: ") + name_of(trouble->kind) : text_of(contents.rows);
  file.close();
  return text;
}

std::string serve_store(StoreFile& file, const std::string& path, StoreContents& contents) {
  if (auto trouble = file.open(path, StoreFile::Purpose::serve, contents)) {
    return trouble->what;
  }
  StoreTotals totals{.rows = contents.rows.size(),
                     .rows_sum = contents.rows_sum,
                     .top = contents.meta.top,
                     .ending = 0};
  std::string doubt;
  if (auto trouble = file.prepare({}, totals, store_moment(), doubt)) {
    return trouble->what;
  }
  return doubt;
}

int in_other_process(const std::function<int()>& what) {
  fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    _exit(what());
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) {
    abort();
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void tamper(const std::string& path, const char* statements) {
  sqlite3* db = nullptr;
  const bool well = sqlite3_open(path.c_str(), &db) == SQLITE_OK &&
                    sqlite3_exec(db, statements, nullptr, nullptr, nullptr) == SQLITE_OK;
  if (!well) {
    fprintf(stderr, "%s: %s\n", statements, sqlite3_errmsg(db));
  }
  sqlite3_close(db);
  if (!well) {
    abort();
  }
}

}  // namespace distributex::test
