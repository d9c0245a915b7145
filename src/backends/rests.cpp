// SPDX-License-Identifier: MIT
// If min_hold and release_delay both apply, the one that ends later counts.
#include "backends/rests.h"

#include <algorithm>
#include <array>

namespace distributex {

namespace {

// In the order of Rest::Why.
constexpr std::array<std::string_view, 3> names{"min_hold", "release_delay", "lock_delay"};

std::optional<Rest> rest_until(const Lease& lease, Time ends, Rest::Why why, Time now) {
  if (ends <= now) {
    return std::nullopt;
  }
  return Rest{.owner = lease.owner, .token = lease.token, .ends = ends, .why = why};
}

}  // namespace

bool may_rest(const PoolSpec* spec) {
  return spec && (spec->min_hold.count() > 0 || spec->release_delay.count() > 0);
}

std::optional<Rest> rest_after_release(const PoolSpec* spec, const Lease& lease, Time now) {
  if (!spec) {
    return std::nullopt;
  }
  // If the wall clock was set back, a restored lease may begin later than now.
  const Time held = std::min(lease.since, now) + spec->min_hold;
  const Time delayed = now + spec->release_delay;
  return held > delayed ? rest_until(lease, held, Rest::Why::min_hold, now)
                        : rest_until(lease, delayed, Rest::Why::release_delay, now);
}

std::optional<Rest> rest_after_cut(const PoolSpec* spec, const Lease& lease, Time at, Time now) {
  return spec ? rest_until(lease, at + spec->lock_delay, Rest::Why::lock_delay, now) : std::nullopt;
}

std::string_view rest_name(Rest::Why why) { return names[static_cast<size_t>(why)]; }

std::optional<Rest::Why> find_rest(std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) {
      return static_cast<Rest::Why>(i);
    }
  }
  return std::nullopt;
}

Happening rested(const std::string& pool, const Rest& rest, Time now) {
  return {.kind = Happening::Kind::rested,
          .pool = pool,
          .owner = rest.owner,
          .token = rest.token,
          .reason = std::string(rest_name(rest.why)),
          .lasts = rest.ends - now};
}

Freeze freeze_after(const std::string& pool, uint32_t runs, const Owner& last,
                    const std::string& how, Time now) {
  return {.pool = pool,
          .reason = std::to_string(runs) +
                    (runs == 1 ? " run failed, " : " runs failed in a row, last ") +
                    last.host.substr(0, 160) + " (" + how + ")",
          .by = "freeze_after",
          .since = now,
          .until = {}};
}

std::string how_it_failed(std::optional<uint8_t> status) {
  return status ? "exit status " + std::to_string(*status) : "it failed";
}

}  // namespace distributex
