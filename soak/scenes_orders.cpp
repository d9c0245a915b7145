// SPDX-License-Identifier: MIT
// Operators: a pool is frozen and thawed, a lease is evicted, pools by pattern are made and
// forgotten. One operator at a time for each service, so that what it sees is its own work.
#include <mutex>
#include <string>

#include "holder.h"
#include "scenes.h"

namespace distributex::soak {

namespace {

// Makes this client the operator of its service; without the lock if there is one already.
std::unique_lock<std::mutex> be_the_operator(const Actor& actor) {
  static std::mutex posts[4];
  return std::unique_lock(posts[static_cast<size_t>(actor.service->kind())], std::try_to_lock);
}

std::optional<Response> order(Actor& actor, uint16_t port, const std::string& target) {
  Connection connection(port);
  actor.count_request();
  if (!connection.connected() ||
      !connection.send("POST " + target + " HTTP/1.1\r\nHost: soak\r\nContent-Length: 0\r\n\r\n")) {
    return std::nullopt;
  }
  return connection.response();
}

// Whether the order was done; in trouble it may not have been.
bool is_done(Actor& actor, const std::optional<Response>& response, Time since, const char* what) {
  if (response && response->body == "OK") {
    return true;
  }
  const bool may = !response || response->status == 503;
  if (!may || !actor.is_excused(since)) {
    actor.world.findings.add("%s: %s was answered %d %s %s", actor.service->name(), what,
                             response ? response->status : 0,
                             response ? response->body.c_str() : "",
                             response ? response->header("Distributex-Error").c_str() : "");
  }
  return false;
}

}  // namespace

// After the answer to the freeze nothing must be granted. The freeze has a time limit in case
// the thaw gets lost.
void freeze_and_thaw(Actor& actor) {
  const auto post = be_the_operator(actor);
  if (!post) {
    return;
  }
  const std::string pool = actor.mortal_pool().name;
  const uint16_t port = actor.any_port();
  const auto start = Clock::now();
  const auto frozen = order(actor, port, "/freeze/?for=5&reason=soak&pool=" + pool);
  if (frozen && frozen->header("Distributex-Result") == "invalid") {
    return;  // a reload has taken the pool away
  }
  if (!is_done(actor, frozen, start, "a freeze")) {
    return;
  }
  const std::string host =
      "late-" + std::to_string(actor.number) + "." + std::to_string(actor.scene);
  Connection connection(port);
  actor.count_request();
  const auto late = connection.connected() && connection.send(request_text(
                                                  "get", "pool=" + pool + "&host=" + host, {}))
                        ? connection.response()
                        : std::nullopt;
  if (late && late->header("Distributex-Result") == "granted" &&
      Clock::now() < start + std::chrono::seconds(4)) {
    actor.world.findings.add("%s: %s is frozen, and %s was granted", actor.service->name(),
                             pool.c_str(), host.c_str());
  }
  actor.pause(milliseconds(300));
  const auto since = Clock::now();
  const auto thawed = order(actor, port, "/thaw/?pool=" + pool);
  if (!thawed || thawed->header("Distributex-Result") != "not-frozen") {
    (void)is_done(actor, thawed, since, "a thaw");
  } else if (since < start + std::chrono::seconds(4) && !actor.is_excused(start)) {
    actor.world.findings.add("%s: the freeze of %s was lost", actor.service->name(), pool.c_str());
  }
}

// The holder is told of the eviction when it renews.
void evict_a_holder(Actor& actor) {
  const std::string pool = actor.mortal_pool().name;
  const std::string who = "pool=" + pool + "&host=dead-" + std::to_string(actor.number) + "." +
                          std::to_string(actor.scene);
  const uint16_t port = actor.any_port();
  const auto start = Clock::now();
  Connection connection(port);
  actor.count_request();
  const auto granted = connection.connected() && connection.send(request_text("get", who, {}))
                           ? connection.response()
                           : std::nullopt;
  const std::string token = granted ? granted->header("Distributex-Token") : "";
  if (token.empty()) {
    return;
  }
  const auto evicted = order(actor, port, "/evict/?reason=soak&pool=" + pool + "&token=" + token);
  if ((evicted && evicted->header("Distributex-Result") == "no-lease") ||
      !is_done(actor, evicted, start, "an eviction")) {
    return;
  }
  actor.count_request();
  const auto renewed = connection.send(request_text("renew", who + "&token=" + token, {}))
                           ? connection.response()
                           : std::nullopt;
  const std::string result = renewed ? renewed->header("Distributex-Result") : "";
  if (result != "lost" && !actor.is_excused(start)) {
    actor.world.findings.add("%s: evicted from %s, and its renewal was answered \"%s\"",
                             actor.service->name(), pool.c_str(), result.c_str());
  }
}

// A name that nobody uses twice.
void make_and_forget(Actor& actor) {
  const std::string who =
      "host=builder&pool=made/" + std::to_string(actor.number) + "." + std::to_string(actor.scene);
  Connection connection(actor.any_port());
  for (const char* verb : {"get", "release"}) {
    const auto asked = Clock::now();
    actor.count_request();
    const auto response = connection.connected() && connection.send(request_text(verb, who, {}))
                              ? connection.response()
                              : std::nullopt;
    if ((!response || response->status != 200) && !actor.is_excused(asked)) {
      actor.world.findings.add("%s: %s %s was answered %d", actor.service->name(), verb,
                               who.c_str(), response ? response->status : 0);
    }
    if (!response) {
      return;
    }
  }
}

}  // namespace distributex::soak
