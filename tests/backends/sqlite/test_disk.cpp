// SPDX-License-Identifier: MIT
// What the disk may do to a store: the process is killed or the power is cut at
// every call of a short run, every call fails once, syncs fail. A commit that was
// acknowledged is always found again, and nothing else but one that was under way.
#include "support/store_run.h"
#include "support/test.h"

namespace distributex::test {
namespace {

using Fault = FaultDisk::Fault;
using Fixture = StoreRun;

constexpr uint64_t commits = StoreRun::commits;

void check(const Fixture& f, const std::string& path, uint64_t acked, const char* what,
           uint64_t call) {
  const std::string wrong = f.wrong_with(path, acked);
  assert_that(wrong.empty(), "%s at call %d: after %d commits: %.300s", what,
              static_cast<int>(call), static_cast<int>(acked), wrong.c_str());
}

// The note in locks.lock is not synced: after a power cut it may be gone.
void a_kill_or_power_cut_at_any_call_loses_nothing(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.lay_out();
  FaultDisk disk(f.dir.file("twin"));
  for (uint64_t call = 1;; call++) {
    f.clear();
    disk.reset();
    disk.plan(Fault::death, call);
    const int code = in_other_process([&] { return f.work(disk, 0, commits, true); });
    const uint64_t acked = disk.noted();
    disk.plan(Fault::none, 0);
    if (code == 0) {
      assert_true(call > 60);
      return;
    }
    assert_int_equal(code, StoreRun::killed);
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
    const int code = in_other_process([&] { return f.work(disk, 0, commits, false); });
    const bool struck = disk.has_struck();
    const uint64_t acked = disk.noted();
    disk.plan(Fault::none, 0);
    assert_that(code == 0 && acked == commits, "%s at call %d: exit %d after %d commits", what,
                static_cast<int>(call), code, static_cast<int>(acked));
    check(f, f.twin(), acked, what, call);
    check(f, f.disk(), acked, what, call);
    if (!struck) {
      return;
    }
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

// After failed syncs the end of the log is in the page cache alone when the next process
// starts. That process must sync the log before its first commit, or later commits are lost.
void a_restart_after_failed_syncs_loses_nothing(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  f.lay_out();
  f.room = 0;
  f.moves_log = false;
  FaultDisk disk(f.dir.file("twin"));
  for (uint64_t sync = 1; sync <= 12; sync++) {
    f.clear();
    disk.reset();
    disk.plan(Fault::sync_error, sync, 1000);
    const int first = in_other_process([&] { return f.work(disk, 0, commits, false); });
    assert_true(first != 0);
    disk.plan(Fault::none, 0);
    const uint64_t before = disk.noted();
    // The commit that was refused may be in the store; the second process makes it again.
    const int second = in_other_process([&] { return f.work(disk, before, commits, false); });
    assert_int_equal(second, 0);
    check(f, f.twin(), commits, "power cut after the restart", sync);
  }
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
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
