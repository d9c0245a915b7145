// SPDX-License-Identifier: MIT
// What /status/ tells, as values, and the waits that build on it: a test knows
// that a waiter is parked because the daemon says so. Also the handle for
// jansson's objects. No asserts here.
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/daemon.h"

namespace distributex::test {

struct JsonFree {
  void operator()(json_t* json) const { json_decref(json); }
};
using Json = std::unique_ptr<json_t, JsonFree>;

// Null unless the text is one sound JSON value without repeated keys.
[[nodiscard]] Json parse_json(std::string_view text);
// "" when there is no such text member.
[[nodiscard]] std::string json_text(const json_t* object, const char* key);
// The number, whole or not; nothing when the member is absent or null.
[[nodiscard]] std::optional<double> json_number_at(const json_t* object, const char* key);

struct HolderState {
  std::string host;
  std::string id;
  int64_t token = 0;
  double since = 0;
  std::optional<double> expires_in;
};

struct WaiterState {
  std::string host;
  std::string id;
  double since = 0;
};

struct PoolState {
  std::string name;
  int64_t maxlocks = 0;
  int64_t expire = 0;
  std::vector<std::string> servers;
  std::vector<HolderState> holders;
  std::vector<WaiterState> waiting;
};

// All pools that the answer lists; nothing when it is not what it should be.
[[nodiscard]] std::optional<std::vector<PoolState>> all_pools(uint16_t port,
                                                              std::string_view query = "");
// One pool; an empty name when there is none.
[[nodiscard]] PoolState pool_state(uint16_t port, std::string_view pool);
// The holders' hosts in the order told, with a space between: "a b".
[[nodiscard]] std::string holders_of(uint16_t port, std::string_view pool);
[[nodiscard]] std::string waiters_of(uint16_t port, std::string_view pool);

// True once exactly so many wait, or hold; false after patience.
[[nodiscard]] bool wait_for_waiting(uint16_t port, std::string_view pool, size_t count);
[[nodiscard]] bool wait_for_holders(uint16_t port, std::string_view pool, size_t count);

}  // namespace distributex::test
