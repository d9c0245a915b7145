// SPDX-License-Identifier: MIT
// The form of answers: one table says which statuses each result has and which fields go
// with it. A text answer, the hot path, is made without printf and without JSON. Every text
// that a client may have sent goes through escaped() before it becomes a header.
#include "doors/plain/reply.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "doors/refusal.h"
#include "lock/names.h"

namespace distributex {
namespace {

struct ResultRow {
  Result result;
  int text_status;  // unless the fault is one of path or method
  int json_status;  // of invalid: the fault's
  bool has_lease;
  bool has_error;
};

// In the order of Result.
constexpr ResultRow results[] = {
    {Result::granted, 200, 200, true, false},     {Result::held, 200, 200, true, false},
    {Result::busy, 200, 409, false, false},       {Result::timeout, 200, 409, false, false},
    {Result::released, 200, 200, false, false},   {Result::not_held, 200, 409, false, false},
    {Result::renewed, 200, 200, true, false},     {Result::lost, 200, 409, false, false},
    {Result::invalid, 200, 400, false, true},     {Result::unavailable, 503, 503, false, true},
    {Result::frozen, 200, 200, false, false},     {Result::thawed, 200, 200, false, false},
    {Result::not_frozen, 200, 409, false, false}, {Result::evicted, 200, 200, false, false},
    {Result::no_lease, 200, 409, false, false},
};

constexpr bool rows_stand_in_order() {
  for (size_t i = 0; i < std::size(results); ++i) {
    if (static_cast<size_t>(results[i].result) != i) {
      return false;
    }
  }
  return std::size(results) == result_count;
}
static_assert(rows_stand_in_order());

const ResultRow& row_of(Result result) { return results[static_cast<size_t>(result)]; }

int status_of(const Answer& answer, bool json) {
  const ResultRow& row = row_of(answer.result);
  if (answer.result != Result::invalid) {
    return json ? row.json_status : row.text_status;
  }
  const bool door = answer.fault == Fault::no_such_path || answer.fault == Fault::bad_method ||
                    refusal_status(answer.fault).has_value();
  return json || door ? fault_status(answer.fault) : row.text_status;
}

// What is left of a lease, in whole milliseconds: rounded down, so that no
// client believes in more than there is.
int64_t milliseconds_left(Duration left) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(left).count();
  return std::max<int64_t>(whole, 0);
}

// 1500 as "1.500".
std::string seconds_text(int64_t milliseconds) {
  std::array<char, 24> text;
  char* end = std::to_chars(text.data(), text.data() + 20, milliseconds / 1000).ptr;
  const auto rest = milliseconds % 1000;
  *end++ = '.';
  *end++ = static_cast<char>('0' + rest / 100);
  *end++ = static_cast<char>('0' + rest / 10 % 10);
  *end++ = static_cast<char>('0' + rest % 10);
  return {text.data(), end};
}

std::string holder_text(const Owner& owner) {
  return escaped(owner.id.empty() ? owner.host : owner.host + '/' + owner.id);
}

void add_headers(const Answer& answer, HeaderLines& headers) {
  const ResultRow& row = row_of(answer.result);
  headers.add("Cache-Control", "no-store");
  headers.add("Distributex-Result", result_name(answer.result));
  if (row.has_lease) {
    headers.add("Distributex-Token", answer.token);
    if (answer.expires_in) {
      headers.add("Distributex-Expires", seconds_text(milliseconds_left(*answer.expires_in)));
    }
  }
  if (row.has_error) {
    headers.add("Distributex-Error", escaped(answer.error));
  }
  if (answer.standing) {
    if (!answer.standing->holders.empty()) {
      headers.add("Distributex-Holder", holder_text(answer.standing->holders.front().owner));
    }
    headers.add("Distributex-Waiting", answer.standing->waiting);
  }
  if (answer.frozen) {
    headers.add("Distributex-Frozen", escaped(answer.frozen->reason));
  }
  if (answer.result == Result::unavailable) {
    headers.add("Retry-After", "1");
  }
}

void set_standing(json_t* object, const Standing& standing) {
  json_t* holders = json_array();
  for (const Standing::Holder& holder : standing.holders) {
    json_t* one = json_object();
    set_text(one, "host", holder.owner.host);
    set_text(one, "id", holder.owner.id);
    set_seconds(one, "held", holder.held);
    if (holder.expires_in) {
      set_seconds(one, "expires_in", *holder.expires_in);
    }
    json_array_append_new(holders, one);
  }
  json_object_set_new(object, "holders", holders);
  set_whole(object, "waiting", standing.waiting);
  if (standing.position) {
    set_whole(object, "position", *standing.position);
  }
  if (standing.estimate) {
    set_seconds(object, "estimate", *standing.estimate);
  }
}

json_t* freeze_json(const FrozenBy& frozen) {
  json_t* json = json_object();
  set_text(json, "pool", frozen.pool);
  set_text(json, "reason", frozen.reason);
  set_text(json, "by", frozen.by);
  set_seconds(json, "since", std::chrono::microseconds{frozen.since_us});
  if (frozen.until_us) {
    set_seconds(json, "until", std::chrono::microseconds{*frozen.until_us});
  }
  return json;
}

std::string json_body(const Answer& answer) {
  const ResultRow& row = row_of(answer.result);
  const Json object{json_object()};
  set_text(object.get(), "result", result_name(answer.result));
  set_text(object.get(), "pool", answer.pool);
  set_text(object.get(), "host", answer.owner.host);
  set_text(object.get(), "id", answer.owner.id);
  if (row.has_lease) {
    set_whole(object.get(), "token", answer.token);
    if (answer.expires_in) {
      set_seconds(object.get(), "expires_in", std::max(*answer.expires_in, Duration::zero()));
    }
  }
  if (row.has_error) {
    set_text(object.get(), "error", answer.error);
  }
  if (answer.result == Result::evicted) {
    set_whole(object.get(), "token", answer.ended);
  }
  if (answer.frozen) {
    json_object_set_new(object.get(), "frozen", freeze_json(*answer.frozen));
  }
  if (answer.standing) {
    set_standing(object.get(), *answer.standing);
  }
  return json_line(object.get());
}

}  // namespace

HttpReply format_answer(const Answer& answer, bool json) {
  HttpReply reply;
  reply.status = status_of(answer, json);
  add_headers(answer, reply.headers);
  add_login(reply);
  if (json) {
    reply.content_type = "application/json";
    reply.body = json_body(answer);
  } else {
    reply.body = result_word(answer.result);
  }
  return reply;
}

}  // namespace distributex
