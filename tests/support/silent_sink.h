// SPDX-License-Identifier: MIT
// A sink for tests that look at something else than what a backend reports.
#pragma once

#include <functional>
#include <utility>

#include "backends/backend.h"

namespace distributex::test {

inline BackendSink silent_sink(std::function<void(OpId, const Verdict&)> decided =
                                   [](OpId, const Verdict&) {}) {
  return {.decided = std::move(decided),
          .changed = [](const std::string&) {},
          .expired = [](const std::string&, const Lease&, uint64_t) {},
          .happened = [](const Happening&, uint64_t) {},
          .stored = {},
          .unstored = {}};
}

}  // namespace distributex::test
