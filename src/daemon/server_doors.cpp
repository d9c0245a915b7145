// SPDX-License-Identifier: MIT
// Carries a request through its door to the engine, and its answer back.
#include "base/clock.h"
#include "base/overloaded.h"
#include "daemon/server.h"
#include "daemon/trust.h"
#include "doors/table.h"
#include "engine/rules.h"

namespace distributex {

namespace {

Answer answer_of(Denied denied) {
  Refusal refusal = to_refusal(std::move(denied));
  return refused_with(refusal.result, refusal.fault, std::move(refusal.error));
}

}  // namespace

void Server::received(Ticket ticket, const HttpRequest& request) {
  Received received = receive(all_doors(), request);
  http_.remember(ticket, received.mark);
  ++asked_[received.mark.door];
  const Overloaded carry{
      [&](PageRequest&& page) { show(ticket, page); },
      [&](Consult&& consult) {
        if (const auto denied = refuses_look(ticket, consult.pool)) {
          return tell(ticket, *denied);
        }
        if (auto refused = refuses_lock(ticket, consult.wanted)) {
          return carry_out(ticket, *std::move(refused));
        }
        auto settle = [this, ticket, then = std::move(consult.then)] { settled(ticket, then); };
        if (!consult.shows_leases) {
          return settle();
        }
        backend_->survey(std::move(settle), steady_now());
        arm_timer();
      },
      [&](Command&& command) { submit(ticket, std::move(command)); },
      [&](Refused&& refused) { carry_out(ticket, std::move(refused)); },
      [&](HttpReply&& reply) { carry_out(ticket, std::move(reply)); },
  };
  std::visit(carry, std::move(received.reading));
}

std::optional<Answer> Server::refuses_look(Ticket ticket, const std::string& pool) {
  auto denied = pool.empty() ? std::nullopt
                             : engine_.access().refuses(http_.identity(ticket), May::look, pool);
  return denied ? std::optional{answer_of(*std::move(denied))} : std::nullopt;
}

// Asks the rules about the pool of the group, and about a pool of the group's name if no pool
// serves the group. A sentence that names the pool would tell the client that the group
// exists. So the sentence names the group, unless the rules allow a pool of that name.
std::optional<Refused> Server::refuses_lock(Ticket ticket,
                                            const std::optional<Consult::Wanted>& wanted) {
  const std::optional<Mark> mark = http_.mark(ticket);
  const Access& access = engine_.access();
  if (!wanted || !mark || access.open()) {
    return std::nullopt;
  }
  const Identity identity = http_.identity(ticket);
  const PoolSpec* pool = sight_.pool_of_group(wanted->group);
  auto denied = access.refuses_lock(identity, pool ? pool->name : wanted->group, wanted->host);
  if (!denied) {
    return std::nullopt;
  }
  if (auto of_group = access.refuses_lock(identity, wanted->group, wanted->host)) {
    denied = std::move(of_group);
  }
  Answer answer = answer_of(*std::move(denied));
  answer.pool = pool ? pool->name : "";
  answer.owner.host = wanted->host;
  HttpReply reply = write_answer(all_doors(), *mark, answer);
  return Refused{.verb = wanted->verb, .answer = std::move(answer), .reply = std::move(reply)};
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

void Server::submit(Ticket ticket, Command&& command) {
  if (is_order(command.verb) && command.by.empty()) {
    command.by = name_of_peer(ticket, command.identity);
  }
  command.door = door_name(ticket);
  engine_.submit(ticket, std::move(command), steady_now());
  pump();
}

void Server::carry_out(Ticket ticket, Consult::Settled settled) {
  const Overloaded carry{
      [&](Command&& command) { submit(ticket, std::move(command)); },
      [&](Refused&& refused) {
        refused.answer.door = door_name(ticket);
        record_.refused(refused.verb, refused.answer, origin(ticket));
        http_.send(ticket, refused.reply);
        pump();
      },
      [&](HttpReply&& reply) { http_.send(ticket, reply); },
  };
  std::visit(carry, std::move(settled));
}

// The name of the door that the request came to; empty: the client has left.
std::string_view Server::door_name(Ticket ticket) {
  const std::optional<Mark> mark = http_.mark(ticket);
  return mark ? all_doors()[mark->door]->name : std::string_view{};
}

// The name of an operator who gave none: the proven name, else the uid, else the address.
std::string Server::name_of_peer(Ticket ticket, const Identity& identity) {
  if (std::string proven = by_text(identity); !proven.empty()) {
    return proven;
  }
  if (identity.uid) {
    return "uid " + std::to_string(*identity.uid);
  }
  return std::string(http_.peer(ticket));
}

// Watches the delivery of a lease: if the answer does not arrive, the engine gives the lease
// back.
void Server::tell(Ticket ticket, const Answer& answer) {
  if (is_own(ticket)) {
    return holds_.answered(ticket, answer, steady_now());
  }
  const std::optional<Mark> mark = http_.mark(ticket);
  if (!mark) {
    return;
  }
  if (is_stream(all_doors(), *mark, answer)) {
    return tell_in_stream(ticket, *mark, answer);
  }
  const bool is_lease = answer.result == Result::granted || answer.result == Result::held;
  http_.send(ticket, write_answer(all_doors(), *mark, answer),
             is_lease ? Delivery::watched : Delivery::unwatched);
}

// From now on the end of the connection gives the lock back. If the client has left already,
// open_stream() fails, and the end of the connection, read a moment later, gives the lock
// back.
void Server::tell_in_stream(Ticket ticket, Mark mark, const Answer& answer) {
  if (!http_.open_stream(ticket, write_answer(all_doors(), mark, answer), Presence::watched)) {
    return;
  }
  const Time now = steady_now();
  holds_.begin(ticket, answer, mark.form, now);
  engine_.delivered(ticket, now);
}

HoldSink Server::make_hold_sink() {
  return {
      .send = [this](Ticket ticket, std::string_view bytes) { return http_.stream(ticket, bytes); },
      .close = [this](Ticket ticket) { http_.close_stream(ticket); },
      .submit =
          [this](Ticket ticket, Command command) {
            engine_.submit(ticket, std::move(command), steady_now());
            pump();
          }};
}

// Adds the number of requests of each door to the backend's figures.
void Server::count_doors() {
  asked_.resize(all_doors().size());
  sight_.add_figures = [this, others = std::move(sight_.add_figures)](std::vector<Figure>& figures,
                                                                      Time now) {
    others(figures, now);
    for (size_t i = 0; i < asked_.size(); ++i) {
      figures.push_back(
          {.kind = Figure::Kind::counter,
           .name = "door_requests_total",
           .help = "Requests by the door that they came to, whatever they were answered.",
           .label = {"door", std::string(all_doors()[i]->name)},
           .value = static_cast<double>(asked_[i])});
    }
  };
}

}  // namespace distributex
