// SPDX-License-Identifier: MIT
//
// An order is one POST. It names the operator as USER@HOST, because the server may see only the
// client's address.
#include "client/order.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

#include "client/api.h"
#include "client/probe.h"
#include "client/reply.h"
#include "client/say.h"

namespace distributex::client {

namespace {

constexpr const char* no_reason = "no reason was given";

std::string user_name() {
  const passwd* entry = getpwuid(getuid());
  return entry == nullptr ? "uid " + std::to_string(getuid()) : std::string(entry->pw_name);
}

std::string who() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) {
    return user_name();
  }
  return (user_name() + "@" + host.data()).substr(0, 255);
}

std::string target_of(const Options& options) {
  const std::string reason = options.reason.empty() ? no_reason : options.reason;
  switch (options.mode) {
    case Mode::freeze: {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
          options.freeze_for.value_or(Span::zero()));
      return make_target("/freeze/", {{"pool", options.pool},
                                      {"reason", reason},
                                      {"by", who()},
                                      {"for", options.freeze_for ? std::to_string(seconds.count())
                                                                 : std::string()}});
    }
    case Mode::thaw:
      return make_target("/thaw/", {{"pool", options.pool}, {"by", who()}});
    case Mode::evict:
      return make_target("/evict/", {{"pool", options.pool},
                                     {"token", std::to_string(options.token)},
                                     {"reason", reason},
                                     {"by", who()}});
    case Mode::run:
    case Mode::status:
    case Mode::ping:
    case Mode::help:
    case Mode::version:
      break;
  }
  return {};
}

int refused(const std::string& why) {
  complain("%s", why.c_str());
  return exit_not_obtained;
}

// Returns the exit code; nullopt: ask the next server.
std::optional<int> outcome(const Options& options, const Server& server, const RawAnswer& raw) {
  const Reply reply = interpret(raw);
  const std::string pool = printable(options.pool);
  if (reply.original || !reply.result || reply.result == Result::unavailable) {
    return std::nullopt;
  }
  if (reply.result == Result::frozen) {
    return print("frozen: " + pool + "\n");
  }
  if (reply.result == Result::thawed) {
    return print("thawed: " + pool + "\n");
  }
  if (reply.result == Result::evicted) {
    return print("evicted: token " + std::to_string(options.token) + " of " + pool + "\n");
  }
  if (reply.result == Result::not_frozen) {
    return refused("no freeze has the name " + pool +
                   (reply.frozen.empty() ? std::string()
                                         : "; the pool is frozen by a pattern: " + reply.frozen));
  }
  if (reply.result == Result::no_lease) {
    return refused("no lock of " + pool + " has token " + std::to_string(options.token));
  }
  complain("%s: %s", server.name().c_str(), reply.error.c_str());
  return exit_unreachable;
}

}  // namespace

int give_order(const Options& options) {
  const auto take = [&options](const Server& server, const RawAnswer& raw) {
    return outcome(options, server, raw);
  };
  return ask_in_turn(options, target_of(options), true, take);
}

}  // namespace distributex::client
