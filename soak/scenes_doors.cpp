// SPDX-License-Identifier: MIT
// Clients of the other doors: a lock for a connection, a node that reboots, an apply. If
// trouble keeps them from giving a lock back, it ends after its pool's expire.
#include <stdlib.h>

#include <algorithm>
#include <string>

#include "holder.h"
#include "scenes.h"

namespace distributex::soak {

namespace {

// One request over a connection of its own; nullopt when there was no answer.
std::optional<Response> ask(Actor& actor, const std::string& bytes) {
  Connection connection(actor.any_port());
  actor.count_request();
  if (!connection.connected() || !connection.send(bytes)) {
    return std::nullopt;
  }
  return connection.response();
}

// Whether it has one of these statuses; in trouble 503 or none will do.
bool is_one_of(Actor& actor, const std::optional<Response>& response, Time since, const char* what,
               std::initializer_list<int> statuses) {
  const int status = response ? response->status : 0;
  if (std::find(statuses.begin(), statuses.end(), status) != statuses.end()) {
    return true;
  }
  const bool may = status == 0 || status == 503;
  if (!may || !actor.is_excused(since)) {
    actor.world.findings.add("%s: %s was answered %d %s", actor.service->name(), what, status,
                             response ? response->body.c_str() : "");
  }
  return false;
}

std::string name_of(const Actor& actor, const char* kind) {
  return std::string(kind) + std::to_string(actor.number) + "." + std::to_string(actor.scene);
}

std::string with_body(const std::string& first_line, const std::string& headers,
                      const std::string& body) {
  return first_line + " HTTP/1.1\r\nHost: soak\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// 0: it has none.
uint64_t token_in(std::string_view answer) {
  constexpr std::string_view name = "Distributex-Token: ";
  const size_t at = answer.find(name);
  return at == answer.npos ? 0 : strtoull(answer.data() + at + name.size(), nullptr, 10);
}

// "vary" has two seconds at times.
unsigned shortest(const PoolRow& pool) { return std::min(pool.expire, 2U); }

}  // namespace

// The stream of a lock must carry only signs of life and LOST.
void hold_by_connection(Actor& actor) {
  const PoolRow& pool = actor.mortal_pool();
  const Holder holder(actor, pool);
  const auto start = Clock::now();
  Connection connection(actor.any_port());
  actor.count_request();
  if (!connection.connected() ||
      !connection.send("GET /hold/?" + holder.parameters() + "&timeout=1 HTTP/1.0\r\n\r\n")) {
    return;
  }
  if (!connection.wait_readable()) {
    if (!actor.is_excused(start)) {
      actor.world.findings.add("%s: a hold had no answer", actor.service->name());
    }
    return;
  }
  (void)connection.wait_end(milliseconds(50 + actor.dice.below(100)));
  const uint64_t token = token_in(connection.unread());
  if (token != 0) {
    // Count on the lease for its length from the question only: renewals do not show here.
    actor.service->ledger().told(pool.name, holder.name(), token, start, Clock::now(),
                                 start + std::chrono::seconds(shortest(pool)));
  }
  (void)connection.wait_end(milliseconds(actor.dice.below(actor.dice.once_in(6) ? 7000 : 100)));
  if (token != 0) {
    actor.service->ledger().let_go(pool.name, token);
  }
  if (actor.dice.once_in(2)) {
    connection.reset();
  } else {
    connection.close();
  }
}

// 400 and 404: a reload has taken the pool away.
void reboot_a_node(Actor& actor) {
  const std::string pool = actor.mortal_pool().name;
  const std::string body =
      R"({"client_params":{"id":")" + name_of(actor, "node") + R"(","group":")" + pool + R"("}})";
  const std::string header = "fleet-lock-protocol: true\r\n";
  const auto start = Clock::now();
  const auto before = ask(actor, with_body("POST /v1/pre-reboot", header, body));
  if (!is_one_of(actor, before, start, "pre-reboot", {200, 400, 403, 423})) {
    return;
  }
  actor.pause(milliseconds{30});
  const auto since = Clock::now();
  const auto after = ask(actor, with_body("POST /fleetlock/v1/steady-state", header, body));
  (void)is_one_of(actor, after, since, "steady-state", {200, 400});
}

void apply_a_plan(Actor& actor) {
  const std::string path = std::string(" /terraform/") + actor.mortal_pool().name;
  const std::string info =
      R"({"ID":")" + name_of(actor, "run") + R"(","Operation":"apply","Who":"soak@alpha"})";
  const auto start = Clock::now();
  const auto locked = ask(actor, with_body("LOCK" + path, "", info));
  if (!is_one_of(actor, locked, start, "LOCK", {200, 404, 423}) || locked->status != 200) {
    return;
  }
  actor.pause(milliseconds{30});
  auto since = Clock::now();
  (void)is_one_of(actor, ask(actor, "GET" + path + " HTTP/1.1\r\nHost: soak\r\n\r\n"), since, "GET",
                  {200, 404});
  since = Clock::now();
  // 409, another client's ID: the lease has ended meanwhile.
  (void)is_one_of(actor, ask(actor, with_body("UNLOCK" + path, "", info)), since, "UNLOCK",
                  {200, 404, 409});
}

}  // namespace distributex::soak
