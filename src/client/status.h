// SPDX-License-Identifier: MIT
//
// A server's status for people: the table of --status, and one line about one pool for those who
// wait. JSON in, text out; nothing is asked for here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace distributex::client {

// `body` is what /status/ answered, `wall_seconds` the time of day as seconds since 1970. Nothing:
// that was no status.
[[nodiscard]] std::optional<std::string> status_table(std::string_view body,
                                                      const std::string& server,
                                                      double wall_seconds);

// The same JSON, checked and laid out. Nothing: that was none.
[[nodiscard]] std::optional<std::string> status_json(std::string_view body);

// "held by a (id 1) for 12s; 3 waiting". Empty: nothing to tell.
[[nodiscard]] std::string describe_pool(std::string_view body, const std::string& pool,
                                        double wall_seconds);

// 75 -> "1m 15s", the two largest units.
[[nodiscard]] std::string age_text(double seconds);

}  // namespace distributex::client
