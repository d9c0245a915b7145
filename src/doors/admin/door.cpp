// SPDX-License-Identifier: MIT
// The door of operators: freeze, thaw and evict. POST only: a program that follows links
// must not thaw a fleet. The rules of the engine decide who may give orders. The plain door
// writes the answers.
#include "base/text.h"
#include "doors/admin/request.h"
#include "doors/rows.h"
#include "lock/names.h"

namespace distributex {

namespace {

bool has(std::string_view path) {
  const auto verb = find_verb(path);
  return verb && is_order(*verb);
}

bool is_form(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  return type.empty() || equal_ignoring_case(type, "application/x-www-form-urlencoded");
}

Refused refuse(Verb verb, Fault fault, std::string error) {
  Refused refused{.verb = verb, .answer = {}, .reply = {}};
  refused.answer.result = Result::invalid;
  refused.answer.fault = fault;
  refused.answer.error = std::move(error);
  return refused;
}

Reading read(const HttpRequest& request, Form) {
  const Verb verb = *find_verb(request.path);
  if (!request.body.empty() && !is_form(request.header("Content-Type"))) {
    return refuse(verb, Fault::bad_request,
                  "a body must be a form: application/x-www-form-urlencoded");
  }
  auto parsed = parse_order(verb, request.query, request.body);
  if (auto* complaint = std::get_if<Complaint>(&parsed)) {
    return refuse(verb, Fault::bad_request, std::move(*complaint));
  }
  Command& command = std::get<Command>(parsed);
  command.identity = request.peer;
  return std::move(command);
}

}  // namespace

constinit const Door admin_door{
    .name = "admin",
    .has = has,
    .methods = methods_of({HttpMethod::post}),
    .body_limit = 0,
    .read = read,
    .form = nullptr,
    .write = nullptr,
};

}  // namespace distributex
