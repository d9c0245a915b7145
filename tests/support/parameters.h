// SPDX-License-Identifier: MIT
// What the plain door makes of a verb's parameters: a command, or what is wrong with it.
#pragma once

#include <string_view>
#include <variant>

#include "doors/plain/request.h"

namespace distributex::test {

inline std::variant<Command, Complaint> parse_parameters(Verb verb, std::string_view query,
                                                         std::string_view form) {
  Command command;
  command.verb = verb;
  if (Complaint complaint = read_parameters(query, form, command); !complaint.empty()) {
    return complaint;
  }
  return command;
}

}  // namespace distributex::test
