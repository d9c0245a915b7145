// SPDX-License-Identifier: MIT
// The LockInfo of Terraform and OpenTofu: what a client tells about its lock, and what
// others are told of it. Pure, and total: any bytes are a sound input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "lock/words.h"

namespace distributex {

struct LockInfo {
  std::string id;         // 1 to 255 bytes, a sound name
  std::string operation;  // the rest as it came
  std::string info;
  std::string who;
  std::string version;
  std::string created;  // RFC 3339, or empty
  std::string path;
};

// From a body; or one sentence about what is wrong with it.
[[nodiscard]] std::variant<LockInfo, std::string> read_lock_info(std::string_view body);

// With all seven members.
[[nodiscard]] std::string lock_info_json(const LockInfo& info);

// Whose lock it is: the host behind the @ of `who`, and the ID.
[[nodiscard]] Owner owner_of(const LockInfo& info);

// To be kept with the lease: long members are left out until it is small enough.
[[nodiscard]] std::string note_of(LockInfo info);

// What is told of a lease, whoever has it; wall_us is the clock of day.
[[nodiscard]] LockInfo info_of(const Owner& owner, Token token, std::string_view note,
                               Duration held, uint64_t wall_us);

// 2026-11-26T09:40:00.123456000Z
[[nodiscard]] std::string rfc3339(uint64_t wall_us);

}  // namespace distributex
