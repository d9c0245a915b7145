// SPDX-License-Identifier: MIT
// The configuration as the daemon uses it: each room's struct with its values.
// All rows of options meet here. Those of rooms that know no configuration
// (http, engine, watch) and of the daemon itself stand in settings.cpp, those
// of a backend in its folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"
#include "daemon/trust.h"
#include "http/server.h"
#include "lock/words.h"
#include "watch/record.h"

namespace distributex {

struct ServiceOptions {
  std::string backend;
  std::vector<std::string> listen;  // as written: address:port, [v6]:port, unix:/path
  uint32_t max_waiting = 0;         // parked waiters, each pool
  uint32_t max_pools = 0;           // at a time, of those that patterns make
  std::vector<PoolSpec> pools;
};

struct Settings {
  ServiceOptions service;
  HttpLimits http;
  RecordOptions record;
  TrustOptions trust;
  Config config;  // all values but pools: for the backend, and to compare at a reload
};

// The sound file's settings or one sentence with its place, as load_config says.
[[nodiscard]] std::variant<Settings, std::string> load_settings(const std::string& file);
[[nodiscard]] std::variant<Settings, std::string> parse_settings(std::string_view text,
                                                                 const std::string& file);

// From the values of all options.
[[nodiscard]] Settings settings_of(Config config);

}  // namespace distributex
