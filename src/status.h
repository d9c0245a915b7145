// SPDX-License-Identifier: MIT
// The pages for probes and people: views of the engine, the backend and the
// counters. Changes nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pool.h"
#include "reply.h"

namespace distributex {

class Backend;
class Engine;

// What /livez, /readyz and / say: "ok", or 503 with one line of reason.
[[nodiscard]] Reply probe_page(const std::optional<std::string>& trouble);

struct StatusView {
  const Engine& engine;
  const Backend& backend;
  std::string_view backend_name;
  Duration uptime;
  Time now;
  uint64_t wall_us;  // the wall clock at now, in microseconds since 1970
};

// /status/ as JSON: all pools, or the one that the query's pool= names; 404
// when there is none of that name.
[[nodiscard]] Reply status_page(const StatusView& view, std::string_view query);

}  // namespace distributex
