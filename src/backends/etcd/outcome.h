// SPDX-License-Identifier: MIT
// What is known of a question after one attempt to ask it. The rule: an answer
// is known; what etcd refused in words that rule out its execution, and what
// was never sent, is not done; all else is unknown and may even be carried out
// later. Pure.
#pragma once

#include <string>
#include <string_view>

namespace distributex {

enum class EtcdOutcome {
  answered,
  not_done,  // here and now; another endpoint may do it
  refused,   // not done, and no endpoint will before somebody changes something
  log_in,    // not done: the token is missing or not valid any more
  unknown,
};

// Of an HTTP exchange. status 0: there was no answer; then sent says whether
// any of the question left this machine.
[[nodiscard]] EtcdOutcome outcome_of(int status, std::string_view words, bool sent);

// As operators read it: etcd's words, or a sentence where these are too few.
[[nodiscard]] std::string outcome_reason(int status, std::string_view words);

}  // namespace distributex
