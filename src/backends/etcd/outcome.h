// SPDX-License-Identifier: MIT
// What is known of a question after one attempt to ask it. If etcd refused it in words that
// rule out its execution, or nothing was sent, it was not done. If no clear answer came, the
// outcome is unknown: etcd may even carry the question out later. Pure.
#pragma once

#include <string>
#include <string_view>

namespace distributex {

enum class EtcdOutcome {
  answered,
  not_done,  // by this endpoint; another one may do it
  refused,   // not done, and no endpoint will do it until an operator acts
  log_in,    // not done: the token is missing or not valid any more
  unknown,
};

// The outcome of an HTTP exchange. status 0: no answer came; `sent` says whether any of the
// question was sent.
[[nodiscard]] EtcdOutcome outcome_of(int status, std::string_view words, bool sent);

// The reason for operators: etcd's words, or a sentence if there are none.
[[nodiscard]] std::string outcome_reason(int status, std::string_view words);

}  // namespace distributex
