// SPDX-License-Identifier: MIT
// Which parameters each verb takes, and how they are read. No function here needs a zero
// byte at the end, a locale, or a bound that another file has checked.
#include "doors/plain/request.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "doors/query.h"

namespace distributex {
namespace {

enum class Param { host, pool, id, token, expire, timeout, outcome, status };

// In the order of Param.
constexpr std::array<std::string_view, 8> param_names = {"host",   "pool",    "id",      "token",
                                                         "expire", "timeout", "outcome", "status"};

constexpr unsigned takes_token = 1, takes_expire = 2, takes_timeout = 4, takes_outcome = 8;

// What a verb takes beside host, pool and id.
constexpr unsigned parameters_of(Verb verb) {
  switch (verb) {
    case Verb::get:
      return takes_expire;
    case Verb::wait:
      return takes_expire | takes_timeout;
    case Verb::release:
      return takes_token | takes_outcome;
    case Verb::renew:
      return takes_token | takes_expire;
    case Verb::freeze:
    case Verb::thaw:
    case Verb::evict:
      return 0;  // verbs of the admin door
  }
  return 0;
}

constexpr uint64_t seconds_max = 2147483647;

using Values = std::array<std::optional<std::string_view>, param_names.size()>;

// The index of the parameter with this name, as it was sent; param_names.size(): none.
size_t param_of(std::string_view name) {
  const auto* const known = std::find(param_names.begin(), param_names.end(), name);
  if (known != param_names.end() || name.find('%') == name.npos) {
    return static_cast<size_t>(known - param_names.begin());
  }
  const auto is_it = [&](std::string_view each) { return is_named(name, each); };
  const auto* const found = std::find_if(param_names.begin(), param_names.end(), is_it);
  return static_cast<size_t>(found - param_names.begin());
}

// Stores the first value of each parameter, as it was sent.
void collect(std::string_view rest, Values& values) {
  while (!rest.empty()) {
    std::string_view value = take_until('&', rest);
    const size_t param = param_of(take_until('=', value));
    if (param < values.size() && !values[param]) {
      values[param] = value;
    }
  }
}

// Reads "2.5", ".5" or "3."; further decimals than nanoseconds are cut off.
std::optional<Duration> decimal_seconds(std::string_view text) {
  std::string_view fraction = text;
  const std::string_view whole = take_until('.', fraction);
  if (whole.empty() && fraction.empty()) {
    return {};
  }
  if (!std::all_of(fraction.begin(), fraction.end(), is_digit)) {
    return {};
  }
  const auto seconds = whole.empty() ? 0 : whole_number(whole, 0, seconds_max);
  if (!seconds) {
    return {};
  }
  if (*seconds == seconds_max && fraction.find_first_not_of('0') != fraction.npos) {
    return {};
  }
  int64_t nanoseconds = 0;
  for (size_t i = 0; i < 9; ++i) {
    nanoseconds = nanoseconds * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  return std::chrono::seconds(*seconds) + std::chrono::nanoseconds(nanoseconds);
}

Complaint read_token(std::string_view name, std::string_view raw, std::optional<Token>& into) {
  std::string text;
  if (decode(raw, text)) {
    into = whole_number(text, 1, max_token);
  }
  if (into) {
    return {};
  }
  // The error does not show the value: somebody may have sent a secret as the token.
  return complain(name, "is not a whole number from 1 to 9007199254740991");
}

Complaint read_expire(std::string_view name, std::string_view raw,
                      std::optional<std::chrono::seconds>& into) {
  std::string text;
  if (decode(raw, text)) {
    if (const auto seconds = whole_number(text, 1, seconds_max)) {
      into = std::chrono::seconds(*seconds);
    }
  }
  if (into) {
    return {};
  }
  return complain(name, "is not a whole number of seconds from 1 to 2147483647", raw);
}

Complaint read_timeout(std::string_view name, std::string_view raw, std::optional<Duration>& into) {
  std::string text;
  if (decode(raw, text)) {
    into = decimal_seconds(text);
  }
  if (into) {
    return {};
  }
  return complain(name, "is not a number of seconds from 0 to 2147483647, like 30 or 2.5", raw);
}

Complaint read_outcome(std::string_view name, std::string_view raw, Outcome& into) {
  std::string text;
  if (decode(raw, text) && (text == "ok" || text == "failed")) {
    into = text == "ok" ? Outcome::ok : Outcome::failed;
    return {};
  }
  return complain(name, "is neither ok nor failed", raw);
}

Complaint read_status(std::string_view name, std::string_view raw, std::optional<uint8_t>& into) {
  std::string text;
  if (decode(raw, text)) {
    if (const auto status = whole_number(text, 0, 255)) {
      into = static_cast<uint8_t>(*status);
      return {};
    }
  }
  return complain(name, "is not a whole number from 0 to 255", raw);
}

bool is_required(Param param) { return param == Param::host || param == Param::pool; }

bool is_taken(Param param, unsigned takes) {
  switch (param) {
    case Param::host:
    case Param::pool:
    case Param::id:
      return true;
    case Param::token:
      return (takes & takes_token) != 0;
    case Param::expire:
      return (takes & takes_expire) != 0;
    case Param::timeout:
      return (takes & takes_timeout) != 0;
    case Param::outcome:
    case Param::status:
      return (takes & takes_outcome) != 0;
  }
  return false;
}

Complaint read_param(Param param, std::string_view name, std::string_view raw, Command& into) {
  switch (param) {
    case Param::host:
      return read_name(name, raw, into.owner.host);
    case Param::pool:
      return read_name(name, raw, into.pool);
    case Param::id:
      return read_name(name, raw, into.owner.id);
    case Param::token:
      return read_token(name, raw, into.token);
    case Param::expire:
      return read_expire(name, raw, into.expire);
    case Param::timeout:
      return read_timeout(name, raw, into.timeout);
    case Param::outcome:
      return read_outcome(name, raw, into.outcome);
    case Param::status:
      return read_status(name, raw, into.status);
  }
  return {};
}

}  // namespace

Complaint read_parameters(std::string_view query, std::string_view form, Command& into) {
  Values values;
  collect(query, values);
  collect(form, values);
  const unsigned takes = parameters_of(into.verb);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto param = static_cast<Param>(i);
    if (!is_taken(param, takes) || (!values[i] && !is_required(param))) {
      continue;
    }
    Complaint complaint = values[i] ? read_param(param, param_names[i], *values[i], into)
                                    : complain(param_names[i], "is missing");
    if (!complaint.empty()) {
      return complaint;
    }
  }
  return {};
}

}  // namespace distributex
