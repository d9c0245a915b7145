// SPDX-License-Identifier: MIT
// If the last commit is of an earlier boot, two clocks tell the time since then: the wall
// clock, which may be wrong, and the uptime, which leaves out the time off. The lesser of
// the two is never too long: on one machine all of the uptime has passed since the commit.
#include "backends/sqlite/clock.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "base/clock.h"
#include "base/handle.h"

namespace distributex {

namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

// The first line of a small file; empty if the file cannot be read.
std::string first_line(const char* path) {
  const Fd fd(open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 128> part{};
  const ssize_t size = fd ? read(fd.get(), part.data(), part.size()) : 0;
  if (size <= 0) {
    return {};
  }
  const std::string_view all(part.data(), static_cast<size_t>(size));
  return std::string(all.substr(0, all.find('\n')));
}

std::string boot_name() {
  const char* given = std::getenv("DISTRIBUTEX_BOOT_ID");
  std::string name = given && *given ? given : first_line("/proc/sys/kernel/random/boot_id");
  std::erase(name, '-');
  return name.substr(0, 64);
}

// A kernel without time namespaces counts as the first one.
uint64_t time_namespace() {
  std::array<char, 64> target{};
  const ssize_t size = readlink("/proc/self/ns/time", target.data(), target.size() - 1);
  if (size < 0) {
    return errno == ENOENT ? first_time_namespace : 0;
  }
  const std::string_view text(target.data(), static_cast<size_t>(size));
  const size_t open = text.find('[');
  return open == std::string_view::npos ? 0 : std::strtoull(target.data() + open + 1, nullptr, 10);
}

// How much later `then` is than `first`; between 0 and a century, for wall clocks may be
// wrong.
nanoseconds wall_between(int64_t first_us, int64_t then_us) {
  constexpr microseconds century = std::chrono::hours{24 * 36525};
  if (first_us < 0 || then_us < first_us) {
    return nanoseconds{0};
  }
  return std::min(microseconds{then_us - first_us}, century);
}

bool is_in_time_namespace(uint64_t timens) { return timens != first_time_namespace; }

}  // namespace

StoreMoment store_moment() {
  return {.boot = boot_name(),
          .timens = time_namespace(),
          .machine = first_line("/etc/machine-id"),
          .mono = nanoseconds(steady_now().time_since_epoch()).count(),
          .wall = static_cast<int64_t>(wall_us()),
          .uptime = time_since_boot().count()};
}

bool is_same_boot(const StoreMeta& seen, const StoreMoment& now) {
  return !now.boot.empty() && seen.boot == now.boot && seen.timens == now.timens &&
         !is_in_time_namespace(now.timens) && now.mono >= seen.seen_mono;
}

nanoseconds time_gone(const StoreMeta& seen, const StoreMoment& now) {
  if (is_in_time_namespace(now.timens)) {
    return nanoseconds{0};
  }
  return std::min(nanoseconds{std::max<int64_t>(now.uptime, 0)},
                  wall_between(seen.seen_wall, now.wall));
}

void carry_over(StoreRow& row, const StoreMeta& seen, const StoreMoment& now) {
  row.since_mono = now.mono - wall_between(row.since_wall, now.wall).count();
  if (!row.ends) {
    return;
  }
  // A freeze ends when its operator expects it; a lease only when its time has certainly gone.
  const nanoseconds gone =
      row.kind == StoreKind::freeze ? wall_between(seen.seen_wall, now.wall) : time_gone(seen, now);
  const int64_t left = *row.ends - seen.seen_mono - gone.count();
  row.ends = now.mono + std::max<int64_t>(left, 0);
}

}  // namespace distributex
