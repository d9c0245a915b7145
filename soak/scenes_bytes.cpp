// SPDX-License-Identifier: MIT
// Requests as few clients send them.
#include <utility>

#include "holder.h"
#include "scenes.h"

namespace distributex::soak {

namespace {

// The next answer over a connection on which much was sent; none in trouble.
std::optional<Response> next_answer(Actor& actor, Connection& connection, Time asked,
                                    const Holder& holder) {
  std::optional<Response> response = connection.response();
  if (!response && !actor.is_excused(asked)) {
    actor.world.findings.add("%s: a pipeline of %s stopped", actor.service->name(),
                             holder.parameters().c_str());
  }
  if (!response) {
    return response;
  }
  const std::string fault = fault_of(*response, false);
  if (!fault.empty()) {
    actor.world.findings.add("%s: in a pipeline of %s: %s", actor.service->name(),
                             holder.parameters().c_str(), fault.c_str());
  }
  return response;
}

std::string garbage(Choices& dice) {
  constexpr std::string_view pieces[] = {"GET ",    "POST ",   "HEAD ",       "/get?",
                                         "/wait/?", "host=",   "&pool=mutex", " HTTP/1.1",
                                         "\r\n",    "\n",      ": ",          "Host",
                                         "%00",     "%zz",     "chunked",     "Connection: close",
                                         "0\r\n",   "\x80",    " ",           "Content-Length: 7",
                                         "http://", "\r\n\r\n"};
  std::string text;
  for (uint64_t i = 1 + dice.below(30); i > 0; i--) {
    if (dice.once_in(4)) {
      text += static_cast<char>(dice.below(256));
    } else {
      text += pieces[dice.below(std::size(pieces))];
    }
  }
  return text;
}

}  // namespace

// Sends everything at once: take, ask again, renew, give back, give back. The release may be
// done before the grant is read, so nobody counts on the lock and the ledger is not told.
void pipeline(Actor& actor) {
  constexpr std::pair<const char*, std::string_view> verbs[] = {{"get", "granted"},
                                                                {"get", "held"},
                                                                {"renew", "renewed"},
                                                                {"release", "released"},
                                                                {"release", "not-held"}};
  Holder holder(actor, actor.mortal_pool());
  const auto asked = Clock::now();
  Connection connection(actor.any_port());
  std::string text;
  for (const auto& [verb, result] : verbs) {
    text += request_text(verb, holder.parameters(), {.form = actor.dice.once_in(3)});
    actor.count_request();
  }
  if (!connection.connected() || !connection.send(text)) {
    return;
  }
  bool is_first_granted = false;
  for (const auto& [verb, result] : verbs) {
    const auto response = next_answer(actor, connection, asked, holder);
    if (!response) {
      return;
    }
    const Said said = said_in(*response, asked);
    is_first_granted = is_first_granted || (&verb == &verbs[0].first && said.result == "granted");
    if (is_first_granted && said.result != result && !actor.is_excused(asked)) {
      actor.world.findings.add("%s: in a pipeline of %s: %s is \"%s\"", actor.service->name(),
                               holder.parameters().c_str(), verb, said.result.c_str());
    }
  }
}

void send_garbage(Actor& actor) {
  Connection connection(actor.any_port());
  if (!connection.connected()) {
    return;
  }
  actor.count_request();
  for (uint64_t i = 1 + actor.dice.below(3); i > 0; i--) {
    if (!connection.send(garbage(actor.dice))) {
      return;
    }
    actor.pause(milliseconds(20));
  }
  if (actor.dice.once_in(2)) {
    (void)connection.wait_end(milliseconds(500));
  }
  if (actor.dice.once_in(2)) {
    connection.reset();
  }
}

void send_mistakes(Actor& actor) {
  constexpr std::string_view mistakes[] = {
      "/get",
      "/get?pool=mutex",
      "/get?host=a",
      "/get?host=a&pool=nowhere",
      "/get?host=gamma&pool=listed",
      "/get?host=%zz&pool=mutex",
      "/wait?host=a&pool=mutex&timeout=-1",
      "/renew?host=a&pool=mutex&token=x",
      "/release?host=%00&pool=mutex",
      "/take?host=a&pool=mutex",
  };
  const std::string target(mistakes[actor.dice.below(std::size(mistakes))]);
  const auto asked = Clock::now();
  actor.count_request();
  const Response response = test::fetch(actor.any_port(), target);
  if (response.body == "INVALID" || actor.is_excused(asked)) {
    return;
  }
  actor.world.findings.add("%s: %s: status %d \"%s\"", actor.service->name(), target.c_str(),
                           response.status, response.body.c_str());
}

}  // namespace distributex::soak
