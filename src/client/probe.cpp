// SPDX-License-Identifier: MIT
//
// Sends one request to each server in turn until one answers it; -w limits each request.
// client/status lays out what is printed.
#include "client/probe.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <cstring>

#include "base/standard_fds.h"
#include "client/api.h"
#include "client/say.h"
#include "client/status.h"

namespace distributex::client {

namespace {

RawAnswer ask(Api& api, const Options& options, const Server& server, const std::string& target,
              bool post) {
  const Span limit =
      options.wait && !options.impatient() ? *options.wait : Span(std::chrono::seconds(5));
  const Api::Ticket ticket = api.begin({.server = server,
                                        .target = target,
                                        .connect_limit = limit,
                                        .limit = limit,
                                        .post = post,
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
  if (const std::string error = status_error(raw.body); !error.empty()) {
    return error;
  }
  return "HTTP " + std::to_string(raw.status) + ", " +
         printable(raw.error ? *raw.error : raw.body.substr(0, raw.body.find('\n')));
}

}  // namespace

int ask_in_turn(const Options& options, const std::string& target, bool post,
                const std::function<std::optional<int>(const Server&, const RawAnswer&)>& take) {
  Api api(options.proxy, options.proofs);
  std::string troubles;
  for (const Server& server : options.servers) {
    const RawAnswer raw = ask(api, options, server, target, post);
    if (const auto code = take(server, raw)) {
      return *code;
    }
    troubles += (troubles.empty() ? "" : "; ") + server.name() + ": " + first_line(raw);
  }
  complain("%s", troubles.c_str());
  return exit_unreachable;
}

int print(const std::string& text) {
  if (was_missing(STDOUT_FILENO)) {
    errno = EBADF;
  } else if (fputs(text.c_str(), stdout) >= 0 && fflush(stdout) == 0) {
    return 0;
  }
  complain("cannot write to the standard output: %s", strerrordesc_np(errno));
  return exit_unwritten;
}

int print_status(const Options& options) {
  const auto take = [&options](const Server& server, const RawAnswer& raw) -> std::optional<int> {
    const auto text = raw.status != 200 ? std::nullopt
                      : options.json    ? status_json(raw.body)
                                        : status_table(raw.body, server.name(), wall_seconds());
    return text ? std::optional(print(*text)) : std::nullopt;
  };
  return ask_in_turn(options, make_target("/status/", {{"pool", options.pool}}), false, take);
}

int ping(const Options& options) {
  const auto take = [](const Server& server, const RawAnswer& raw) -> std::optional<int> {
    // The original server does not know this page and says INVALID, which shows that it serves.
    if (raw.status != 200 || (!raw.body.starts_with("ok") && raw.body != "INVALID")) {
      return std::nullopt;
    }
    tell("%s is ready", server.name().c_str());
    return 0;
  };
  return ask_in_turn(options, "/readyz", false, take);
}

}  // namespace distributex::client
