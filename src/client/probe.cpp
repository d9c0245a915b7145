// SPDX-License-Identifier: MIT
//
// One request to each server until one serves; -w limits each. What to print is client_status's
// business.
#include "client/probe.h"

#include "client/api.h"
#include "client/say.h"
#include "client/status.h"

#include <stdio.h>

#include <functional>

namespace distributex::client {

namespace {

RawAnswer ask(Api& api, const Options& options, const Server& server, const std::string& target) {
  const Span limit =
      options.wait && !options.impatient() ? *options.wait : Span(std::chrono::seconds(5));
  const Api::Ticket ticket = api.begin({.server = server,
                                        .target = target,
                                        .connect_limit = limit,
                                        .limit = limit,
                                        .known_address = false});
  for (;;) {
    api.wait({});
    auto answer = api.next();
    if (answer && answer->ticket == ticket) {
      return std::move(answer->raw);
    }
  }
}

std::string first_line(const RawAnswer& raw) {
  if (raw.status == 0) {
    return raw.trouble;
  }
  return "HTTP " + std::to_string(raw.status) + ", " +
         printable(raw.body.substr(0, raw.body.find('\n')));
}

// The first server whose answer `serves`; the exit code.
int ask_in_turn(const Options& options, const std::string& target,
                const std::function<bool(const Server&, const RawAnswer&)>& serves) {
  Api api(options.proxy);
  std::string troubles;
  for (const Server& server : options.servers) {
    const RawAnswer raw = ask(api, options, server, target);
    if (serves(server, raw)) {
      return 0;
    }
    troubles += (troubles.empty() ? "" : "; ") + server.name() + ": " + first_line(raw);
  }
  complain("%s", troubles.c_str());
  return exit_unreachable;
}

bool print(const std::optional<std::string>& text) {
  return text && fputs(text->c_str(), stdout) >= 0 && fflush(stdout) == 0;
}

}  // namespace

int print_status(const Options& options) {
  return ask_in_turn(options, make_target("/status/", {{"pool", options.pool}}),
                     [&options](const Server& server, const RawAnswer& raw) {
                       return raw.status == 200 &&
                              print(options.json
                                        ? status_json(raw.body)
                                        : status_table(raw.body, server.name(), wall_seconds()));
                     });
}

int ping(const Options& options) {
  return ask_in_turn(options, "/readyz", [](const Server& server, const RawAnswer& raw) {
    // The original knows no such page: that it says so shows that it serves.
    const bool serves = raw.status == 200 && (raw.body.starts_with("ok") || raw.body == "INVALID");
    if (serves) {
      tell("%s is ready", server.name().c_str());
    }
    return serves;
  });
}

}  // namespace distributex::client
