// SPDX-License-Identifier: MIT
// An operator's order: a query and a form, one line each. The result must be an order that
// is sound in every part and reads the same after it was written down, or a complaint that
// is safe to show.
#include <string>
#include <variant>

#include "doors/admin/request.h"
#include "fuzz.h"
#include "lock/names.h"

using namespace distributex;
using namespace distributex::fuzz;

namespace {

std::string written(const Command& order) {
  std::string query = "pool=" + encoded(order.pool);
  if (order.token) {
    query += "&token=" + std::to_string(*order.token);
  }
  if (order.lasts) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*order.lasts);
    query += "&for=" + std::to_string(seconds.count());
  }
  for (const auto& [name, text] : {std::pair{"&reason=", order.reason}, {"&by=", order.by}}) {
    query += text.empty() ? "" : name + encoded(text);
  }
  return query;
}

bool is_sound(std::string_view text) { return !text.empty() && text.size() <= 255; }

void check(const Command& order, Verb verb) {
  using std::chrono::seconds;
  must(order.verb == verb, "the verb is the one asked for");
  must(is_sound(order.pool), "a pool or a pattern is a name");
  must(is_sound(order.reason) == (verb != Verb::thaw), "what stops others has a reason");
  must(order.token.has_value() == (verb == Verb::evict), "an eviction names its lease");
  must(!order.token || (*order.token >= 1 && *order.token <= max_token), "a token is in range");
  must(!order.lasts || verb == Verb::freeze, "only a freeze lasts");
  must(!order.lasts || (*order.lasts >= seconds{1} && *order.lasts <= seconds{2147483647}),
       "a time is in range");
  must(!order.timeout && !order.expire && order.owner == Owner{}, "an order is for nobody");
  const auto again = parse_order(verb, {}, written(order));
  const auto* same = std::get_if<Command>(&again);
  must(same != nullptr, "what was read can be written");
  must(same->pool == order.pool && same->token == order.token && same->lasts == order.lasts &&
           same->reason == order.reason && same->by == order.by,
       "what was written reads the same");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view form = text_of(data, size);
  const std::string_view query = take_until('\n', form);
  for (const Verb verb : {Verb::freeze, Verb::thaw, Verb::evict}) {
    const auto parsed = parse_order(verb, query, form);
    if (const auto* order = std::get_if<Command>(&parsed)) {
      check(*order, verb);
    } else {
      const auto& complaint = std::get<Complaint>(parsed);
      must(!complaint.empty() && complaint.size() <= 256, "a complaint is short");
      must(is_printable(complaint), "a complaint is printable ASCII");
    }
  }
  return 0;
}
