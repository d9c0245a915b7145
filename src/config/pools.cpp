// SPDX-License-Identifier: MIT
// An option of a pool is one row here and a member of PoolSpec. A check wants the manual
// page and the sample to describe it. A reload changes every option of a pool.
#include "config/pools.h"

#include <unordered_map>

#include "base/pattern.h"
#include "base/text.h"
#include "config/slot.h"
#include "lock/words.h"

namespace distributex {
namespace {

constexpr std::string_view group_letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

bool is_group(std::string_view text) {
  return !text.empty() && text.size() <= 255 && text.find_first_not_of(group_letters) == text.npos;
}

std::string check_group(std::string_view text) {
  for (const std::string_view word : {"false", "no", "off", "yes", "on"}) {
    if (equal_ignoring_case(text, word)) {
      return in_quotes(text) + " is no name of a group here";
    }
  }
  return is_group(text) ? std::string{} : in_quotes(text) + " is no name of a group";
}

// YAML knows true in each case of letters, so no case of it is the name of a group.
void put_groups(void* room, const Value& value) {
  put<&PoolSpec::fleetlock, std::vector<std::string>>(room, value);
  for (std::string& group : static_cast<PoolSpec*>(room)->fleetlock) {
    if (equal_ignoring_case(group, own_group)) {
      group = own_group;
    }
  }
}

constexpr Rule groups = {
    .kind = Rule::Kind::list,
    .most = 1000,
    .item = "a group",
    .items = "groups",
    .check = check_group,
    .wanted =
        "true for the group of the pool's own name, or a list of groups, each of letters, "
        "digits, - and .; without this key no node may ask"};

// clang-format off
constexpr Option rows[] = {
    // pool options begin
    {"name", text<&PoolSpec::name>(1, 255), nullptr, Reload::takes_effect,
     "what clients call the pool"},
    {"expire", in_seconds<&PoolSpec::expire>(0, 2147483647), "1800", Reload::takes_effect,
     "how long a lease lasts; 0: for ever"},
    {"maxlocks", number<&PoolSpec::maxlocks>(1, 1000000), "1", Reload::takes_effect,
     "how many may hold a lock at a time"},
    {"servers", hosts<&PoolSpec::servers>(
         "host names with commas between, or a list of them; without this key every host may ask"),
     "", Reload::takes_effect, "the hosts that may take a lock"},
    {"fleetlock", slot_with<&PoolSpec::fleetlock, put_groups>(groups), "", Reload::takes_effect,
     "groups of FleetLock nodes that reboot with a lock of the pool"},
    {"fleetlock_wait", in_seconds<&PoolSpec::fleetlock_wait>(0, 1500), "240",
     Reload::takes_effect, "how long such a node waits before it is refused"},
    {"min_hold", in_seconds<&PoolSpec::min_hold>(0, 2147483647), "0", Reload::takes_effect,
     "how long a lock stays taken after its grant, though it was released"},
    {"release_delay", in_seconds<&PoolSpec::release_delay>(0, 2147483647), "0",
     Reload::takes_effect, "how long a lock stays taken after a release"},
    {"lock_delay", in_seconds<&PoolSpec::lock_delay>(0, 2147483647), "0", Reload::takes_effect,
     "how long a lock stays taken after it ended by time or was evicted"},
    {"freeze_after", number<&PoolSpec::freeze_after>(0, 1000000), "0", Reload::takes_effect,
     "how many failed runs in a row freeze the pool; 0: never"},
    // pool options end
};
// clang-format on

// No two pools may serve the same group: the group of a node must name one pool.
std::pair<size_t, std::string> check_groups(std::span<const std::vector<Value>> maps) {
  std::unordered_map<std::string, std::string> pool_of;
  for (size_t at = 0; at < maps.size(); ++at) {
    PoolSpec spec;
    for (size_t i = 0; i < maps[at].size(); ++i) {
      rows[i].slot.put(&spec, maps[at][i]);
    }
    if (is_pattern(spec.name) && !spec.fleetlock.empty()) {
      return {at, "fleetlock: a pattern serves no group; write a pool of its own for the nodes"};
    }
    for (const std::string& listed : spec.fleetlock) {
      const bool is_own = listed == own_group;
      const std::string& group = is_own ? spec.name : listed;
      if (is_own && !is_group(group)) {
        return {at, "fleetlock: no group can be called " + in_quotes(group) +
                        "; write a list of groups, each of letters, digits, - and ."};
      }
      const auto [other, is_new] = pool_of.emplace(group, spec.name);
      if (!is_new) {
        return {at, "fleetlock: the pool " + in_quotes(other->second) + " has the group " +
                        in_quotes(group) + " already; a group has one pool"};
      }
    }
  }
  return {};
}

}  // namespace

constinit const Items pool_items{"pool", rows, check_groups};

}  // namespace distributex
