// SPDX-License-Identifier: MIT
// Load that stays while another program measures: leases in many pools, and clients that
// wait in a pool of their own until this program is ended.
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "load.h"

namespace bench {

namespace {

constexpr size_t takers = 16;
constexpr size_t a_part = 1000;  // of the leases, for which the loop's patience does

}  // namespace

void hold_leases(const Task& task, Loop& loop) {
  size_t next = 0, taken = 0;
  const size_t pools = std::max<size_t>(task.pools, 1);
  const Clients clients = connect(loop, task.address, std::max(takers, task.clients));
  const auto take = [&](Client& client) {
    if (next < task.leases) {
      const std::string number = std::to_string(next);
      client.ask("/get/?pool=p" + std::to_string(next++ % pools) + "&host=holder&id=" + number);
    }
  };
  for (const auto& client : clients) {
    client->on_reply([&](Client& done, std::string_view body) {
      if (body != "YES") {
        give_up("a lease was not granted");
      }
      ++taken;
      take(done);
    });
    take(*client);
  }
  while (taken < task.leases) {
    const size_t goal = std::min(taken + a_part, task.leases);
    loop.run_while([&] { return taken < goal; });
  }
}

void fill(const Task& task, Line&) {
  Loop loop;
  hold_leases(task, loop);
}

void stay(const Task& task, Line&) {
  Loop loop;
  size_t granted = 0;
  const Clients clients = connect(loop, task.address, task.clients + 1);
  for (const auto& client : clients) {
    client->on_reply([&granted](Client&, std::string_view) { ++granted; });
    client->ask("/wait/?pool=parked&host=h" + std::to_string(client->number()));
    if (client == clients.front()) {
      loop.run_while([&granted] { return granted < 1; });
    }
  }
  // Whoever asks last on a connection of its own is answered last.
  const Clients last = connect(loop, task.address, 1, task.clients + 1);
  bool is_answered = false;
  last.front()->on_reply([&is_answered](Client&, std::string_view) { is_answered = true; });
  last.front()->ask("/get/?pool=parked&host=last");
  loop.run_while([&is_answered] { return !is_answered; });
  puts("parked");
  fflush(stdout);
  for (;;) {
    pause();
  }
}

}  // namespace bench
