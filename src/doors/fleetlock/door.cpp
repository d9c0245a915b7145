// SPDX-License-Identifier: MIT
// The FleetLock door: nodes that update themselves take a slot of the pool of their group
// before they reboot, and release it when they are up again. A client takes any status from
// 200 to 299 for a lock, so no refusal may have such a status.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "doors/fleetlock/reply.h"
#include "doors/fleetlock/request.h"
#include "doors/rows.h"
#include "lock/note.h"

namespace distributex {

namespace {

constexpr size_t body_limit = 8192;

struct Row {
  std::string_view path;
  Verb verb;
};

// A client appends v1/... to its base address, after it has cut the base address behind the
// last slash: so the paths without fleetlock/ occur, too.
constexpr std::array rows = {
    Row{"fleetlock/v1/pre-reboot", Verb::wait},
    Row{"fleetlock/v1/steady-state", Verb::release},
    Row{"v1/pre-reboot", Verb::wait},
    Row{"v1/steady-state", Verb::release},
};

const Row* find_row(std::string_view path) {
  const auto* row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& each) { return each.path == path; });
  return row == rows.end() ? nullptr : row;
}

bool has(std::string_view path) { return find_row(path) != nullptr; }

Form form_of(const HttpRequest&) { return 0; }

HttpReply write(const Answer& answer, Form) { return fleetlock_reply(answer); }

Refused refuse(Verb verb, Fault fault, std::string why) {
  Answer answer;
  answer.result = Result::invalid;
  answer.fault = fault;
  answer.error = std::move(why);
  HttpReply reply = fleetlock_reply(answer);
  return {.verb = verb, .answer = std::move(answer), .reply = std::move(reply)};
}

Consult::Settled settle(Verb verb, const FleetNode& node, const Sight& sight) {
  const PoolSpec* pool = sight.pool_of_group(node.group);
  if (!pool) {
    Refused refused = refuse(verb, Fault::not_found,
                             "no pool of this server serves the group \"" + node.group + "\"");
    refused.answer.owner.host = node.id;
    return refused;
  }
  Command command;
  command.verb = verb;
  command.pool = pool->name;
  command.owner.host = node.id;
  if (verb == Verb::wait) {
    command.timeout = pool->fleetlock_wait;
    command.comes_back_within = fleet_pause;
    command.note = make_note("fleetlock", {});
  }
  return command;
}

Reading read(const HttpRequest& request, Form) {
  const Verb verb = find_row(request.path)->verb;
  if (!equal_ignoring_case(request.header("fleet-lock-protocol"), "true")) {
    Refused refused =
        refuse(verb, Fault::bad_request, "the header \"fleet-lock-protocol: true\" is missing");
    refused.reply = fleetlock_error(400, "missing_header", refused.answer.error);
    return refused;
  }
  auto read_node = read_fleet_node(request.body);
  if (auto* complaint = std::get_if<std::string>(&read_node)) {
    return refuse(verb, Fault::bad_request, std::move(*complaint));
  }
  const auto& node = std::get<FleetNode>(read_node);
  return Consult{
      .shows_leases = false,
      .then = [verb, node](const Sight& sight, Time) { return settle(verb, node, sight); },
      .wanted = Consult::Wanted{.verb = verb, .group = node.group, .host = node.id}};
}

}  // namespace

constinit const Door fleetlock_door{
    .name = "fleetlock",
    .has = has,
    .methods = bit_of(HttpMethod::post),
    .body_limit = body_limit,
    .read = read,
    .form = form_of,
    .write = write,
};

}  // namespace distributex
