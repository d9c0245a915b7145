// SPDX-License-Identifier: MIT
// There are few kinds of errors, because clients export a counter for each.
#include "doors/fleetlock/reply.h"

#include "base/json.h"
#include "doors/refusal.h"

namespace distributex {

namespace {

struct Kind {
  int status;
  std::string_view name;
};

Kind kind_of(Fault fault) {
  switch (fault) {
    case Fault::none:
    case Fault::bad_request:
      return {400, "bad_request"};
    case Fault::not_proven:
      return {401, "unauthorized"};
    case Fault::host_not_listed:
    case Fault::not_allowed:
      return {403, "forbidden"};
    case Fault::not_found:
      return {400, "unknown_group"};
    case Fault::no_such_path:
      return {404, "bad_request"};
    case Fault::bad_method:
      return {405, "method_not_allowed"};
  }
  return {400, "bad_request"};
}

std::string seconds_text(Duration duration) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(duration).count()) + " s";
}

std::string name_of(const Owner& owner) {
  return owner.id.empty() ? owner.host : owner.host + "/" + owner.id;
}

// Why a node does not get a slot, for its log.
std::string why_not(const Answer& answer) {
  if (answer.frozen) {
    return "the pool \"" + answer.pool + "\" is frozen by " + answer.frozen->by + ": " +
           answer.frozen->reason;
  }
  std::string text = "no slot of the pool \"" + answer.pool + "\" is free";
  if (!answer.standing) {
    return text;
  }
  const Standing& standing = *answer.standing;
  const char* before = "; held by ";
  for (const Standing::Holder& holder : standing.holders) {
    text.append(before).append(name_of(holder.owner)).append(" for ");
    text.append(seconds_text(holder.held));
    before = ", ";
  }
  if (standing.position) {
    text.append("; place in line: ").append(std::to_string(*standing.position));
  }
  if (standing.estimate) {
    text.append(", its turn comes in about ").append(seconds_text(*standing.estimate));
  }
  return text;
}

}  // namespace

HttpReply fleetlock_error(int status, std::string_view kind, std::string_view value) {
  HttpReply reply;
  reply.status = status;
  reply.content_type = "application/json";
  reply.headers.add("Cache-Control", "no-store");
  if (status == 503) {
    reply.headers.add("Retry-After", "1");
  }
  add_login(reply);
  const Json json{json_object()};
  set_text(json.get(), "kind", kind);
  set_text(json.get(), "value", value.empty() ? "no reason is known" : value);
  reply.body = json_line(json.get());
  return reply;
}

HttpReply fleetlock_reply(const Answer& answer) {
  switch (answer.result) {
    case Result::granted:
    case Result::held:
    case Result::released:
    case Result::not_held:
    case Result::renewed: {
      HttpReply reply;
      reply.headers.add("Cache-Control", "no-store");
      return reply;
    }
    case Result::busy:
    case Result::timeout:
    case Result::lost:
      return fleetlock_error(423, "lock_held", why_not(answer));
    case Result::frozen:  // this and the next four answer orders of operators: no node gets them
    case Result::thawed:
    case Result::not_frozen:
    case Result::evicted:
    case Result::no_lease:
    case Result::invalid: {
      const Kind kind = kind_of(answer.fault);
      return fleetlock_error(kind.status, kind.name, answer.error);
    }
    case Result::unavailable:
      return fleetlock_error(503, "backend_unavailable", answer.error);
  }
  return fleetlock_error(503, "backend_unavailable", answer.error);
}

}  // namespace distributex
