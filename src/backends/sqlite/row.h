// SPDX-License-Identifier: MIT
// The rows of a store: one for each lease and ruling, and one about the whole. The store
// keeps sums of hashes of its rows, so that a reader notices a lost or changed row: each
// row's share is a hash of 64 bits, and shares add up modulo 2^64. The hash is part of the
// file's format and the same on machines of any byte order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lock/words.h"

namespace distributex {

// What a row is: a lease, or a ruling of one of three kinds. The file has these numbers.
enum class StoreKind : uint8_t {
  lease = 0,
  freeze = 1,   // pool: name or pattern; host: who froze it; text: the reason
  rest = 2,     // token: of the lease that had the slot; text: why
  failures = 3  // token: the number of failed runs in a row
};

// Times are nanoseconds of the monotonic clock; only since_wall, which is for people, is in
// microseconds since 1970.
struct StoreRow {
  Token token = 0;
  std::string pool;
  Owner owner;
  int64_t since_wall = 0;
  int64_t since_mono = 0;
  std::optional<int64_t> length;  // in seconds; nullopt: it never ends
  std::optional<int64_t> ends;    // nullopt: never
  StoreKind kind = StoreKind::lease;
  std::string text{};  // rulings only
  std::string note{};  // leases only; not part of the sum
};

// A lease's share has two parts: a renewal changes the part of the times only, so it need not
// know the rest of the row.
[[nodiscard]] uint64_t share_of_identity(Token token, std::string_view pool, const Owner& owner,
                                         int64_t since_wall, int64_t since_mono);
[[nodiscard]] uint64_t share_of_times(Token token, std::optional<int64_t> length,
                                      std::optional<int64_t> ends);
[[nodiscard]] uint64_t share_of(const StoreRow& row);
// Rulings have a sum of their own, which older programs, knowing no rulings, leave alone.
[[nodiscard]] uint64_t share_of_ruling(const StoreRow& row);

// The one row about all others.
struct StoreMeta {
  uint64_t minor = 0;    // see store_minor
  uint64_t commits = 0;  // how many commits were made
  uint64_t rows = 0;     // how many leases there are
  Token top = 0;         // the highest token that was granted
  std::string boot;      // the boot whose monotonic clock the times are of
  uint64_t timens = 0;   // the time namespace of that clock
  int64_t seen_mono = 0;
  int64_t seen_wall = 0;
  std::string machine;
  std::string program;  // the version that wrote the store; not part of the sum
};

[[nodiscard]] uint64_t share_of(const StoreMeta& meta);

}  // namespace distributex
