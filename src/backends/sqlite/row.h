// SPDX-License-Identifier: MIT
// What a store keeps: one row for each lease, and one row about the whole. Each
// has a share of the sum by which a lost or changed row is noticed; the shares
// are 64 bits of a hash, and add up modulo 2^64. The hash is part of the file's
// format: a store moves between machines of any byte order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lock/words.h"

namespace distributex {

// What a row stands for: a lease, or a ruling. The numbers are in the file.
enum class StoreKind : uint8_t {
  lease = 0,
  freeze = 1,   // pool: its name or pattern; host: by whom; text: the reason
  rest = 2,     // of the slot that the lease with this token had; text: why
  failures = 3  // token: so many failed runs in a row
};

// Times of a lease: on the monotonic clock in nanoseconds, but for since_wall,
// which is for people: microseconds since 1970.
struct StoreRow {
  Token token = 0;
  std::string pool;
  Owner owner;
  int64_t since_wall = 0;
  int64_t since_mono = 0;
  std::optional<int64_t> length;  // in seconds; nothing: it never ends
  std::optional<int64_t> ends;    // nothing: never
  StoreKind kind = StoreKind::lease;
  std::string text{};  // of a ruling
  std::string note{};  // no part of the sum; of a lease that ends: was there one
};

// What does not change while a lease lasts has a share of its own: a renewal
// needs to know no more than the times before and after.
[[nodiscard]] uint64_t share_of_identity(Token token, std::string_view pool, const Owner& owner,
                                         int64_t since_wall, int64_t since_mono);
[[nodiscard]] uint64_t share_of_times(Token token, std::optional<int64_t> length,
                                      std::optional<int64_t> ends);
[[nodiscard]] uint64_t share_of(const StoreRow& row);
// Of a ruling, in a sum of its own: programs that know no rulings leave it alone.
[[nodiscard]] uint64_t share_of_ruling(const StoreRow& row);

// The one row about all others.
struct StoreMeta {
  uint64_t minor = 0;    // of the format: what older programs need not know
  uint64_t commits = 0;  // of all that were made
  uint64_t rows = 0;     // of leases
  Token top = 0;         // the highest token that was granted
  std::string boot;      // the boot in which the monotonic clock has its meaning
  uint64_t timens = 0;   // and its time namespace
  int64_t seen_mono = 0;
  int64_t seen_wall = 0;
  std::string machine;
  std::string program;  // the version that wrote it; no part of the sum
};

[[nodiscard]] uint64_t share_of(const StoreMeta& meta);

}  // namespace distributex
