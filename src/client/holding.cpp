// SPDX-License-Identifier: MIT
//
// Makes requests. Writes numbers without printf, whose decimal point follows the locale.
#include "client/holding.h"

#include <array>
#include <charconv>

namespace distributex::client {

namespace {

std::string decimal(Span span, int digits) {
  std::array<char, 48> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), to_seconds(span),
                                 std::chars_format::fixed, digits);
  return {text.data(), end.ptr};
}

std::string token_text(std::optional<std::uint64_t> token) {
  return token ? std::to_string(*token) : std::string();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Requests::who() const {
  return {{"pool", options_.pool}, {"host", identity_.host}, {"id", identity_.id}};
}

Query Requests::get(std::size_t server, Span connect_limit, Span limit) const {
  auto parameters = who();
  parameters.emplace_back("expire", decimal(options_.lease, 0));
  return {.server = options_.servers[server],
          .target = make_target("/get/", parameters),
          .connect_limit = connect_limit,
          .limit = limit};
}

Query Requests::wait(std::size_t server, Span connect_limit, std::optional<Span> patience) const {
  auto parameters = who();
  parameters.emplace_back("expire", decimal(options_.lease, 0));
  parameters.emplace_back("timeout", patience ? decimal(*patience, 3) : std::string());
  return {.server = options_.servers[server],
          .target = make_target("/wait/", parameters),
          .connect_limit = connect_limit,
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

Query Requests::release(std::size_t server, const Holding& holding, Span limit) const {
  auto parameters = who();
  parameters.emplace_back("token", token_text(holding.token));
  if (holding.run) {
    parameters.emplace_back("outcome", holding.run->is_success ? "ok" : "failed");
    parameters.emplace_back("status", std::to_string(holding.run->status));
  }
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

Query Requests::sign_of_life(std::size_t server, Span limit) const {
  return {.server = options_.servers[server],
          .target = "/livez",
          .connect_limit = limit,
          .limit = limit,
          .known_address = true};
}

std::string seconds_text(Span span) { return decimal(span, 1) + " s"; }

}  // namespace distributex::client
