// SPDX-License-Identifier: MIT
// The LockInfo of Terraform and OpenTofu: a client describes its lock with it, and other
// clients are shown it. Pure, and total: any bytes are a sound input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "lock/words.h"

namespace distributex {

struct LockInfo {
  std::string id;         // 1 to 255 bytes, a sound name
  std::string operation;  // this and the other texts: as the client sent them
  std::string info;
  std::string who;
  std::string version;
  std::string created;  // RFC 3339, or empty
  std::string path;
};

// Reads a body. On failure returns one sentence about what is wrong with it.
[[nodiscard]] std::variant<LockInfo, std::string> read_lock_info(std::string_view body);

// JSON with all seven members.
[[nodiscard]] std::string lock_info_json(const LockInfo& info);

// The owner of the lock: its host is the text behind the @ of `who`, its id is the ID.
[[nodiscard]] Owner owner_of(const LockInfo& info);

// The note to be kept with the lease. If it is too long, members are emptied until it fits.
[[nodiscard]] std::string note_of(LockInfo info);

// Describes a lease, whichever door it came through. wall_us: now, in microseconds since
// 1970.
[[nodiscard]] LockInfo info_of(const Owner& owner, Token token, std::string_view note,
                               Duration held, uint64_t wall_us);

// 2026-11-26T09:40:00.123456000Z
[[nodiscard]] std::string rfc3339(uint64_t wall_us);

}  // namespace distributex
