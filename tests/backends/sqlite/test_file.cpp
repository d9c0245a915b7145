// SPDX-License-Identifier: MIT
// The store by itself: what is committed comes back, and what is not whole is
// refused and stays as it was. What the disk does to it is in test_disk.cpp.
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "backends/sqlite/check.h"
#include "backends/sqlite/file.h"
#include "support/daemon.h"
#include "support/store.h"
#include "support/test.h"

namespace distributex::test {
namespace {

struct Fixture {
  TempDir dir{};
  StoreModel model{};
  const std::string path = dir.file("locks.db");

  // Grants that many leases and ends every second one, ten changes a commit. Then the process
  // closes the store, or dies without that.
  void fill(uint64_t leases, bool closes) {
    std::vector<std::vector<StoreChange>> commits;
    std::vector<StoreTotals> totals;
    for (uint64_t n = 1; n <= leases; n++) {
      if (commits.empty() || commits.back().size() >= 10) {
        commits.emplace_back();
        totals.emplace_back();
      }
      commits.back().push_back(model.grant(n));
      if (n % 2 == 0) {
        commits.back().push_back(model.end(n));
      }
      totals.back() = model.totals;
    }
    const int code = in_other_process([&] {
      StoreFile file;
      StoreContents contents;
      if (!serve_store(file, path, contents).empty()) {
        return 1;
      }
      for (size_t i = 0; i < commits.size(); i++) {
        if (file.commit(commits[i], totals[i], store_moment())) {
          return 2;
        }
      }
      if (closes) {
        file.close();
      }
      return 0;
    });
    assert_int_equal(code, 0);
  }
  std::string refusal(StoreFile::Purpose purpose = StoreFile::Purpose::serve) const {
    StoreFile file;
    StoreContents contents;
    const auto trouble = file.open(path, purpose, contents);
    return trouble ? trouble->what : "";
  }
};

ino_t inode(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

void what_was_committed_comes_back(void** state) {
  for (const bool closes : {true, false}) {
    Fixture f;
    f.fill(200, closes);
    assert_text(look_at_store(f.path), f.model.text());
    assert_true((inode(f.path + "-wal") == 0) == closes);
  }
  (void)state;
}

void a_repeated_change_changes_nothing(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  StoreFile file;
  StoreContents contents;
  assert_text(serve_store(file, f.path, contents), "");
  assert_true(contents.is_new);
  const std::vector<StoreChange> changes{f.model.grant(1), f.model.grant(2), f.model.end(1)};
  for (int i = 0; i < 3; i++) {
    assert_false(file.commit(changes, f.model.totals, store_moment()).has_value());
  }
  file.close();
  assert_text(look_at_store(f.path), f.model.text());
}

void a_renewal_changes_length_and_end(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  StoreFile file;
  StoreContents contents;
  assert_text(serve_store(file, f.path, contents), "");
  const StoreChange grant = f.model.grant(1);
  StoreChange renewal{.kind = StoreChange::Kind::renew, .row = {}};
  renewal.row.token = 1;
  renewal.row.length = 20;
  renewal.row.ends = 4711;
  StoreRow& row = f.model.rows[0];
  row.length = 20;
  row.ends = 4711;
  f.model.totals.rows_sum = share_of(row);
  assert_false(file.commit({grant, renewal}, f.model.totals, store_moment()).has_value());
  file.close();
  assert_text(look_at_store(f.path), f.model.text());
}

void its_files_are_not_for_others(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const mode_t before = umask(0022);
  f.fill(10, false);
  umask(before);
  for (const char* end : {"locks.db", "locks.db-wal", "locks.lock"}) {
    struct stat status {};
    assert_int_equal(stat(f.dir.file(end).c_str(), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
  }
}

void only_one_process_has_it(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  StoreFile file;
  StoreContents contents;
  assert_text(serve_store(file, f.path, contents), "");
  const std::string taken = f.path + " is in use by process " + std::to_string(getpid());
  assert_text(f.refusal(), taken);
  assert_text(f.refusal(StoreFile::Purpose::look), taken);
  file.close();
  assert_text(f.refusal(), "");
}

void a_store_that_somebody_reads_is_in_use(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.fill(10, true);
  sqlite3* db = nullptr;
  assert_int_equal(sqlite3_open(f.path.c_str(), &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM lease", nullptr, nullptr, nullptr),
                   SQLITE_OK);
  const int code =
      in_other_process([&] { return f.refusal().ends_with("is open in another program") ? 0 : 1; });
  sqlite3_close(db);
  assert_int_equal(code, 0);
}

// An older program neither reads nor loses what a newer one has added.
void a_newer_minor_format_is_served_and_kept(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.fill(20, true);
  tamper(
      f.path,
      "ALTER TABLE lease ADD COLUMN mood TEXT; UPDATE lease SET mood = 'good';"
      "ALTER TABLE meta ADD COLUMN more INTEGER; UPDATE meta SET more = 5;"
      "CREATE TABLE pool(name TEXT PRIMARY KEY, frozen TEXT); INSERT INTO pool VALUES('p', 'x')");
  StoreFile file;
  StoreContents contents;
  assert_text(serve_store(file, f.path, contents), "");
  f.model.totals.top = 20;
  const StoreChange again{.kind = StoreChange::Kind::put, .row = StoreModel::row_of(1)};
  assert_false(file.commit({again, f.model.grant(21)}, f.model.totals, store_moment()).has_value());
  file.close();
  assert_text(look_at_store(f.path), f.model.text());
  Sql sql;
  int64_t kept = 0;
  assert_false(sql.open(f.path, false).has_value());
  assert_false(sql.ask("SELECT (SELECT count(*) FROM lease WHERE mood = 'good') * 100 + (SELECT "
                       "more FROM meta) * 10 + (SELECT count(*) FROM pool WHERE frozen = 'x')",
                       kept)
                   .has_value());
  assert_int_equal(kept, 10 * 100 + 5 * 10 + 1);
}

struct Refusal {
  const char* what;
  const char* statements;
  const char* says;
};

constexpr Refusal refusals[] = {
    {"newer", "PRAGMA user_version = 2", "has format 2, and this program knows 1"},
    {"foreign", "PRAGMA application_id = 7", "is not a store of distributexd"},
    {"a row less", "DELETE FROM lease WHERE token = 5", "do not add up"},
    {"another end", "UPDATE lease SET ends = ends + 1 WHERE token = 5", "do not add up"},
    {"another owner", "UPDATE lease SET id = 'x' WHERE token = 5", "do not add up"},
    {"a row more", "INSERT INTO lease VALUES(4,'p','h','',1,1,1,1)", "do not add up"},
    {"a lower token", "UPDATE meta SET top = 1", "do not add up"},
    {"another boot", "UPDATE meta SET boot = 'x'", "do not add up"},
    {"no first row", "DELETE FROM meta", "its first row is missing"},
    {"a blob", "UPDATE lease SET host = x'00' WHERE token = 5", "a lease has an impossible value"},
    {"fewer commits", "UPDATE meta SET commits = 1, sum = 0", "commits are missing"},
    {"no tables", "DROP TABLE lease", "is damaged (SQL logic error)"},
};

void what_is_not_whole_is_refused_and_stays(void**) {
  for (const Refusal& r : refusals) {
    Fixture f;
    f.fill(20, true);
    tamper(f.path, r.statements);
    const std::string before = read_whole_file(f.path);
    const std::string said = f.refusal();
    assert_that(said.find(r.says) != std::string::npos, "%s: \"%s\"", r.what, said.c_str());
    assert_that(read_whole_file(f.path) == before, "%s: the file was changed", r.what);
  }
}

// The lock file alone has the mark: whoever removes that, and not the rest, has an old store.
void the_advice_names_all_files_whatever_the_name(void**) {
  const std::string said = damage("/a/store.sqlite", "x").what;
  assert_true(
      said.find("remove /a/store.sqlite, /a/store.sqlite-wal and /a/store.sqlite.lock to") !=
      std::string::npos);
}

void a_check_calls_no_store_whole_that_is_none(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  write_file(f.path, "");
  const StoreReport empty = check_store(f.path, false);
  assert_text(empty.text, f.path + ": empty, no store was begun in it\n");
  assert_int_equal(empty.exit_code, EX_OK);
  const StoreReport device = check_store("/dev/null", false);
  assert_text(device.text, "/dev/null is no regular file\n");
  assert_int_equal(device.exit_code, EX_OSERR);
}

void a_store_that_is_gone_is_not_begun_anew(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.fill(20, false);
  const std::string good = f.dir.file("good");
  assert_int_equal(rename(f.path.c_str(), good.c_str()), 0);
  assert_text(f.refusal(), f.path + " is damaged (the file is gone): restore it, or remove " +
                               f.path + ", " + f.path + "-wal and " + f.dir.file("locks.lock") +
                               " to start without locks");
  assert_true(inode(f.path) == 0);
  unlink(f.dir.file("locks.lock").c_str());
  assert_true(f.refusal().find("the file is gone") != std::string::npos);  // the log alone is there
  assert_int_equal(rename(good.c_str(), f.path.c_str()), 0);
  assert_text(look_at_store(f.path), f.model.text());
}

void a_log_that_is_gone_is_missed(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.fill(20, false);
  unlink((f.path + "-wal").c_str());
  assert_true(f.refusal().find("missing") != std::string::npos);
}

void an_older_file_is_missed(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.fill(20, true);
  const std::string old = read_whole_file(f.path);
  StoreFile file;
  StoreContents contents;
  assert_text(serve_store(file, f.path, contents), "");
  file.close();
  write_file(f.path, old);
  assert_true(f.refusal().find("(1 commit is missing)") != std::string::npos);
}

void a_removed_file_takes_no_commit(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  StoreFile file;
  StoreContents contents;
  assert_text(serve_store(file, f.path, contents), "");
  const std::string away = f.dir.file("away");
  assert_int_equal(rename(f.path.c_str(), away.c_str()), 0);
  const std::vector<StoreChange> changes{f.model.grant(1)};
  const auto trouble = file.commit(changes, f.model.totals, store_moment());
  assert_true(trouble && trouble->kind == StoreTrouble::Kind::gone);
  assert_int_equal(rename(away.c_str(), f.path.c_str()), 0);
  assert_false(file.commit(changes, f.model.totals, store_moment()).has_value());
  file.close();
  assert_text(look_at_store(f.path), f.model.text());
}

void file_systems_without_promises_are_refused(void**) {
  std::string doubt;
  for (const long type : {0x6969L, 0xff534d42L, 0xfe534d42L, 0x01021997L}) {
    const auto trouble = judge_place(type, "/x", doubt);
    assert_true(trouble && trouble->kind == StoreTrouble::Kind::place);
  }
  for (const long type : {0x01021994L, 0x794c7630L}) {
    assert_false(judge_place(type, "/x", doubt).has_value());
    assert_true(doubt.find("mount a volume") != std::string::npos);
  }
  assert_false(judge_place(0xef53, "/x", doubt).has_value());
  assert_text(doubt, "");
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(what_was_committed_comes_back),
      test_with(Fixture, a_repeated_change_changes_nothing),
      test_with(Fixture, a_renewal_changes_length_and_end),
      test_with(Fixture, its_files_are_not_for_others),
      test_with(Fixture, only_one_process_has_it),
      test_with(Fixture, a_store_that_somebody_reads_is_in_use),
      test_with(Fixture, a_newer_minor_format_is_served_and_kept),
      cmocka_unit_test(what_is_not_whole_is_refused_and_stays),
      cmocka_unit_test(the_advice_names_all_files_whatever_the_name),
      test_with(Fixture, a_check_calls_no_store_whole_that_is_none),
      test_with(Fixture, a_store_that_is_gone_is_not_begun_anew),
      test_with(Fixture, a_log_that_is_gone_is_missed),
      test_with(Fixture, an_older_file_is_missed),
      test_with(Fixture, a_removed_file_takes_no_commit),
      cmocka_unit_test(file_systems_without_promises_are_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
