// SPDX-License-Identifier: MIT
// jansson reads the JSON; then each member is checked here.
#include "doors/fleetlock/request.h"

#include "base/json.h"
#include "doors/json_body.h"
#include "doors/query.h"

namespace distributex {

namespace {

constexpr std::string_view group_letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

}  // namespace

std::variant<FleetNode, std::string> read_fleet_node(std::string_view body) {
  auto read = read_json_object(body);
  if (auto* complaint = std::get_if<std::string>(&read)) {
    return std::move(*complaint);
  }
  const json_t* params = json_object_get(std::get<Json>(read).get(), "client_params");
  if (!json_is_object(params)) {
    return "the body has no object \"client_params\"";
  }
  FleetNode node;
  const auto id = text_member(params, "id");
  const auto group = text_member(params, "group");
  if (!id || id->empty()) {
    return "client_params has no \"id\", a text that is not empty";
  }
  if (!group || group->empty()) {
    return "client_params has no \"group\", a text that is not empty";
  }
  if (const char* reason = unsound_name(*id)) {
    return std::string("the id ") + reason;
  }
  if (group->size() > 255 || group->find_first_not_of(group_letters) != group->npos) {
    return "the group is not 1 to 255 letters, digits, - and .";
  }
  return FleetNode{.id = std::string(*id), .group = std::string(*group)};
}

}  // namespace distributex
