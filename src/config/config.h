// SPDX-License-Identifier: MIT
// The configuration: what distributex.yaml says, with every default in one
// table of options in config.cpp. Reads the file; touches nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lock/words.h"

namespace distributex {

struct Config {
  std::string backend;
  std::string memcachehost;
  uint32_t memcacheport = 0;
  std::string memcacheprefix;                    // of all keys in memcached
  std::chrono::milliseconds memcachetimeout{0};  // for one question to be answered
  std::chrono::milliseconds poll{0};             // between two looks at a full pool
  std::string sqlitefile;                        // of the store
  std::chrono::milliseconds sqlitetimeout{0};    // for the disk to take a change
  std::vector<std::string> listen;               // as written: address:port, [v6]:port, unix:/path
  std::vector<PoolSpec> pools;

  uint32_t max_connections = 0;             // open connections, all listeners
  uint32_t max_connections_per_peer = 0;    // of one address; 0: no limit of its own
  uint32_t max_waiting = 0;                 // parked waiters, each pool
  std::chrono::seconds request_timeout{0};  // for a request to arrive whole, a reply to be taken
  std::chrono::seconds idle_timeout{0};     // between two requests of a connection
  uint32_t max_header_size = 0;             // bytes: request line and headers
  uint32_t max_body_size = 0;               // bytes: form body
  uint32_t events = 0;                      // the last so many are kept for /events/
  std::string audit;                        // "on": a line of the log for each event
};

// The whole file, or one error "FILE:LINE:COLUMN: what is wrong; what would be
// right" (FILE: reason, when it cannot be read). The errors of a file are
// found in the order in which they stand.
[[nodiscard]] std::variant<Config, std::string> load_config(const std::string& file);

// The same from text; `file` only names it in errors.
[[nodiscard]] std::variant<Config, std::string> parse_config(std::string_view text,
                                                             const std::string& file);

}  // namespace distributex
