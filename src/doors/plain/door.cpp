// SPDX-License-Identifier: MIT
// The plain door: the path names the verb, a query or a form has its parameters, and the
// answer is a word of text, or JSON for clients that accept it.
#include "base/text.h"
#include "doors/plain/reply.h"
#include "doors/plain/request.h"
#include "doors/query.h"
#include "doors/rows.h"
#include "lock/names.h"

namespace distributex {

namespace {

constexpr Form text = 0;
constexpr Form json = 1;

bool has(std::string_view path) {
  const auto verb = find_verb(path);
  return verb && !is_order(*verb);
}

Form form_of(const HttpRequest& request) {
  return accepts_json(request.header("Accept")) ? json : text;
}

HttpReply write(const Answer& answer, Form form) { return format_answer(answer, form == json); }

bool is_form(std::string_view content_type) {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  return type.empty() || equal_ignoring_case(type, "application/x-www-form-urlencoded");
}

Refused refuse(Verb verb, Form form, Complaint complaint) {
  Answer answer;
  answer.result = Result::invalid;
  answer.fault = Fault::bad_request;
  answer.error = std::move(complaint);
  HttpReply reply = write(answer, form);
  return {.verb = verb, .answer = std::move(answer), .reply = std::move(reply)};
}

Complaint read_command(const HttpRequest& request, Command& into) {
  into.verb = *find_verb(request.path);
  into.identity = request.peer;
  const std::string_view body =
      request.method == HttpMethod::post ? request.body : std::string_view{};
  if (!body.empty() && !is_form(request.header("Content-Type"))) {
    return "a body must be a form: application/x-www-form-urlencoded";
  }
  return read_parameters(request.query, body, into);
}

// A Command is large: with one variable in all return statements the compiler makes it in
// the place of the caller's object.
Reading read(const HttpRequest& request, Form form) {
  Reading reading;
  Command& command = std::get<Command>(reading);
  if (Complaint complaint = read_command(request, command); !complaint.empty()) {
    reading = refuse(command.verb, form, std::move(complaint));
  }
  return reading;
}

}  // namespace

constinit const Door plain_door{
    .name = "plain",
    .has = has,
    .methods = methods_of({HttpMethod::get, HttpMethod::post}),
    .body_limit = 0,
    .read = read,
    .form = form_of,
    .write = write,
    .is_brief = true,
};

}  // namespace distributex
