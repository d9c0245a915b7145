// SPDX-License-Identifier: MIT
// One row for each parameter: which verbs take it, which must have it, and how it
// is read.
#include "doors/admin/request.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace distributex {

namespace {

constexpr uint64_t seconds_max = 2147483647;

constexpr unsigned bit(Verb verb) { return 1U << static_cast<unsigned>(verb); }
constexpr unsigned all = bit(Verb::freeze) | bit(Verb::thaw) | bit(Verb::evict);

struct Param {
  std::string_view name;
  unsigned taken;   // the verbs that take it
  unsigned wanted;  // the verbs that must have it
  Complaint (*read)(std::string_view name, std::string_view raw, Command& into);
};

Complaint read_pool(std::string_view name, std::string_view raw, Command& into) {
  return read_name(name, raw, into.pool);
}

Complaint read_reason(std::string_view name, std::string_view raw, Command& into) {
  return read_name(name, raw, into.reason);
}

Complaint read_by(std::string_view name, std::string_view raw, Command& into) {
  return read_name(name, raw, into.by);
}

Complaint read_for(std::string_view name, std::string_view raw, Command& into) {
  std::string text;
  if (decode(raw, text)) {
    if (const auto seconds = whole_number(text, 1, seconds_max)) {
      into.lasts = std::chrono::seconds(*seconds);
    }
  }
  if (into.lasts) {
    return {};
  }
  return complain(name, "is not a whole number of seconds from 1 to 2147483647", raw);
}

Complaint read_token(std::string_view name, std::string_view raw, Command& into) {
  std::string text;
  if (decode(raw, text)) {
    into.token = whole_number(text, 1, max_token);
  }
  if (into.token) {
    return {};
  }
  return complain(name, "is not a whole number from 1 to 9007199254740991", raw);
}

constexpr Param params[] = {
    {"pool", all, all, read_pool},
    {"token", bit(Verb::evict), bit(Verb::evict), read_token},
    {"reason", bit(Verb::freeze) | bit(Verb::evict), bit(Verb::freeze) | bit(Verb::evict),
     read_reason},
    {"by", all, 0, read_by},
    {"for", bit(Verb::freeze), 0, read_for},
};

using Values = std::array<std::optional<std::string_view>, std::size(params)>;

void collect(std::string_view rest, Values& values) {
  while (!rest.empty()) {
    std::string_view value = take_until('&', rest);
    const std::string_view name = take_until('=', value);
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i] && is_named(name, params[i].name)) {
        values[i] = value;
      }
    }
  }
}

}  // namespace

std::variant<Command, Complaint> parse_order(Verb verb, std::string_view query,
                                             std::string_view form) {
  Values values;
  collect(query, values);
  collect(form, values);
  Command command;
  command.verb = verb;
  for (size_t i = 0; i < values.size(); ++i) {
    const Param& param = params[i];
    if ((param.taken & bit(verb)) == 0 || (!values[i] && (param.wanted & bit(verb)) == 0)) {
      continue;
    }
    Complaint complaint = values[i] ? param.read(param.name, *values[i], command)
                                    : complain(param.name, "is missing");
    if (!complaint.empty()) {
      return complaint;
    }
  }
  return command;
}

}  // namespace distributex
