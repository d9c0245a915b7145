// SPDX-License-Identifier: MIT
// The way of a request through its door to the engine, and of its answer back.
#include "base/clock.h"
#include "base/overloaded.h"
#include "daemon/server.h"
#include "doors/table.h"

namespace distributex {

void Server::received(Ticket ticket, const HttpRequest& request) {
  Received received = receive(all_doors(), request);
  http_.remember(ticket, received.mark);
  const Overloaded carry{
      [&](PageRequest&& page) { show(ticket, page); },
      [&](Consult&& consult) {
        if (const auto denied = refuses_look(ticket, consult.pool)) {
          return tell(ticket, *denied);
        }
        auto settle = [this, ticket, then = std::move(consult.then)] { settled(ticket, then); };
        if (!consult.shows_leases) {
          return settle();
        }
        backend_->survey(std::move(settle), steady_now());
        arm_timer();
      },
      [&](auto&& settled) { carry_out(ticket, std::move(settled)); },
  };
  std::visit(carry, std::move(received.reading));
}

std::optional<Answer> Server::refuses_look(Ticket ticket, const std::string& pool) {
  auto denied = pool.empty() ? std::nullopt
                             : engine_.access().refuses(http_.identity(ticket), May::look, pool);
  if (!denied) {
    return std::nullopt;
  }
  Answer answer;
  answer.result = Result::invalid;
  answer.fault = denied->proven ? Fault::not_allowed : Fault::not_proven;
  answer.error = std::move(denied->error);
  return answer;
}

// The client may have left while the backend was asked.
void Server::settled(Ticket ticket,
                     const std::function<Consult::Settled(const Sight&, Time now)>& then) {
  if (!http_.mark(ticket)) {
    return;
  }
  Consult::Settled settled = then(sight_, steady_now());
  if (auto* command = std::get_if<Command>(&settled)) {
    command->identity = http_.identity(ticket);
  }
  carry_out(ticket, std::move(settled));
}

void Server::carry_out(Ticket ticket, Consult::Settled settled) {
  const Overloaded carry{
      [&](Command&& command) {
        engine_.submit(ticket, std::move(command), steady_now());
        pump();
      },
      [&](Refused&& refused) {
        record_.refused(refused.verb, refused.answer, origin(ticket));
        http_.send(ticket, refused.reply);
        pump();
      },
      [&](HttpReply&& reply) { http_.send(ticket, reply); },
  };
  std::visit(carry, std::move(settled));
}

// A lease that was told must arrive: who does not get it does not have it.
void Server::tell(Ticket ticket, const Answer& answer) {
  const std::optional<Mark> mark = http_.mark(ticket);
  if (!mark) {
    return;
  }
  const bool is_lease = answer.result == Result::granted || answer.result == Result::held;
  http_.send(ticket, write_answer(all_doors(), *mark, answer),
             is_lease ? Delivery::watched : Delivery::unwatched);
}

}  // namespace distributex
