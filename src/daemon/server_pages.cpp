// SPDX-License-Identifier: MIT
// What pages look at, and how what they show goes out: whole, in slices, or as a
// stream.
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "daemon/server.h"
#include "doors/pages/pages.h"
#include "engine/rules.h"

namespace distributex {

// A page that shows leases waits until the backend has looked them up.
void Server::show(Ticket ticket, const PageRequest& request) {
  if (!shows_leases(request)) {
    return show_now(ticket, request);
  }
  backend_->survey([this, ticket, request] { show_now(ticket, request); }, steady_now());
  arm_timer();
}

PageView Server::page_view(Ticket ticket) {
  const Time now = steady_now();
  return {.sight = sight_,
          .holdings = record_.holdings(),
          .now = now,
          .backend_name = setup_.settings.service.backend,
          .trouble = backend_->trouble(),
          .stopping = shutdown_.under_way(),
          .uptime = now - started_,
          .wall_us = wall_us(),
          .metrics = record_.metrics(),
          .events = record_.events(),
          .administers = administers(http_.identity(ticket)),
          .no_followers = feed_.full(),
          .connections = http_.connections(),
          .streams = feed_.streams(),
          .streams_dropped = feed_.dropped(),
          .log_dropped = log_dropped()};
}

void Server::show_now(Ticket ticket, const PageRequest& request) {
  const Overloaded carry{
      [&](HttpReply&& reply) { http_.send(ticket, reply); },
      [&](Sliced&& sliced) {
        http_.send_slices(ticket, sliced.opening,
                          [this, ticket, more = std::move(sliced.more)](std::string& slice) {
                            return more(page_view(ticket), slice);
                          });
      },
      [&](Follow&& follow) {
        if (http_.open_stream(ticket, follow.opening)) {
          feed_.follow(ticket, std::move(follow.filter), follow.sse);
        }
      },
  };
  std::visit(carry, show_page(request, page_view(ticket)));
}

}  // namespace distributex
