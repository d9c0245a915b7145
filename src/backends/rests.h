// SPDX-License-Identifier: MIT
// How long a slot rests after its lease has ended, and how many runs have failed
// in a row. Pure arithmetic; the backend keeps both.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lock/words.h"

namespace distributex {

// Whether a slot of such a pool may stay closed after a release.
[[nodiscard]] bool may_rest(const PoolSpec* spec);
// Nothing when the slot is free at once. spec: nullptr when no configured pool has
// this name any more.
[[nodiscard]] std::optional<Rest> rest_after_release(const PoolSpec* spec, const Lease& lease,
                                                     Time now);
// `at`: when the lease ended by time, or was evicted.
[[nodiscard]] std::optional<Rest> rest_after_cut(const PoolSpec* spec, const Lease& lease, Time at,
                                                 Time now);

// As an option is called: "min_hold".
[[nodiscard]] std::string_view rest_name(Rest::Why why);
[[nodiscard]] std::optional<Rest::Why> find_rest(std::string_view name);
[[nodiscard]] Happening rested(const std::string& pool, const Rest& rest, Time now);

// The freeze that so many failed runs in a row are worth; the last was this.
[[nodiscard]] Freeze freeze_after(const std::string& pool, uint32_t runs, const Owner& last,
                                  const std::string& how, Time now);
// "exit status 1"; without a status "it failed".
[[nodiscard]] std::string how_it_failed(std::optional<uint8_t> status);

}  // namespace distributex
