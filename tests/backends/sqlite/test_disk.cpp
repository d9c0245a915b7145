// SPDX-License-Identifier: MIT
// What the disk may do to a store: the process is killed or the power is cut at
// every call of a short run, every call fails once, syncs fail, bytes change and
// files end early, memory runs out. A commit that was acknowledged is always
// found again, and nothing else but a commit that was under way.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>
#include <vector>

#include "support/choices.h"
#include "support/daemon.h"
#include "support/fault_disk.h"
#include "support/store.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using Fault = FaultDisk::Fault;

constexpr uint64_t commits = 12;
constexpr int killed = 77;
constexpr int tries = 6;

struct Commit {
  std::vector<StoreChange> changes;
  StoreTotals totals;
};

struct Fixture {
  TempDir dir{};
  std::vector<Commit> plan{};
  std::vector<std::string> texts{""};  // what is there after so many commits

  // Later commits go behind those that an earlier process has made.
  void lay_out(uint64_t count = commits) {
    StoreModel model;
    for (uint64_t n = 1; n <= count; n++) {
      Commit commit;
      commit.changes.push_back(model.grant(2 * n));
      commit.changes.push_back(model.grant(2 * n + 1));
      if (n % 3 == 0) commit.changes.push_back(model.end(2 * n - 1));
      commit.totals = model.totals;
      plan.push_back(std::move(commit));
      texts.push_back(model.text());
    }
  }
  std::string disk() const { return dir.file("disk") + "/locks.db"; }
  std::string twin() const { return dir.file("twin") + "/locks.db"; }
  void clear() const {
    for (const char* folder : {"disk", "twin"}) {
      std::filesystem::remove_all(dir.file(folder));
      std::filesystem::create_directory(dir.file(folder));
    }
  }
};

// In a process of its own: opens the store and makes the commits that are not
// there yet, each until it is done; 0 when all are.
int work(const Fixture& f, FaultDisk& disk, uint64_t from, uint64_t to, bool closes) {
  StoreFile file;
  StoreContents contents;
  StoreOutcome trouble;
  for (int i = 0; i < tries; i++)
    if (!(trouble = file.open(f.disk(), StoreFile::Purpose::serve, contents))) break;
  if (trouble) return is_for_people(trouble->kind) ? 3 : 4;
  const StoreTotals totals{.rows = contents.rows.size(),
                           .rows_sum = contents.rows_sum,
                           .top = contents.meta.top,
                           .ending = 0};
  for (int i = 0; i < tries; i++) {
    std::string doubt;
    if (!(trouble = file.prepare({}, totals, store_moment(), doubt))) break;
  }
  if (trouble) return 5;
  for (uint64_t n = from; n < to; n++) {
    for (int i = 0; i < tries; i++)
      if (!(trouble = file.commit(f.plan[n].changes, f.plan[n].totals, store_moment()))) break;
    if (trouble) return 6;
    disk.note(n + 1);
    if (n % 4 == 3) (void)file.checkpoint();
  }
  if (closes) file.close();
  return 0;
}

// The store has the first so many commits, or one more that was under way.
void check(const Fixture& f, const std::string& path, uint64_t acked, const char* what,
           uint64_t call) {
  const std::string text = look_at_store(path);
  const bool is_new = acked == 0 && (text == "refused: missing" || text.empty());
  const bool is_next = acked + 1 < f.texts.size() && text == f.texts[acked + 1];
  assert_that(is_new || is_next || text == f.texts[acked],
              "%s at call %d: after %d commits: %.300s", what, static_cast<int>(call),
              static_cast<int>(acked), text.c_str());
}

// A note beside the store is not synced: after a power cut it may be gone.
void a_kill_or_power_cut_at_any_call_loses_nothing(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.lay_out();
  FaultDisk disk(f.dir.file("twin"));
  for (uint64_t call = 1;; call++) {
    f.clear();
    disk.reset();
    disk.plan(Fault::death, call);
    const int code = in_other_process([&] { return work(f, disk, 0, commits, true); });
    const uint64_t acked = disk.noted();
    disk.plan(Fault::none, 0);
    if (code == 0) {
      assert_true(call > 60);
      return;
    }
    assert_int_equal(code, killed);
    check(f, f.twin(), acked, "power cut", call);
    check(f, f.disk(), acked, "kill", call);
  }
}

void fail_each_call(Fixture& f, Fault fault, const char* what) {
  f.lay_out();
  FaultDisk disk(f.dir.file("twin"));
  for (uint64_t call = 1;; call++) {
    f.clear();
    disk.reset();
    disk.plan(fault, call, 1 + call % 2);
    const int code = in_other_process([&] { return work(f, disk, 0, commits, false); });
    const bool struck = disk.has_struck();
    const uint64_t acked = disk.noted();
    disk.plan(Fault::none, 0);
    assert_that(code == 0 && acked == commits, "%s at call %d: exit %d after %d commits", what,
                static_cast<int>(call), code, static_cast<int>(acked));
    check(f, f.twin(), acked, what, call);
    check(f, f.disk(), acked, what, call);
    if (!struck) return;
  }
}

void a_call_that_fails_loses_nothing(void** state) {
  fail_each_call(fixture_of<Fixture>(state), Fault::write_error, "an error");
}

void a_disk_that_is_full_loses_nothing(void** state) {
  fail_each_call(fixture_of<Fixture>(state), Fault::full, "no room");
}

void a_sync_that_fails_loses_nothing(void** state) {
  fail_each_call(fixture_of<Fixture>(state), Fault::sync_error, "a failed sync");
}

// The log's end is known to the page cache alone when the next process starts.
// Only what it syncs before its first commit keeps what comes behind.
void a_restart_after_failed_syncs_loses_nothing(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.lay_out();
  FaultDisk disk(f.dir.file("twin"));
  for (uint64_t sync = 1; sync <= 12; sync++) {
    f.clear();
    disk.reset();
    disk.plan(Fault::sync_error, sync, 1000);
    const int first = in_other_process([&] { return work(f, disk, 0, commits, false); });
    assert_true(first != 0);
    disk.plan(Fault::none, 0);
    const uint64_t before = disk.noted();
    // The one that was refused may be there; it is made again.
    const int second = in_other_process([&] { return work(f, disk, before, commits, false); });
    assert_int_equal(second, 0);
    check(f, f.twin(), commits, "power cut after the restart", sync);
  }
}

// --- damage ---

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.file_size() > 0) files.push_back(entry.path().filename().string());
  std::sort(files.begin(), files.end());
  return files;
}

// One change in a copy of a store; the damaged copy is right or refused.
void damage_once(const Fixture& f, Choices& dice, const std::string& good, bool cuts,
                 const std::string& right, std::map<std::string, int>& tally) {
  f.clear();
  const std::string folder = f.dir.file("disk");
  for (const std::string& name : files_of(good))
    std::filesystem::copy_file(good + "/" + name, folder + "/" + name);
  uint64_t total = 0;
  const std::vector<std::string> files = files_of(folder);
  for (const std::string& name : files) total += std::filesystem::file_size(folder + "/" + name);
  uint64_t at = dice.below(total);
  std::string path;
  for (const std::string& name : files) {
    path = folder + "/" + name;
    const uint64_t size = std::filesystem::file_size(path);
    if (at < size) break;
    at -= size;
  }
  if (cuts) {
    std::filesystem::resize_file(path, at);
  } else {
    std::string content = read_whole_file(path);
    content[at] = static_cast<char>(content[at] ^ static_cast<char>(1 + dice.below(255)));
    write_file(path, content);
  }
  const int code = in_other_process([&] {
    alarm(20);
    const std::string text = look_at_store(f.disk());
    return text == right ? 0 : text.starts_with("refused: ") ? 1 : 2;
  });
  tally[code == 0 ? "harmless" : code == 1 ? "refused" : "wrong"]++;
  assert_that(code < 2, "%s of %s at %d: exit %d", cuts ? "a cut" : "a flip", path.c_str(),
              static_cast<int>(at), code);
}

void damage_is_found(Fixture& f, bool closes, bool cuts, int times) {
  f.lay_out(60);
  FaultDisk disk(f.dir.file("twin"));
  f.clear();
  disk.reset();
  assert_int_equal(in_other_process([&] { return work(f, disk, 0, 60, closes); }), 0);
  const std::string good = f.dir.file("good");
  std::filesystem::rename(f.dir.file("disk"), good);
  Choices dice(closes ? 11 : 12);
  std::map<std::string, int> tally;
  for (int i = 0; i < times; i++) damage_once(f, dice, good, cuts, f.texts.back(), tally);
  assert_true(tally["refused"] > times / 20);
}

void a_byte_that_changed_in_a_killed_store_is_found(void** state) {
  damage_is_found(fixture_of<Fixture>(state), false, false, 350);
}
void a_byte_that_changed_in_a_closed_store_is_found(void** state) {
  damage_is_found(fixture_of<Fixture>(state), true, false, 350);
}
void a_file_that_ends_early_is_found(void** state) {
  damage_is_found(fixture_of<Fixture>(state), false, true, 300);
}

// --- memory ---

sqlite3_mem_methods real_memory;
uint64_t allocations = 0;
uint64_t fails_at = 0;

void* allocate(int size) { return ++allocations == fails_at ? nullptr : real_memory.xMalloc(size); }
void* allocate_again(void* memory, int size) {
  return ++allocations == fails_at ? nullptr : real_memory.xRealloc(memory, size);
}

// The process ends; what it has said is there.
void without_memory_the_store_stays_whole(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.lay_out();
  const int all = in_other_process([&] {
    sqlite3_shutdown();
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    sqlite3_mem_methods memory = real_memory;
    memory.xMalloc = allocate;
    memory.xRealloc = allocate_again;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    FaultDisk disk(f.dir.file("twin"));
    const auto run = [&] { return work(f, disk, 0, 4, false); };
    f.clear();
    disk.reset();
    // How many there are is told by a run without a fault, and a step is taken
    // that visits a few hundred of them.
    if (run() != 0) return 1;
    const uint64_t step = allocations / 150 + 1;
    for (uint64_t at = 1; at <= allocations; at += step) {
      f.clear();
      disk.reset();
      const int code = in_other_process([&] {
        allocations = 0;
        fails_at = at;
        return work(f, disk, 0, 4, false);
      });
      if (code != 0 && code != 128 + SIGABRT) return 2;
      const uint64_t acked = disk.noted();
      const std::string text = look_at_store(f.disk());
      const bool is_new = acked == 0 && (text.empty() || text == "refused: missing");
      if (!is_new && text != f.texts[acked] && text != f.texts[acked + 1]) return 3;
    }
    return 0;
  });
  assert_int_equal(all, 0);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      test_with(Fixture, a_kill_or_power_cut_at_any_call_loses_nothing),
      test_with(Fixture, a_call_that_fails_loses_nothing),
      test_with(Fixture, a_disk_that_is_full_loses_nothing),
      test_with(Fixture, a_sync_that_fails_loses_nothing),
      test_with(Fixture, a_restart_after_failed_syncs_loses_nothing),
      test_with(Fixture, a_byte_that_changed_in_a_killed_store_is_found),
      test_with(Fixture, a_byte_that_changed_in_a_closed_store_is_found),
      test_with(Fixture, a_file_that_ends_early_is_found),
      test_with(Fixture, without_memory_the_store_stays_whole),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
