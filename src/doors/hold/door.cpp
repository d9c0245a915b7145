// SPDX-License-Identifier: MIT
// The hold door: a lock that lasts as long as its connection. A request is read as a wait
// of the plain door. If the lock is granted, the answer is the first line of a stream,
// which daemon/holds.cpp continues.
#include <algorithm>

#include "base/json.h"
#include "doors/hold/words.h"
#include "doors/query.h"
#include "doors/rows.h"
#include "lock/note.h"

namespace distributex {

namespace {

constexpr Form json = 1;
// The longest lease; the daemon renews it while the connection lives.
constexpr std::chrono::seconds lease_length{30};

bool has(std::string_view path) { return path == "hold"; }

Form form_of(const HttpRequest& request) {
  return accepts_json(request.header("Accept")) ? json : 0;
}

Reading read(const HttpRequest& request, Form form) {
  HttpRequest as_wait = request;
  as_wait.path = "wait";
  Reading reading = plain_door.read(as_wait, form);
  if (auto* command = std::get_if<Command>(&reading)) {
    command->expire = std::min(command->expire.value_or(lease_length), lease_length);
    command->ends_with_connection = true;
    command->note = make_note("hold", {});
  }
  return reading;
}

HttpReply write(const Answer& answer, Form form) {
  HttpReply reply = plain_door.write(answer, form);
  if (answer.result == Result::granted || answer.result == Result::held) {
    reply.body += '\n';
    if (form == json) {
      reply.content_type = "application/x-ndjson; charset=utf-8";
    }
  }
  return reply;
}

}  // namespace

std::string_view sign_of_life(Form form) { return form == json ? "{}\n" : "\n"; }

std::string lost_line(Form form, std::string_view why) {
  if (form != json) {
    return "LOST\n";
  }
  const Json object{json_object()};
  set_text(object.get(), "result", "lost");
  set_text(object.get(), "error", why);
  return json_line(object.get()) + "\n";
}

constinit const Door hold_door{
    .name = "hold",
    .has = has,
    .methods = methods_of({HttpMethod::get, HttpMethod::post}),
    .body_limit = 0,
    .read = read,
    .form = form_of,
    .write = write,
    .streams = true,
};

}  // namespace distributex
