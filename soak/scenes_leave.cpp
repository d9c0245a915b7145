// SPDX-License-Identifier: MIT
// Clients that leave while the server works for them, and clients that the server must
// disconnect. A lock that they were granted meanwhile ends by time.
#include <thread>

#include "holder.h"
#include "scenes.h"

namespace distributex::soak {

namespace {

void leave(Actor& actor, Connection& connection) {
  switch (actor.dice.below(3)) {
    case 0:
      connection.close();
      break;
    case 1:
      connection.reset();
      break;
    default:
      connection.half_close();
      (void)connection.wait_end();
  }
}

void expect_end(Actor& actor, Connection& connection, Time since, const char* what) {
  if (connection.wait_end() != test::End::none || actor.is_excused(since)) {
    return;
  }
  actor.world.findings.add("%s: %s was not closed", actor.service->name(), what);
}

}  // namespace

void leave_while_waiting(Actor& actor) {
  const Holder holder(actor, actor.mortal_pool());
  Connection connection(actor.any_port());
  if (!connection.connected()) {
    return;
  }
  actor.count_request();
  if (!connection.send(request_text("wait", holder.parameters(), any_style(actor.dice)))) {
    return;
  }
  actor.pause(milliseconds(actor.dice.once_in(3) ? 1500 : 30));
  leave(actor, connection);
}

void leave_half_a_request(Actor& actor) {
  const Holder holder(actor, actor.any_pool());
  const auto start = Clock::now();
  Connection connection(actor.any_port());
  if (!connection.connected()) {
    return;
  }
  actor.count_request();
  const std::string whole = request_text("get", holder.parameters(), any_style(actor.dice));
  if (!connection.send(whole.substr(0, actor.dice.below(whole.size())))) {
    return;
  }
  if (actor.dice.once_in(3)) {
    return expect_end(actor, connection, start, "half a request");
  }
  actor.pause(milliseconds(100));
  leave(actor, connection);
}

void stay_idle(Actor& actor) {
  const auto start = Clock::now();
  Connection connection(actor.any_port());
  actor.count_request();
  if (test::fetch(connection, "/livez").status != 200) {
    return;
  }
  expect_end(actor, connection, start, "an idle connection");
}

void flood_while_waiting(Actor& actor) {
  const PoolRow& pool = pool_rows()[1];
  Holder first(actor, pool);
  if (!first.get().has_lock()) {
    return;
  }
  const auto start = Clock::now();
  const Holder second(actor, pool);
  Connection connection(actor.any_port());
  actor.count_request();
  if (!connection.connected()) {
    return;
  }
  // Bytes that come together with the request have a higher limit, so send these separately.
  const bool waits = connection.send(test::get_request("/wait?" + second.parameters()));
  std::this_thread::sleep_for(milliseconds(30));
  if (waits && connection.send(std::string(6000, 'x'))) {
    expect_end(actor, connection, start, "a waiter with a flood");
  }
  first.release();
}

}  // namespace distributex::soak
