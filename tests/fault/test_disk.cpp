// SPDX-License-Identifier: MIT
// The log cannot be written: its disk is full, or it has reached the size that a
// file may have. Locks are granted all the same, what was dropped is counted,
// and the log goes on where there is room again. What log.cpp does by itself
// with a descriptor that refuses is in base/test_log.cpp.
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/metrics.h"
#include "support/namespace.h"
#include "support/rest.h"
#include "support/test.h"

namespace distributex::test {
namespace {

constexpr std::string_view pools = R"(pools:
  - {name: mutex, expire: 600}
)";

constexpr size_t disk_size = 256 * 1024;

std::string no_namespace;  // why there is none

// A folder on a disk of its own.
struct TinyDisk {
  TempDir place;
  bool mounted = false;

  TinyDisk() {
    const std::string options = "size=" + std::to_string(disk_size);
    mounted = mount("tiny", place.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~TinyDisk() {
    if (mounted) {
      umount2(place.path().c_str(), MNT_DETACH);
    }
  }
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

  // fill() leaves no room on the disk, empty() frees it again.
  void fill() const {
    FILE* ballast = fopen(place.file("ballast").c_str(), "we");
    const std::string block(4096, 'x');
    while (fwrite(block.data(), 1, block.size(), ballast) == block.size() && fflush(ballast) == 0) {
    }
    fclose(ballast);
  }
  void empty() const { unlink(place.file("ballast").c_str()); }
};

// A daemon whose files are in the folder that TMPDIR names.
std::unique_ptr<Daemon> daemon_in(const std::string& folder) {
  const char* before = getenv("TMPDIR");
  const std::string old = before != nullptr ? before : "";
  setenv("TMPDIR", folder.c_str(), 1);
  auto daemon = std::make_unique<Daemon>(pools);
  if (before != nullptr) {
    setenv("TMPDIR", old.c_str(), 1);
  } else {
    unsetenv("TMPDIR");
  }
  return daemon;
}

// Each round makes two lines of the log. All answers are right, whatever the log does.
void take_turns(const Daemon& daemon, int rounds, long long& token) {
  Connection client(daemon.port());
  for (int i = 0; i < rounds; i++) {
    const Response granted = fetch(client, "/get?pool=mutex&host=a");
    assert_text(granted.body, "YES");
    const long long next = atoll(granted.header("Distributex-Token").c_str());
    assert_that(next > token, "token %lld after %lld", next, token);
    token = next;
    assert_text(word(client, "/get?pool=mutex&host=b"), "NO");
    assert_text(fetch(client, "/release?pool=mutex&host=a").header("Distributex-Result"),
                "released");
  }
}

// The log must have the grants of the beginning without a gap, then the number of dropped
// lines, then the grants of the end.
void check_log(Daemon& daemon, long long first, long long last) {
  long long expected = first;
  bool gap = false;
  for (const std::string& line : daemon.log_lines()) {
    if (line.find("log: dropped=") != std::string::npos) {
      gap = true;
      continue;
    }
    if (line.find("event=granted") == std::string::npos) {
      continue;
    }
    const long long token = atoll(line.c_str() + line.find("token=") + 6);
    assert_that(token == expected || (gap && token > expected), "\"%s\" where %lld should be",
                line.c_str(), expected);
    expected = token + 1;
  }
  assert_true(gap);
  assert_int_equal(expected, last + 1);
}

void check_full_and_empty(Daemon& daemon, const std::function<void()>& fill,
                          const std::function<void()>& empty) {
  long long token = 0;
  const long at_rest = daemon.open_files();
  take_turns(daemon, 1, token);
  const long long first = token;
  fill();
  const milliseconds before = daemon.cpu_time();
  take_turns(daemon, 600, token);
  assert_true(sample_of(daemon.port(), "distributex_log_dropped_lines_total") > 100);
  assert_true(daemon.cpu_time() - before < std::chrono::seconds{5});
  assert_text(word(daemon.port(), "/livez"), "ok\n");
  empty();
  take_turns(daemon, 2, token);
  assert_true(daemon.wait_for_log("token=" + std::to_string(token)).has_value());
  check_log(daemon, first, token);
  assert_text(unrest(daemon, "mutex", 1, at_rest), "");
  assert_true(daemon.stop());
}

void a_full_disk_under_the_log_costs_lines_and_no_locks(void**) {
  if (!no_namespace.empty()) {
    print_message("skipped: no mount namespace (%s), so no full disk\n", no_namespace.c_str());
    skip();
  }
  TinyDisk disk;
  assert_true(disk.mounted);
  const auto daemon = daemon_in(disk.place.path());
  assert_true(daemon->start());
  check_full_and_empty(
      *daemon, [&] { disk.fill(); }, [&] { disk.empty(); });
}

void a_log_as_long_as_a_file_may_be_costs_lines_and_no_locks(void**) {
  Daemon daemon(pools);
  assert_true(daemon.start());
  const auto allow = [&](rlim_t bytes) {
    const rlimit limit{bytes, RLIM_INFINITY};
    assert_int_equal(prlimit(daemon.pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  };
  check_full_and_empty(
      daemon, [&] { allow(4000); }, [&] { allow(RLIM_INFINITY); });
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  no_namespace = enter_namespaces(CLONE_NEWNS);
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_full_disk_under_the_log_costs_lines_and_no_locks),
      cmocka_unit_test(a_log_as_long_as_a_file_may_be_costs_lines_and_no_locks),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
