// SPDX-License-Identifier: MIT
// Readers of the pages for probes and people, and of the stream of events.
#include <sys/socket.h>

#include "holder.h"
#include "scenes.h"
#include "support/metrics.h"
#include "support/status.h"

namespace distributex::soak {

namespace {

struct PageRow {
  const char* target;
  bool (*is_sound)(const Response&);
};

constexpr PageRow pages[] = {
    {"/livez", [](const Response& r) { return r.body == "ok\n"; }},
    {"/readyz", [](const Response& r) { return r.body == "ok\n" || r.status == 503; }},
    {"/", [](const Response& r) { return r.body == "ok\n"; }},
    {"/status/", [](const Response& r) { return test::parse_json(r.body) != nullptr; }},
    {"/status/?pool=sem&limit=2",
     [](const Response& r) { return test::parse_json(r.body) != nullptr; }},
    {"/metrics", [](const Response& r) { return test::read_samples(r.body).has_value(); }},
    {"/events/?pool=mutex", [](const Response& r) { return !r.body.empty() || r.by_length; }},
};

// Whole lines of a stream, each a JSON object with a number above the last.
bool is_rising(std::string_view text, double& last) {
  for (size_t at = 0, end = 0; (end = text.find('\n', at)) != text.npos; at = end + 1) {
    const std::string_view line = text.substr(at, end - at);
    if (!line.starts_with('{')) {
      continue;  // a sign of life, or a chunk's length
    }
    const test::Json event = test::parse_json(line);
    const auto seq = event ? test::json_number_at(event.get(), "seq") : std::nullopt;
    if (!seq || *seq <= last) {
      return false;
    }
    last = *seq;
  }
  return true;
}

Connection open_stream(Actor& actor) {
  Connection connection(actor.any_port());
  actor.count_request();
  // HTTP/1.0: no chunks to take apart.
  if (connection.connected() && !connection.send("GET /events/?follow=1 HTTP/1.0\r\n\r\n")) {
    connection.close();
  }
  return connection;
}

}  // namespace

void look_around(Actor& actor) {
  const PageRow& page = pages[actor.dice.below(std::size(pages))];
  const char* methods[] = {"GET", "HEAD", "OPTIONS"};
  const uint64_t method = actor.dice.below(4) % 3;
  const auto asked = Clock::now();
  Connection connection(actor.any_port());
  actor.count_request();
  const std::string request =
      std::string(methods[method]) + " " + page.target + " HTTP/1.1\r\nHost: x\r\n\r\n";
  if (!connection.connected() || !connection.send(request)) {
    return;
  }
  const auto response = connection.response(method == 1);
  const bool is_known = response && (response->status == 200 || response->status == 503);
  const bool is_right = is_known && (method == 1 || page.is_sound(*response));
  if (!is_right && !actor.is_excused(asked)) {
    actor.world.findings.add("%s: %s %s: status %d \"%s\"", actor.service->name(), methods[method],
                             page.target, response ? response->status : 0,
                             response ? response->body.c_str() : "");
  }
}

// Its bytes are looked at when the whole of a while has come.
void follow_events(Actor& actor) {
  Connection connection = open_stream(actor);
  if (!connection.connected()) {
    return;
  }
  const auto until = milliseconds(static_cast<int64_t>(500 + actor.dice.below(4000)));
  (void)connection.wait_end(until);
  std::string_view text = connection.unread();
  const size_t body = text.find("\r\n\r\n");
  double last = 0;
  if (body == text.npos || is_rising(text.substr(body), last)) {
    return;
  }
  actor.world.findings.add("%s: events out of order after %.0f", actor.service->name(), last);
}

void follow_and_not_read(Actor& actor) {
  Connection connection = open_stream(actor);
  if (!connection.connected()) {
    return;
  }
  const int small = 4096;
  setsockopt(connection.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  for (int i = 0; i < 10 && !actor.world.stopping; i++) {
    actor.pause(milliseconds(2000));
  }
  if (actor.dice.once_in(2)) {
    connection.reset();
  }
}

}  // namespace distributex::soak
