// SPDX-License-Identifier: MIT
// A store goes from one time namespace to another, as a volume does between a machine
// and its containers: the boot is the same, the monotonic clock is not. A clock that is
// 5,000 s ahead must not end a lease of 600 s, and one that is behind must not prolong
// it. Time namespaces need root.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/http.h"
#include "support/test.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace distributex::test {
namespace {

constexpr double length = 600;  // seconds, of each lease
constexpr double rounding = 0.01;

// Children get a monotonic clock that is ahead of this process's, until leave().
class AheadClock {
 public:
  explicit AheadClock(int seconds)
      : outside_(open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC)) {
    const std::string ahead = std::to_string(seconds) + " 0\n";
    is_there_ = outside_ >= 0 && unshare(CLONE_NEWTIME) == 0 &&
                write_offsets("monotonic " + ahead + "boottime " + ahead);
    if (!is_there_) {
      print_message("no time namespace: %s\n", strerror(errno));
    }
  }
  ~AheadClock() {
    leave();
    close(outside_);
  }
  AheadClock(const AheadClock&) = delete;
  AheadClock& operator=(const AheadClock&) = delete;

  [[nodiscard]] bool is_there() const { return is_there_; }
  void leave() const { (void)setns(outside_, CLONE_NEWTIME); }

 private:
  static bool write_offsets(const std::string& text) {
    const int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
      return false;
    }
    const ssize_t written = write(fd, text.data(), text.size());
    const int error = errno;
    close(fd);
    errno = error;
    return written == static_cast<ssize_t>(text.size());
  }

  int outside_;
  bool is_there_ = false;
};

struct Fixture {
  TempDir place;
  Daemon daemon{"backend: sqlite\nsqlitefile: " + place.file("locks.db") +
                "\npools:\n  - {name: first, expire: 600}\n  - {name: second, expire: 600}\n"};

  Response take(const char* pool, const char* host) const {
    return fetch(daemon.port(), std::string("/get?pool=") + pool + "&host=" + host);
  }
  // The holder has it still, for at most its length and for no less than is left of a lease
  // that began then; nobody else gets it.
  void expect_held(const char* pool, const std::string& token, Clock::time_point began) const {
    assert_text(take(pool, "other").body, "NO");
    const Response held = take(pool, "holder");
    assert_text(held.body, "YES");
    assert_text(held.header("Distributex-Token"), token);
    const double left = std::stod(held.header("Distributex-Expires"));
    const std::chrono::duration<double> gone = Clock::now() - began;
    assert_true(left + rounding >= length - gone.count());
    assert_true(left <= length + rounding);
  }
};

void another_clock_ends_no_lock_early(void** state) {
  auto& f = fixture_of<Fixture>(state);
  assert_true(f.daemon.start());
  const Clock::time_point before = Clock::now();
  const Response first = f.take("first", "holder");
  assert_text(first.body, "YES");
  f.daemon.kill_now();

  const AheadClock clock(5000);
  if (!clock.is_there()) {
    skip();
  }
  assert_true(f.daemon.start());
  f.expect_held("first", first.header("Distributex-Token"), before);
  const Response second = f.take("second", "holder");
  assert_text(second.body, "YES");
  f.daemon.kill_now();

  clock.leave();
  assert_true(f.daemon.start());
  f.expect_held("first", first.header("Distributex-Token"), before);
  f.expect_held("second", second.header("Distributex-Token"), before);
  assert_true(f.daemon.stop());
}

// The control: the clock of a child is what the test says it is.
void the_clock_of_children_is_ahead(void**) {
  const AheadClock clock(5000);
  if (!clock.is_there()) {
    skip();
  }
  const auto here = Clock::now().time_since_epoch();
  FILE* there = popen("cut -d' ' -f1 /proc/uptime", "re");
  assert_non_null(there);
  char line[64] = "";
  assert_non_null(fgets(line, sizeof line, there));
  pclose(there);
  const double ahead = std::stod(line) - std::chrono::duration<double>(here).count();
  assert_true(ahead > 4000);
}

}  // namespace
}  // namespace distributex::test

int main() {
  using namespace distributex::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(the_clock_of_children_is_ahead),
      test_with(Fixture, another_clock_ends_no_lock_early),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
