// SPDX-License-Identifier: MIT
// The freezes of all memcacheds as the loop knows them: what each worker has read last, and
// the union of all. Says which freezes have begun and ended.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/rulings.h"

namespace distributex {

class StandingFreezes {
 public:
  explicit StandingFreezes(size_t servers) : servers_(servers) {}

  // Takes all freezes of one memcached; returns what has changed. by: the operator whose thaw
  // is under way at this server; empty: a thaw came from another server.
  std::vector<Happening> see(size_t server, const std::vector<Freeze>& freezes,
                             const std::string& by);
  // Ends freezes whose time is over; returns their memcacheds and names, and adds the news.
  struct Ended {
    size_t server;
    std::string pool;
  };
  std::vector<Ended> end_due(Time now, std::vector<Happening>& news);
  [[nodiscard]] std::optional<Time> first_end() const;
  [[nodiscard]] const Freeze* find(size_t server, std::string_view pool) const {
    return servers_[server].find(pool);
  }
  [[nodiscard]] std::vector<Freeze> all() const;

 private:
  using Union = std::map<std::string, Freeze>;
  [[nodiscard]] Union together() const;

  std::vector<Rulings> servers_;
  Union shown_;
};

}  // namespace distributex
