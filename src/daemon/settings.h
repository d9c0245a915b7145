// SPDX-License-Identifier: MIT
// The configuration as the daemon uses it: one struct of values for each part. All rows of
// options are collected here. settings.cpp has the rows of the daemon and of the parts that
// know no configuration (http, engine, watch); each backend's folder has its own.
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
  uint32_t max_waiting = 0;         // waiters in the queue of one pool
  uint32_t max_pools = 0;           // pools made by patterns, at a time
  std::vector<PoolSpec> pools;
};

struct Settings {
  ServiceOptions service;
  HttpLimits http;
  RecordOptions record;
  TrustOptions trust;
  Config config;  // all values but pools: for the backend, and to compare at a reload
};

// Returns the settings, or one sentence that names the place of the error, as load_config()
// does.
[[nodiscard]] std::variant<Settings, std::string> load_settings(const std::string& file);
[[nodiscard]] std::variant<Settings, std::string> parse_settings(std::string_view text,
                                                                 const std::string& file);

// Makes the settings from the values of all options.
[[nodiscard]] Settings settings_of(Config config);

}  // namespace distributex
