// SPDX-License-Identifier: MIT
//
// A server's status for people: the table of --status, and one line about a pool for a client that
// waits. Takes JSON, returns text; sends no request.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace distributex::client {

// `body` is the answer of /status/, `wall_seconds` the time of day as seconds since 1970. Returns
// nullopt if the body is no status.
[[nodiscard]] std::optional<std::string> status_table(std::string_view body,
                                                      const std::string& server,
                                                      double wall_seconds);

// The same JSON, checked and laid out; nullopt if the body is no status.
[[nodiscard]] std::optional<std::string> status_json(std::string_view body);

// The sentence by which a server refuses to show its status, safe to print; empty if there is none.
[[nodiscard]] std::string status_error(std::string_view body);

// "held by a (id 1) for 12s; 3 waiting"; empty if there is nothing to tell.
[[nodiscard]] std::string describe_pool(std::string_view body, const std::string& pool,
                                        double wall_seconds);

// 75 -> "1m 15s", the two largest units.
[[nodiscard]] std::string age_text(double seconds);

}  // namespace distributex::client
