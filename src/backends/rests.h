// SPDX-License-Identifier: MIT
// How long a slot stays closed after its lease has ended (it "rests"), and the freeze
// after too many failed runs. Computes only; the backend stores rests and counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lock/words.h"

namespace distributex {

// Whether a slot of this pool may stay closed after a release.
[[nodiscard]] bool may_rest(const PoolSpec* spec);
// Returns nullopt if the slot is free at once. spec: nullptr if no configured pool has
// this name any more.
[[nodiscard]] std::optional<Rest> rest_after_release(const PoolSpec* spec, const Lease& lease,
                                                     Time now);
// For a lease that ended by time or was evicted; `at` is when.
[[nodiscard]] std::optional<Rest> rest_after_cut(const PoolSpec* spec, const Lease& lease, Time at,
                                                 Time now);

// The name of the option that asks for the rest, such as "min_hold".
[[nodiscard]] std::string_view rest_name(Rest::Why why);
[[nodiscard]] std::optional<Rest::Why> find_rest(std::string_view name);
[[nodiscard]] Happening rested(const std::string& pool, const Rest& rest, Time now);

// The freeze after `runs` failed runs in a row; `last` and `how` describe the last one.
[[nodiscard]] Freeze freeze_after(const std::string& pool, uint32_t runs, const Owner& last,
                                  const std::string& how, Time now);
// "exit status 1"; without a status "it failed".
[[nodiscard]] std::string how_it_failed(std::optional<uint8_t> status);

}  // namespace distributex
