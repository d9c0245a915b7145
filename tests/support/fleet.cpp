// SPDX-License-Identifier: MIT
// Bodies as Zincati sends them.
#include "support/fleet.h"

namespace distributex::test {

std::string fleet_body(std::string_view id, std::string_view group) {
  return "{\"client_params\":{\"id\":\"" + std::string(id) + "\",\"group\":\"" +
         std::string(group) + "\"}}";
}

std::string fleet_request(std::string_view step, std::string_view id, std::string_view group) {
  const std::string body = fleet_body(id, group);
  return "POST /fleetlock/v1/" + std::string(step) +
         " HTTP/1.1\r\nHost: x\r\nfleet-lock-protocol: true\r\nContent-Type: application/json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

Response ask_fleet(uint16_t port, std::string_view step, std::string_view id,
                   std::string_view group) {
  Connection line(port);
  if (!line.send(fleet_request(step, id, group))) {
    return {};
  }
  return line.response().value_or(Response{});
}

}  // namespace distributex::test
