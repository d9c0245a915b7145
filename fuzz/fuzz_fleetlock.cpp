// SPDX-License-Identifier: MIT
// The body of a FleetLock request: if it is accepted, jansson must read it as JSON that says
// the same, and name and group must be sound; if it is refused, the reason must be printable.
#include "base/json.h"
#include "doors/fleetlock/reply.h"
#include "doors/fleetlock/request.h"
#include "doors/query.h"
#include "fuzz.h"

using namespace distributex;
using namespace distributex::fuzz;

namespace {

std::string_view member(const json_t* object, const char* name) {
  const json_t* value = json_object_get(object, name);
  must(json_is_string(value), "a member that was taken is a text");
  return {json_string_value(value), json_string_length(value)};
}

void check_refusal(const std::string& why) {
  must(!why.empty() && why.size() < 200 && is_printable(why), "a reason is short and printable");
  const HttpReply reply = fleetlock_error(400, "bad_request", why);
  const Json json{json_loads(reply.body.c_str(), JSON_REJECT_DUPLICATES, nullptr)};
  must(json_object_size(json.get()) == 2, "an error has a kind and a value");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body = text_of(data, size);
  auto read = read_fleet_node(body);
  if (const auto* why = std::get_if<std::string>(&read)) {
    check_refusal(*why);
    return 0;
  }
  const auto& node = std::get<FleetNode>(read);
  const Json json{json_loadb(body.data(), body.size(), 0, nullptr)};
  must(json_is_object(json.get()), "what is taken jansson takes");
  const json_t* params = json_object_get(json.get(), "client_params");
  must(member(params, "id") == node.id, "the id is that of jansson");
  must(member(params, "group") == node.group, "the group is that of jansson");
  must(unsound_name(node.id) == nullptr, "the id is a sound name");
  must(!node.group.empty() && node.group.size() <= 255 && is_printable(node.group),
       "the group is a sound name");
  return 0;
}
