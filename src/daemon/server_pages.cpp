// SPDX-License-Identifier: MIT
// The server's pages: decides who may see a page, makes it, and sends it whole, in slices,
// or as a stream.
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "daemon/server.h"
#include "doors/pages/pages.h"
#include "engine/rules.h"

namespace distributex {

bool Server::may_look(Ticket ticket, std::string_view pool) {
  return engine_.access().allows(http_.identity(ticket), May::look, pool);
}

std::optional<HttpReply> Server::page_refusal(Ticket ticket, const PageRequest& request) {
  const PageRight right = right_of(request);
  if (right == PageRight::none || engine_.access().open()) {
    return std::nullopt;
  }
  if (!request.proof_complaint.empty()) {
    HttpReply reply = page_refused(true, request.proof_complaint);
    reply.closes = true;
    return reply;
  }
  const Identity identity = http_.identity(ticket);
  bool all = true;
  bool some = false;
  std::string refused = "*";
  for (const PoolSpec& pool : setup_.settings.service.pools) {
    const bool allowed = engine_.access().allows(identity, May::look, pool.name);
    if (!allowed && all) {
      refused = pool.name;
    }
    all = all && allowed;
    some = some || allowed;
  }
  if (right == PageRight::all ? all : some) {
    return std::nullopt;
  }
  const auto denied =
      engine_.access().refuses(identity, May::look, right == PageRight::all ? refused : "*");
  return denied ? std::optional{page_refused(!denied->proven, denied->error)} : std::nullopt;
}

// If the page shows leases, waits until the backend has looked them up.
void Server::show(Ticket ticket, const PageRequest& request) {
  if (const auto refusal = page_refusal(ticket, request)) {
    return http_.send(ticket, *refusal);
  }
  if (!shows_leases(request)) {
    return show_now(ticket, request);
  }
  backend_->survey([this, ticket, request] { show_now(ticket, request); }, steady_now());
  arm_timer();
}

PageView Server::page_view(Ticket ticket) {
  const Time now = steady_now();
  PageView view{.sight = sight_,
                .holdings = record_.holdings(),
                .now = now,
                .backend_name = setup_.settings.service.backend,
                .trouble = backend_->trouble(),
                .stopping = shutdown_.under_way(),
                .uptime = now - started_,
                .wall_us = wall_us(),
                .metrics = record_.metrics(),
                .events = record_.events(),
                .administers = administers(engine_.access(), http_.identity(ticket)),
                .no_followers = feed_.full(),
                .connections = http_.connections(),
                .streams = feed_.streams(),
                .streams_dropped = feed_.dropped(),
                .log_dropped = log_dropped(),
                .may_look = {},
                .figures = trust_figures()};
  if (!engine_.access().open()) {
    view.may_look = [this, ticket](std::string_view pool) { return may_look(ticket, pool); };
  }
  return view;
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
