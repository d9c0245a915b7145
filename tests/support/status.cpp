// SPDX-License-Identifier: MIT
// Reads /status/ strictly: a member that is missing or of another type makes
// the whole answer unusable.
#include "support/status.h"

#include <stdio.h>

#include "support/http.h"

namespace distributex::test {
namespace {

bool is_text(const json_t* object, const char* key) {
  return json_is_string(json_object_get(object, key));
}

// A holder's or waiter's id may be left out when it has none.
bool has_owner(const json_t* object) {
  const json_t* id = json_object_get(object, "id");
  return is_text(object, "host") && (id == nullptr || json_is_string(id)) &&
         json_is_number(json_object_get(object, "since"));
}

bool read_holders(const json_t* list, std::vector<HolderState>& into) {
  size_t index = 0;
  json_t* one = nullptr;
  json_array_foreach(list, index, one) {
    const json_t* token = json_object_get(one, "token");
    if (!has_owner(one) || !json_is_integer(token)) {
      return false;
    }
    into.push_back({json_text(one, "host"), json_text(one, "id"), json_integer_value(token),
                    json_number_at(one, "since").value_or(0), json_number_at(one, "expires_in")});
  }
  return json_is_array(list);
}

bool read_waiting(const json_t* list, std::vector<WaiterState>& into) {
  size_t index = 0;
  json_t* one = nullptr;
  json_array_foreach(list, index, one) {
    if (!has_owner(one)) {
      return false;
    }
    into.push_back(
        {json_text(one, "host"), json_text(one, "id"), json_number_at(one, "since").value_or(0)});
  }
  return json_is_array(list);
}

bool read_servers(const json_t* list, std::vector<std::string>& into) {
  size_t index = 0;
  json_t* one = nullptr;
  json_array_foreach(list, index, one) {
    if (!json_is_string(one)) {
      return false;
    }
    into.emplace_back(json_string_value(one));
  }
  return json_is_array(list);
}

bool read_pool(const json_t* json, PoolState& pool) {
  const json_t* maxlocks = json_object_get(json, "maxlocks");
  const json_t* expire = json_object_get(json, "expire");
  if (!is_text(json, "name") || !json_is_integer(maxlocks) || !json_is_integer(expire)) {
    return false;
  }
  pool.name = json_text(json, "name");
  pool.maxlocks = json_integer_value(maxlocks);
  pool.expire = json_integer_value(expire);
  return read_servers(json_object_get(json, "servers"), pool.servers) &&
         read_holders(json_object_get(json, "holders"), pool.holders) &&
         read_waiting(json_object_get(json, "waiting"), pool.waiting);
}

template <typename Owned>
std::string hosts_of(const std::vector<Owned>& owned) {
  std::string text;
  for (const Owned& one : owned) {
    text += (text.empty() ? "" : " ") + one.host;
  }
  return text;
}

}  // namespace

Json parse_json(std::string_view text) {
  json_error_t error;
  Json json(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error));
  if (!json) {
    fprintf(stderr, "not JSON: %s in %.*s\n", error.text, static_cast<int>(text.size()),
            text.data());
  }
  return json;
}

std::string json_text(const json_t* object, const char* key) {
  const json_t* value = json_object_get(object, key);
  return json_is_string(value) ? std::string(json_string_value(value), json_string_length(value))
                               : "";
}

std::optional<double> json_number_at(const json_t* object, const char* key) {
  const json_t* value = json_object_get(object, key);
  return json_is_number(value) ? std::optional<double>(json_number_value(value)) : std::nullopt;
}

std::optional<std::vector<PoolState>> all_pools(uint16_t port, std::string_view query) {
  const Response response = fetch(port, "/status/" + std::string(query));
  const Json json = response.status == 200 ? parse_json(response.body) : nullptr;
  const json_t* list = json_object_get(json.get(), "pools");
  std::vector<PoolState> pools;
  size_t index = 0;
  json_t* one = nullptr;
  json_array_foreach(list, index, one) {
    if (!read_pool(one, pools.emplace_back())) {
      fprintf(stderr, "not a pool's status: %s\n", response.body.c_str());
      return std::nullopt;
    }
  }
  return json_is_array(list) ? std::optional(std::move(pools)) : std::nullopt;
}

PoolState pool_state(uint16_t port, std::string_view pool) {
  const auto pools = all_pools(port, "?pool=" + std::string(pool));
  for (const PoolState& one : pools.value_or(std::vector<PoolState>{})) {
    if (one.name == pool) {
      return one;
    }
  }
  return {};
}

std::string holders_of(uint16_t port, std::string_view pool) {
  return hosts_of(pool_state(port, pool).holders);
}

std::string waiters_of(uint16_t port, std::string_view pool) {
  return hosts_of(pool_state(port, pool).waiting);
}

bool wait_for_waiting(uint16_t port, std::string_view pool, size_t count) {
  size_t last = 0;
  const bool so = eventually([&] {
    const PoolState state = pool_state(port, pool);
    last = state.waiting.size();
    return !state.name.empty() && last == count;
  });
  if (!so) {
    fprintf(stderr, "%zu wait for %s, should be %zu\n", last, std::string(pool).c_str(), count);
  }
  return so;
}

bool wait_for_holders(uint16_t port, std::string_view pool, size_t count) {
  return eventually([&] {
    const PoolState state = pool_state(port, pool);
    return !state.name.empty() && state.holders.size() == count;
  });
}

}  // namespace distributex::test
