// SPDX-License-Identifier: MIT
// The pages for probes and people: views of the engine, the backend and the
// counters. Changes nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "doors/plain/reply.h"
#include "lock/words.h"
#include "watch/standing.h"

namespace distributex {

// What /livez, /readyz and / say: "ok", or 503 with one line of reason.
[[nodiscard]] Reply probe_page(const std::optional<std::string>& trouble);

// The same path for people, when a browser asks.
[[nodiscard]] Reply html_page();

[[nodiscard]] Reply metrics_page(std::string text);

struct StatusView {
  Sight sight;
  std::string_view backend_name;
  Duration uptime;
  uint64_t wall_us;  // the wall clock at sight.now, in microseconds since 1970
};

// /status/ as JSON: all pools, or the one that the query's pool= names (404
// when there is none of that name); of each at most limit= holders and waiters,
// those of host= only when it is given, and those that find= is in.
[[nodiscard]] Reply status_page(const StatusView& view, std::string_view query);

}  // namespace distributex
