// SPDX-License-Identifier: MIT
// A daemon whose store meets what disks and people do: no room, no answer, no
// power, a file that is removed, damaged, newer or taken, another boot. It says
// why in one line, loses nothing, and goes on by itself. Disks of one's own need
// namespaces; a power cut and a disk that hangs need root and loop devices.
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "support/daemon.h"
#include "support/http.h"
#include "support/namespace.h"
#include "support/rest.h"
#include "support/status.h"
#include "support/store.h"
#include "support/test.h"

namespace distributex::test {
namespace {

std::string no_namespace;  // why there is none

std::string yaml_for(const std::string& file, const char* more = "") {
  return "backend: sqlite\nsqlitefile: " + file + "\n" + more +
         "pools:\n  - {name: mutex, expire: 600}\n  - {name: many, expire: 600, maxlocks: "
         "100000}\n";
}

// A disk in memory of that many bytes.
struct TinyDisk {
  TempDir place;
  bool mounted;

  explicit TinyDisk(const char* options)
      : mounted(mount("tiny", place.path().c_str(), "tmpfs", 0, options) == 0) {}
  ~TinyDisk() {
    if (mounted) {
      umount2(place.path().c_str(), MNT_DETACH);
    }
  }
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

  void fill() const {
    FILE* ballast = fopen(place.file("ballast").c_str(), "we");
    const std::string block(4096, 'x');
    while (fwrite(block.data(), 1, block.size(), ballast) == block.size() && fflush(ballast) == 0) {
    }
    fclose(ballast);
  }
  void empty() const { unlink(place.file("ballast").c_str()); }
};

// An ext4 in a file, on a loop device.
struct LoopDisk {
  TempDir place;
  std::string folder = place.file("disk");
  bool mounted = false;

  LoopDisk() {
    const std::string image = place.file("image");
    mounted = geteuid() == 0 &&
              system(("mkdir " + folder + " && truncate -s 64M " + image +
                      " && PATH=$PATH:/usr/sbin mkfs.ext4 -q -F " + image)
                         .c_str()) == 0 &&
              remount();
  }
  ~LoopDisk() { (void)unmount(); }
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;

  bool remount() {
    return system(
               ("mount -o loop " + place.file("image") + " " + folder + " 2>/dev/null").c_str()) ==
           0;
  }
  bool unmount() {
    if (!mounted) {
      return true;
    }
    return system(("umount " + folder + " 2>/dev/null").c_str()) == 0;
  }
  // What the system has not written is lost.
  bool cut_power() const {
    const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t how = 2;  // without flushing the log
    const bool cut = ioctl(fd, _IOR('X', 125, uint32_t), &how) == 0;
    close(fd);
    return cut;
  }
  bool hang(bool hangs) const {
    const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool done = ioctl(fd, hangs ? FIFREEZE : FITHAW, 0) == 0;
    close(fd);
    return done;
  }
};

Response ready(const Daemon& daemon) { return fetch(daemon.port(), "/readyz"); }
bool is_ready(const Daemon& daemon) {
  return eventually([&] { return ready(daemon).status == 200; });
}

void a_disk_that_is_full_is_said_and_heals(void**) {
  if (!no_namespace.empty()) {
    skip();
  }
  TinyDisk disk("size=16m");
  assert_true(disk.mounted);
  Daemon daemon(yaml_for(disk.place.file("locks.db")));
  disk.fill();
  assert_true(daemon.start());
  const Response refused = fetch(daemon.port(), "/get?pool=mutex&host=a");
  assert_int_equal(refused.status, 503);
  assert_text(refused.body, "NO");
  assert_text(ready(daemon).body, "the disk is full: " + disk.place.path() + "\n");
  disk.empty();
  assert_true(is_ready(daemon));
  assert_text(word(daemon.port(), "/get?pool=mutex&host=a"), "YES");
  // The room that the daemon set aside at the start lasts for a while.
  disk.fill();
  Connection client(daemon.port());
  for (int i = 0; i < 300; i++) {
    const std::string host = "&host=h" + std::to_string(i);
    assert_text(word(client, "/get?pool=many" + host), "YES");
    if (i % 2 == 0) {
      assert_text(word(client, "/release?pool=many" + host), "OK");
    }
  }
  daemon.kill_now();
  assert_true(daemon.restart());
  assert_int_equal(pool_state(daemon.port(), "many").holders.size(), 150);
  assert_text(holders_of(daemon.port(), "mutex"), "a");
  assert_true(daemon.stop());
}

void a_disk_that_hangs_holds_up_nobody_else(void**) {
  LoopDisk disk;
  if (!disk.mounted) {
    skip();
  }
  Daemon daemon(yaml_for(disk.folder + "/locks.db", "sqlitetimeout: 500\n"));
  assert_true(daemon.start());
  assert_text(word(daemon.port(), "/get?pool=mutex&host=a"), "YES");
  assert_true(disk.hang(true));
  const Response refused = fetch(daemon.port(), "/get?pool=many&host=b");
  const Response busy = fetch(daemon.port(), "/livez");
  const Response held = fetch(daemon.port(), "/get?pool=mutex&host=a");
  const Response why = ready(daemon);
  assert_true(disk.hang(false));
  assert_int_equal(refused.status, 503);
  assert_int_equal(busy.status, 200);
  assert_text(held.header("Distributex-Result"), "held");
  assert_that(why.body.starts_with("the disk has not answered for "), "%s", why.body.c_str());
  assert_true(is_ready(daemon));
  // The client was not told of the grant, so the daemon took it back.
  assert_text(holders_of(daemon.port(), "many"), "");
  assert_text(word(daemon.port(), "/get?pool=many&host=b"), "YES");
  assert_true(daemon.stop());
}

// Clients that only take locks; what each was told of before the power went.
std::set<int64_t> take_until_cut(const Daemon& daemon, const LoopDisk& disk, unsigned locks) {
  std::set<int64_t> told;
  Connection client(daemon.port());
  for (unsigned i = 0; i < locks; i++) {
    const Response got = fetch(client, "/get?pool=many&host=h" + std::to_string(i));
    assert_text(got.body, "YES");
    told.insert(std::stoll(got.header("Distributex-Token")));
  }
  assert_true(disk.cut_power());
  return told;
}

void a_power_cut_loses_no_lock(void**) {
  LoopDisk disk;
  if (!disk.mounted) {
    skip();
  }
  Daemon daemon(yaml_for(disk.folder + "/locks.db"));
  std::set<int64_t> told;
  for (unsigned round = 0; round < 4; round++) {
    assert_true(daemon.start());  // on any port: another program may have taken the last one
    for (const int64_t token : take_until_cut(daemon, disk, 20 + 60 * round)) {
      told.insert(token);
    }
    daemon.kill_now();
    assert_true(disk.unmount() && disk.remount());
  }
  assert_true(daemon.restart());
  std::set<int64_t> held;
  for (const HolderState& holder : pool_state(daemon.port(), "many").holders) {
    held.insert(holder.token);
  }
  for (const int64_t token : told) {
    assert_that(held.contains(token), "token %ld is lost", static_cast<long>(token));
  }
  assert_true(daemon.stop());
}

// The control: what is committed without a sync does not outlive such a cut.
void a_power_cut_is_one(void**) {
  LoopDisk disk;
  if (!disk.mounted) {
    skip();
  }
  const std::string path = disk.folder + "/control.db";
  tamper(path, "PRAGMA journal_mode = WAL; CREATE TABLE t(n)");
  assert_int_equal(
      in_other_process([&] {
        sqlite3* db = nullptr;
        sqlite3_open(path.c_str(), &db);
        sqlite3_exec(db, "PRAGMA synchronous = NORMAL", nullptr, nullptr, nullptr);
        for (int i = 0; i < 100; i++) {
          if (sqlite3_exec(db, "INSERT INTO t VALUES(1)", nullptr, nullptr, nullptr) != SQLITE_OK) {
            return 1;
          }
        }
        return disk.cut_power() ? 0 : 2;
      }),
      0);
  assert_true(disk.unmount() && disk.remount());
  Sql sql;
  int64_t kept = 100;
  assert_false(sql.open(path, false).has_value());
  (void)sql.ask("SELECT count(*) FROM t", kept);
  sql.close();
  assert_true(kept < 100);
}

struct Fixture {
  TempDir dir{};
  const std::string file = dir.file("locks.db");
  Daemon daemon{yaml_for(file)};

  bool finish() { return daemon.stop(); }
  // Starts another daemon with this store; returns its exit status and last line.
  std::string refusal() const {
    Daemon other(yaml_for(file));
    other.spawn();
    const auto code = other.wait_exit();
    const std::vector<std::string> lines = other.log_lines("error");
    return std::to_string(code.value_or(-1)) + " " + (lines.empty() ? "" : lines.back());
  }
};

void a_second_daemon_is_refused(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start());
  const std::string said = f.refusal();
  assert_that(said.starts_with("71 ") && said.ends_with(f.file + " is in use by process " +
                                                        std::to_string(f.daemon.pid())),
              "%s", said.c_str());
  assert_text(word(f.daemon.port(), "/get?pool=mutex&host=a"), "YES");
}

void a_damaged_or_newer_store_is_refused(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start());
  assert_text(word(f.daemon.port(), "/get?pool=mutex&host=a"), "YES");
  assert_true(f.daemon.stop());
  const std::string whole = read_whole_file(f.file);
  tamper(f.file, "DELETE FROM lease");
  std::string said = f.refusal();
  assert_that(said.starts_with("65 ") && said.find("is damaged") != std::string::npos, "%s",
              said.c_str());
  tamper(f.file, "PRAGMA user_version = 2");
  said = f.refusal();
  assert_that(said.starts_with("65 ") && said.find("has format 2") != std::string::npos, "%s",
              said.c_str());
  unlink(f.file.c_str());
  said = f.refusal();
  assert_that(said.starts_with("65 ") && said.find("is gone") != std::string::npos, "%s",
              said.c_str());
  write_file(f.file, whole);
  assert_true(f.daemon.restart());
  assert_text(holders_of(f.daemon.port(), "mutex"), "a");
}

void a_store_that_is_removed_is_noticed(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start());
  assert_text(word(f.daemon.port(), "/get?pool=mutex&host=a"), "YES");
  const std::string away = f.dir.file("away");
  assert_int_equal(rename(f.file.c_str(), away.c_str()), 0);
  assert_int_equal(fetch(f.daemon.port(), "/get?pool=many&host=b").status, 503);
  assert_that(ready(f.daemon).body.find("was removed or replaced") != std::string::npos, "%s",
              ready(f.daemon).body.c_str());
  assert_int_equal(rename(away.c_str(), f.file.c_str()), 0);
  assert_true(is_ready(f.daemon));
  assert_text(word(f.daemon.port(), "/get?pool=many&host=b"), "YES");
}

// Without a lease that ends the store writes nothing by itself; it looks all the same.
void a_store_that_is_removed_is_noticed_though_nobody_asks(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start());
  assert_true(is_ready(f.daemon));
  const std::string away = f.dir.file("away");
  assert_int_equal(rename(f.file.c_str(), away.c_str()), 0);
  assert_true(eventually([&] { return ready(f.daemon).status == 503; }));
  assert_int_equal(rename(away.c_str(), f.file.c_str()), 0);
  assert_true(is_ready(f.daemon));
}

// The times of another boot mean nothing; what was left is left.
void another_boot_ends_no_lock_early(void** state) {
  Fixture& f = fixture_of<Fixture>(state);
  const auto before = Clock::now();
  assert_true(f.daemon.start({.environment = {"DISTRIBUTEX_BOOT_ID=one"}}));
  const Response granted = fetch(f.daemon.port(), "/get?pool=mutex&host=a");
  const auto after = Clock::now();
  f.daemon.kill_now();
  assert_true(f.daemon.start({.environment = {"DISTRIBUTEX_BOOT_ID=two"}}));
  assert_int_equal(f.daemon.log_lines("store opened leases=1 boot=other").size(), 1);
  const auto asked = Clock::now();
  const Response held = fetch(f.daemon.port(), "/get?pool=mutex&host=a");
  assert_text(held.header("Distributex-Token"), granted.header("Distributex-Token"));
  const std::chrono::duration<double> left(std::stod(held.header("Distributex-Expires")));
  constexpr std::chrono::duration<double> length{600};
  constexpr std::chrono::duration<double> rounding{0.01};
  // The lease does not end early, and ends late by the time without a daemon at most.
  assert_true(Clock::now() + left + rounding >= before + length);
  assert_true(left <= length + rounding);
  assert_true(asked + left - rounding <= asked + length && after > before);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  no_namespace = enter_namespaces(CLONE_NEWNS);
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_disk_that_is_full_is_said_and_heals),
      cmocka_unit_test(a_disk_that_hangs_holds_up_nobody_else),
      cmocka_unit_test(a_power_cut_loses_no_lock),
      cmocka_unit_test(a_power_cut_is_one),
      test_with(Fixture, a_second_daemon_is_refused),
      test_with(Fixture, a_damaged_or_newer_store_is_refused),
      test_with(Fixture, a_store_that_is_removed_is_noticed),
      test_with(Fixture, a_store_that_is_removed_is_noticed_though_nobody_asks),
      test_with(Fixture, another_boot_ends_no_lock_early),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
