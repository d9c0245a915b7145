// SPDX-License-Identifier: MIT
// A value that cannot be read counts as offset 0 and clock 0. The next step of the clock
// and the next raise of the offset write a good value again; after the offset fell, a server
// raises it above every token that it has seen before it grants.
#include "backends/etcd/clock.h"

#include <algorithm>

namespace distributex {

using std::chrono::milliseconds;

void EtcdClock::note(const EtcdKv& kv, Time now) {
  if (kv.mod <= mod_) {
    return;
  }
  text_ = kv.value;
  const uint64_t before = value_.offset;
  value_ = parse_base(kv.value).value_or(EtcdBaseValue{});
  has_fallen_ = has_fallen_ || value_.offset < before;
  mod_ = kv.mod;
  seen_ = now;
}

void EtcdClock::forget() {
  text_.clear();
  value_ = {};
  mod_ = 0;
}

int64_t EtcdClock::at(Time now) const {
  if (!is_known()) {
    return 0;
  }
  const auto since = std::chrono::floor<milliseconds>(std::max(now - seen_, Duration::zero()));
  return value_.clock + std::min<int64_t>(since.count(), step_max.count());
}

std::string EtcdClock::next(Time now, uint64_t offset) const {
  return format_base({.offset = offset, .clock = at(now)});
}

// An entry with clock `then` was written before the next step of the clock, and that step
// covered four seconds at most. If there was no step since, it may have been written just
// now, however old the clock's value is: the clock stands while nothing has an end.
Time EtcdClock::latest_moment_of(int64_t then) const {
  if (then >= value_.clock) {
    return Time::max();
  }
  return seen_ - milliseconds(value_.clock - then) + step_max;
}

}  // namespace distributex
