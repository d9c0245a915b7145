// SPDX-License-Identifier: MIT
// The words decide, not the status: builds of etcd differ in the status of a refusal.
#include "backends/etcd/outcome.h"

#include <algorithm>

namespace distributex {

namespace {

struct Row {
  std::string_view words;  // somewhere in the refusal
  EtcdOutcome outcome;
};

constexpr Row rows[] = {
    {"no leader", EtcdOutcome::not_done},
    {"Not Found", EtcdOutcome::not_done},  // the gateway is off here
    {"too many requests", EtcdOutcome::not_done},
    {"invalid auth token", EtcdOutcome::log_in},
    {"user name is empty", EtcdOutcome::log_in},
    {"revision of auth store is old", EtcdOutcome::log_in},
    {"permission denied", EtcdOutcome::refused},
    {"authentication failed", EtcdOutcome::refused},
    {"authentication is not enabled", EtcdOutcome::refused},
    {"CommonName", EtcdOutcome::refused},
    {"database space exceeded", EtcdOutcome::refused},
};

// With these statuses nothing was done, whatever the words are.
constexpr int not_done_statuses[] = {400, 401, 403, 404, 405, 412, 429};

}  // namespace

EtcdOutcome outcome_of(int status, std::string_view words, bool sent) {
  if (status == 200) {
    return EtcdOutcome::answered;
  }
  if (status == 0) {
    return sent ? EtcdOutcome::unknown : EtcdOutcome::not_done;
  }
  for (const Row& row : rows) {
    if (words.find(row.words) != std::string_view::npos) {
      return row.outcome;
    }
  }
  const bool is_not_done = std::find(std::begin(not_done_statuses), std::end(not_done_statuses),
                                     status) != std::end(not_done_statuses);
  return is_not_done ? EtcdOutcome::refused : EtcdOutcome::unknown;
}

std::string outcome_reason(int status, std::string_view words) {
  constexpr std::string_view name = "etcdserver: ";
  constexpr std::string_view store = "mvcc: ";
  if (words.starts_with(name)) {
    words.remove_prefix(name.size());
  }
  if (words.starts_with(store)) {
    words.remove_prefix(store.size());
  }
  if (status == 404 && words.find("lease") == std::string_view::npos) {
    return "it answers 404: etcd 3.4 or newer is needed, with enable-grpc-gateway: true";
  }
  if (!words.empty()) {
    return std::string(words.substr(0, words.find('\n')));
  }
  return "it answers with status " + std::to_string(status);
}

}  // namespace distributex
