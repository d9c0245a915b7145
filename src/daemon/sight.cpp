// SPDX-License-Identifier: MIT
// One function for each view; each calls either the engine or the backend.
#include "daemon/sight.h"

namespace distributex {

Sight make_sight(const Engine& engine, const Backend& backend, const Groups& groups) {
  return {
      .each_pool = [&engine](const Sight::VisitPool& visit) { engine.each_pool(visit); },
      .each_made =
          [&engine](std::string_view pattern, const std::function<void(const PoolSpec&)>& visit) {
            engine.each_made(pattern, visit);
          },
      .each_waiter = [&engine](std::string_view pool, const Sight::VisitWaiter& visit,
                               size_t most) { engine.each_waiter(pool, visit, most); },
      .leases = [&backend](std::string_view pool,
                           size_t most) { return backend.leases(pool, most); },
      .survives_since = [&backend] { return backend.survives_since(); },
      .store = [&backend] { return backend.store(); },
      .waiting_elsewhere =
          [&backend](std::string_view pool) { return backend.waiting_elsewhere(pool); },
      .add_figures = [&backend](std::vector<Figure>& figures,
                                Time now) { backend.add_figures(figures, now); },
      .freezes = [&backend] { return backend.freezes(); },
      .frozen = [&backend](std::string_view pool) { return backend.frozen(pool); },
      .rests = [&backend](std::string_view pool, size_t most) { return backend.rests(pool, most); },
      .find_pool = [&engine](std::string_view pool) { return engine.find_pool(pool); },
      .pool_of_group =
          [&engine, &groups](std::string_view group) {
            const std::string* listed = groups.pool_of(group);
            const PoolSpec* spec = engine.find_pool(listed ? *listed : std::string(group));
            return spec && (listed || serves_own_group(*spec)) ? spec : nullptr;
          },
      .pool_at = [&engine](size_t index) { return engine.pool_at(index); },
      .waiting = [&engine](std::string_view pool) { return engine.waiting(pool); },
      .held = [&backend](std::string_view pool) { return backend.held(pool); },
      .resting = [&backend](std::string_view pool) { return backend.resting(pool); },
      .oldest_waiter = [&engine](std::string_view pool) { return engine.oldest_waiter(pool); },
      .place_of = [&engine](std::string_view pool, const Owner& owner, size_t within,
                            Time now) { return engine.place_of(pool, owner, within, now); }};
}

}  // namespace distributex
