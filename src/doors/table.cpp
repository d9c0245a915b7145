// SPDX-License-Identifier: MIT
// A new door is one row here. This file also refuses what no door takes: a connection above
// a limit, a request whose headers do not tell its end, a path that no door has, and a
// method or a size of body that the door does not take.
#include "doors/table.h"

#include <algorithm>

#include "doors/cross_site.h"
#include "doors/rows.h"

namespace distributex {

namespace {

constexpr const Door* doors_in_order[] = {&plain_door, &admin_door,     &pages_door,
                                          &hold_door,  &fleetlock_door, &terraform_door};

struct Refusal {
  Fault fault;
  std::string error;
};

HttpReply write_with(Doors doors, const Door& door, const Answer& answer, Form form) {
  return (door.write ? door : *doors.front()).write(answer, form);
}

// If a body may follow that evhttp did not read, the connection ends with the reply: evhttp
// would take the body for the next request.
Refused refuse(const HttpRequest& request, Doors doors, const Door& door, Form form,
               Refusal refusal) {
  Answer answer;
  answer.result = Result::invalid;
  answer.fault = refusal.fault;
  answer.error = std::move(refusal.error);
  HttpReply reply = write_with(doors, door, answer, form);
  if (refusal.fault == Fault::bad_method) {
    reply.headers.add("Allow", allow_text(door.methods));
  }
  reply.closes = refusal.fault != Fault::no_such_path || request.trouble != HttpTrouble::none;
  return {.verb = std::nullopt, .answer = std::move(answer), .reply = std::move(reply)};
}

// The reply on a connection above a limit. A bare reply is not recorded: the request did
// not reach the lock service.
HttpReply turn_away(Doors doors, const Door& door, Form form, std::string_view why) {
  Answer busy;
  busy.result = Result::unavailable;
  busy.error = why;
  return write_with(doors, door, busy, form);
}

// The index of the first door that has the path; doors.size(): none has it.
uint8_t index_of(Doors doors, std::string_view path) {
  uint8_t index = 0;
  while (index < doors.size() && !doors[index]->has(path)) {
    ++index;
  }
  return index;
}

// For a door without `write`: the first door of the table writes its refusals.
Reading read_without_form(Doors doors, const Door& door, Form form, const HttpRequest& request) {
  Reading reading = door.read(request, form);
  if (auto* refused = std::get_if<Refused>(&reading)) {
    refused->reply = write_with(doors, door, refused->answer, form);
  }
  return reading;
}

// Refuses what no door may take; nullopt: the door may read the request.
std::optional<Reading> refuse_for_all(Doors doors, bool found, const Door& door, Form form,
                                      const HttpRequest& request) {
  if (request.trouble == HttpTrouble::surplus) {
    return turn_away(doors, door, form, request.complaint);
  }
  if (request.trouble == HttpTrouble::no_tls || request.trouble == HttpTrouble::framing) {
    Refused refused =
        refuse(request, doors, door, form, {Fault::bad_request, std::string(request.complaint)});
    refused.reply.status = 400;  // in every form: often a person or a proxy reads this answer
    return refused;
  }
  if (!found) {
    return refuse(request, doors, door, form,
                  {Fault::no_such_path,
                   "there is no path \"/" + std::string(request.path) + "\" on this server"});
  }
  if ((door.methods & bit_of(request.method)) == 0) {
    return refuse(request, doors, door, form,
                  {Fault::bad_method,
                   "this path does not take this method; the header Allow lists those it takes"});
  }
  if (door.acts && is_cross_site(request)) {
    return refuse(request, doors, door, form,
                  {Fault::not_allowed,
                   "a browser sent this for a page of another site: only this server's own page, "
                   "or a program, may ask that"});
  }
  if (door.acts && !request.proof_complaint.empty()) {
    return refuse(request, doors, door, form,
                  {Fault::not_proven, std::string(request.proof_complaint)});
  }
  const size_t limit = door.body_limit > 0 ? door.body_limit : request.body_limit;
  if (request.body.size() > limit) {
    Refused refused =
        refuse(request, doors, door, form,
               {Fault::bad_request, "the body has more than " + std::to_string(limit) + " bytes"});
    refused.reply.status = 413;
    return refused;
  }
  return std::nullopt;
}

// A Reading is large: each return statement makes it in the place of the caller's object.
Reading read_with(Doors doors, bool found, const Door& door, Form form,
                  const HttpRequest& request) {
  if (auto refused = refuse_for_all(doors, found, door, form, request)) {
    return *std::move(refused);
  }
  if (door.write) {
    return door.read(request, form);
  }
  return read_without_form(doors, door, form, request);
}

}  // namespace

Doors all_doors() { return doors_in_order; }

size_t largest_body(Doors doors) {
  size_t largest = 0;
  for (const Door* door : doors) {
    largest = std::max(largest, door->body_limit);
  }
  return largest;
}

bool is_brief(Doors doors, std::string_view path) {
  const size_t index = index_of(doors, path);
  return index < doors.size() && doors[index]->is_brief;
}

Received receive(Doors doors, const HttpRequest& request) {
  uint8_t index = index_of(doors, request.path);
  const bool found = index < doors.size();
  if (!found) {
    index = 0;
  }
  const Door& door = *doors[index];
  const Form form = door.form ? door.form(request) : doors.front()->form(request);
  return {.mark = {.door = index, .form = form},
          .reading = read_with(doors, found, door, form, request)};
}

bool is_stream(Doors doors, Mark mark, const Answer& answer) {
  return doors[mark.door]->streams &&
         (answer.result == Result::granted || answer.result == Result::held);
}

HttpReply write_answer(Doors doors, Mark mark, const Answer& answer) {
  return write_with(doors, *doors[mark.door], answer, mark.form);
}

}  // namespace distributex
