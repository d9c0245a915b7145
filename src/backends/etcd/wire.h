// SPDX-License-Identifier: MIT
// An etcd cluster as the rest of the backend sees it. An interface, against the
// house's habit, because tests put an etcd of their own behind it that loses
// answers and is late by their dice. All calls back come on the loop's thread
// and never from inside the call that caused them.
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
  EtcdAnswer answer{};                         // answered
  std::string reason{};                        // of all others
  Time sent{};                                 // not later than anything was done
};

class EtcdWire {
 public:
  using Replied = std::function<void(const EtcdReply&, Time now)>;
  using Heard = std::function<void(const EtcdNews&, Time now)>;

  virtual ~EtcdWire() = default;
  // Calls back exactly once, within about that time.
  virtual void ask(EtcdTxn txn, Duration limit, Replied replied) = 0;
  // All changes of the range from now on, the first message being created. One
  // watch at a time: a new one ends the one before. After a message that says
  // ended nothing comes any more.
  virtual void watch(const std::string& key, const std::string& range_end, Heard heard) = 0;
  // The member that is asked now is not to be trusted: the next one.
  virtual void move_on(const std::string& reason) = 0;
};

}  // namespace distributex
