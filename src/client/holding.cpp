// SPDX-License-Identifier: MIT
//
// Who we are, and the spelling of requests. The host name is found once, before any signal is taken
// over, since a name service can take its time.
#include "client/holding.h"

#include <netdb.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

namespace distributex::client {

namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

// The full name when the name service knows one, as the original client sends it.
std::string full_host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') {
    return "localhost";
  }
  std::string short_name = name.data();
  if (short_name.find('.') != std::string::npos) {
    return short_name;
  }
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(short_name.c_str(), nullptr, &hints, &found) != 0) {
    return short_name;
  }
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  const std::string full = list->ai_canonname == nullptr ? "" : list->ai_canonname;
  return full.find('.') == std::string::npos ? short_name : full;
}

std::string unique_id() {
  std::uint64_t bits = 0;
  if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof bits)) {
    bits = static_cast<std::uint64_t>(read_clock().time_since_epoch().count());
  }
  std::array<char, 48> text{};
  (void)snprintf(text.data(), text.size(), "%ld-%016llx", static_cast<long>(getpid()),
                 static_cast<unsigned long long>(bits));
  return text.data();
}

std::string decimal(Span span, int digits) {
  std::array<char, 48> text{};
  (void)snprintf(text.data(), text.size(), "%.*f", digits, to_seconds(span));
  return text.data();
}

std::string token_text(std::optional<std::uint64_t> token) {
  return token ? std::to_string(*token) : std::string();
}

}  // namespace

Identity make_identity(const std::string& wanted_id) {
  return {full_host_name(), wanted_id.empty() ? unique_id() : wanted_id};
}

std::vector<std::pair<std::string, std::string>> Requests::who() const {
  return {{"pool", options_.pool}, {"host", identity_.host}, {"id", identity_.id}};
}

Query Requests::get(std::size_t server) const {
  auto parameters = who();
  parameters.emplace_back("expire", decimal(options_.lease, 0));
  return {.server = options_.servers[server], .target = make_target("/get/", parameters)};
}

Query Requests::wait(std::size_t server, std::optional<Span> patience) const {
  auto parameters = who();
  parameters.emplace_back("expire", decimal(options_.lease, 0));
  parameters.emplace_back("timeout", patience ? decimal(*patience, 3) : std::string());
  return {.server = options_.servers[server],
          .target = make_target("/wait/", parameters),
          .limit = std::nullopt};
}

Query Requests::renew(const Holding& holding, Span limit) const {
  auto parameters = who();
  parameters.emplace_back("token", token_text(holding.token));
  parameters.emplace_back("expire", decimal(options_.lease, 0));
  return {.server = options_.servers[holding.server],
          .target = make_target("/renew/", parameters),
          .connect_limit = limit,
          .limit = limit,
          .known_address = true};
}

Query Requests::release(std::size_t server, std::optional<std::uint64_t> token, Span limit) const {
  auto parameters = who();
  parameters.emplace_back("token", token_text(token));
  return {.server = options_.servers[server],
          .target = make_target("/release/", parameters),
          .connect_limit = limit,
          .limit = limit,
          .known_address = true};
}

Query Requests::status(std::size_t server) const {
  return {.server = options_.servers[server],
          .target = make_target("/status/", {{"pool", options_.pool}})};
}

std::string seconds_text(Span span) { return decimal(span, 1) + " s"; }

}  // namespace distributex::client
