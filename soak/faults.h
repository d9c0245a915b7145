// SPDX-License-Identifier: MIT
// Does harm to the servers: stops them by SIGSTOP, reloads them with other pools and with
// nonsense, restarts and kills them, and their memcached as well. Belongs to the thread
// that starts the daemons.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "cast.h"

namespace distributex::soak {

class Faults {
 public:
  explicit Faults(World& world);
  // Causes one fault in any service if one is due.
  void strike_when_due();
  // Reloads what differs from the configuration of the start.
  void mend();
  [[nodiscard]] uint64_t count() const;
  // "stop 12, reload 30, ..."
  [[nodiscard]] std::string told() const;

 private:
  struct Row;
  static const Row rows[];

  void strike();
  void stand_still(Service& service);
  void reload(Service& service);
  void reload_nonsense(Service& service);
  void restart(Service& service);
  void kill(Service& service);
  void memcached_stands_still(Service& service);
  void memcached_restarts(Service& service);
  void memcached_forgets(Service& service);

  void reload_to(Service& service, size_t index, const Variant& variant);
  void come_back(Service& service, size_t index, Time gone);
  [[nodiscard]] milliseconds some_time(int64_t most);

  World& world_;
  Choices dice_;
  Time next_;
  unsigned visitors_ = 0;
  std::vector<uint64_t> struck_;
};

}  // namespace distributex::soak
