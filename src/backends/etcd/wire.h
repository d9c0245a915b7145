// SPDX-License-Identifier: MIT
// An etcd cluster as the rest of the backend sees it. It is an interface, against the rule,
// because tests put an etcd of their own behind it that loses and delays answers at random.
// All callbacks come on the loop's thread, never from inside the call that caused them.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "backends/etcd/messages.h"
#include "backends/etcd/outcome.h"
#include "lock/words.h"

namespace distributex {

struct EtcdReply {
  EtcdOutcome outcome = EtcdOutcome::unknown;  // never log_in
  EtcdAnswer answer{};                         // if answered
  std::string reason{};                        // for all other outcomes
  Time sent{};                                 // etcd did nothing before this moment
};

class EtcdWire {
 public:
  using Replied = std::function<void(const EtcdReply&, Time now)>;
  using Heard = std::function<void(const EtcdNews&, Time now)>;

  virtual ~EtcdWire() = default;
  // Calls replied exactly once, after about `limit` at the latest.
  virtual void ask(EtcdTxn txn, Duration limit, Replied replied) = 0;
  // Tells all changes of the range from now on. The first message has `created` set; none
  // follows a message with `ended` set. There is one watch: a new one ends the one before.
  virtual void watch(const std::string& key, const std::string& range_end, Heard heard) = 0;
  // Asks the next member from now on, for the current one cannot be trusted.
  virtual void move_on(const std::string& reason) = 0;
};

}  // namespace distributex
