// SPDX-License-Identifier: MIT
// The table of rules. A rule has a check, and makes the refusal of a command that fails
// the check. A new rule is one row.
#include "engine/rules.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/pattern.h"
#include "lock/names.h"

namespace distributex {

namespace {

constexpr unsigned operator|(Gate a, Gate b) {
  return static_cast<unsigned>(a) | static_cast<unsigned>(b);
}
constexpr unsigned operator|(unsigned gates, Gate gate) {
  return gates | static_cast<unsigned>(gate);
}
constexpr unsigned every_gate = Gate::take | Gate::give | Gate::see | Gate::admin;

struct Rule {
  const char* name;
  unsigned gates;  // the rule counts for verbs of these gates
  bool (*passes)(const Situation&);
  Refusal (*refusal)(const Situation&);
};

// Whether the command may name a pool that is not configured: a freeze by pattern counts
// also for pools that are made later, and a thaw may come after a reload removed the pool.
bool may_be_unknown(const Command& command) {
  return command.verb == Verb::thaw || (command.verb == Verb::freeze && is_pattern(command.pool));
}

bool is_listed(const Situation& s) {
  const auto& hosts = s.pool->servers;  // sorted
  return hosts.empty() || std::binary_search(hosts.begin(), hosts.end(), s.command.owner.host);
}

// A command that names no pool needs the right to all pools.
std::optional<Denied> denied(const Situation& s) {
  const Command& command = s.command;
  const std::string_view pools = command.pool.empty() ? "*" : std::string_view(command.pool);
  switch (gate_of(command.verb)) {
    case Gate::take:
    case Gate::give:
      return s.access.refuses_lock(command.identity, command.pool, command.owner.host);
    case Gate::see:
      return s.access.refuses(command.identity, May::look, pools);
    case Gate::admin:
      return s.access.refuses(command.identity, May::administer, pools);
  }
  return std::nullopt;
}

// `max_pools` counts for Gate::take only: a lease may be given back, renewed and evicted also
// if this server has not made its pool. `access` stands before `pool`: a client that may not lock a
// pool must not learn whether the pool exists. `servers` counts for Gate::take only: a host that
// was taken off the list must still be able to renew and to release the leases that it holds.
constexpr std::array rules = {
    Rule{.name = "draining",
         .gates = every_gate,
         .passes = [](const Situation& s) { return !s.draining; },
         .refusal = [](const Situation&) -> Refusal {
           return {Result::unavailable, Fault::none, shutting_down};
         }},
    Rule{.name = "access",
         .gates = every_gate,
         .passes = [](const Situation& s) { return s.is_own || !denied(s); },
         .refusal = [](const Situation& s) -> Refusal { return to_refusal(*denied(s)); }},
    Rule{.name = "administer",
         .gates = static_cast<unsigned>(Gate::admin),
         .passes =
             [](const Situation& s) { return !s.access.open() || is_local(s.command.identity); },
         .refusal = [](const Situation& s) -> Refusal {
           return {Result::invalid, Fault::not_allowed,
                   std::string(verb_name(s.command.verb)) +
                       " is for peers on loopback and unix sockets only"};
         }},
    Rule{.name = "max_pools",
         .gates = static_cast<unsigned>(Gate::take),
         .passes = [](const Situation& s) { return s.has_room; },
         .refusal = [](const Situation&) -> Refusal {
           return {Result::unavailable, Fault::none, too_many_pools};
         }},
    Rule{.name = "pool",
         .gates = every_gate,
         .passes = [](const Situation& s) { return s.pool || may_be_unknown(s.command); },
         .refusal = [](const Situation& s) -> Refusal {
           return {Result::invalid, Fault::not_found,
                   "there is no pool \"" + s.command.pool + "\" on this server"};
         }},
    Rule{.name = "servers",
         .gates = static_cast<unsigned>(Gate::take),
         .passes = is_listed,
         .refusal = [](const Situation& s) -> Refusal {
           return {Result::invalid, Fault::host_not_listed,
                   "host \"" + s.command.owner.host + "\" is not among the servers of pool \"" +
                       s.command.pool + "\""};
         }},
    Rule{.name = "bounds",
         .gates = static_cast<unsigned>(Gate::take),
         .passes = [](const Situation& s) { return s.newcomers < s.max_waiting; },
         .refusal = [](const Situation&) -> Refusal {
           return {Result::unavailable, Fault::none, too_many};
         }},
};

}  // namespace

Refusal to_refusal(Denied denied) {
  return {Result::invalid, denied.proven ? Fault::not_allowed : Fault::not_proven,
          std::move(denied.error)};
}

Gate gate_of(Verb verb) {
  switch (verb) {
    case Verb::get:
    case Verb::wait:
      return Gate::take;
    case Verb::release:
    case Verb::renew:
      return Gate::give;
    case Verb::freeze:
    case Verb::thaw:
    case Verb::evict:
      return Gate::admin;
  }
  return Gate::admin;
}

bool administers(const Access& access, const Identity& identity) {
  return access.open() ? is_local(identity) : access.allows(identity, May::administer, "*");
}

std::optional<Refusal> refused(const Situation& situation) {
  const auto gate = static_cast<unsigned>(gate_of(situation.command.verb));
  for (const Rule& rule : rules) {
    if ((rule.gates & gate) != 0 && !rule.passes(situation)) {
      return rule.refusal(situation);
    }
  }
  return std::nullopt;
}

Answer refused_with(Result result, Fault fault, std::string error) {
  Answer answer;
  answer.result = result;
  answer.fault = fault;
  answer.error = std::move(error);
  return answer;
}

}  // namespace distributex
