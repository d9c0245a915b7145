// SPDX-License-Identifier: MIT
// Parts of a race of etcd servers: a server with what is asked of it, the operators,
// and what may not be left in the end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/etcd/core.h"
#include "support/choices.h"
#include "support/fakeetcd.h"
#include "support/history.h"

namespace distributex::test {

struct EtcdRaceQuestion {
  enum class What { acquire, release, renew, take_back, freeze, thaw, evict };
  What what;
  std::string host;
  Time asked;
  bool is_patient = false;
  std::optional<Duration> lasts{};  // freeze
  uint64_t revision = 0;            // of etcd when it was asked, thaw
};
struct EtcdRaceServer {
  std::unique_ptr<FakeWire> wire;
  std::unique_ptr<EtcdCore> core;
  std::map<OpId, EtcdRaceQuestion> questions;
  std::map<std::string, Time> waiting;  // patient owners, since when
  std::optional<Time> ask_again;        // for the first of them
  Time stands_until{};
};

// Operators freeze, thaw and evict, one at a time.
class EtcdOperators {
 public:
  [[nodiscard]] bool is_busy() const { return is_busy_; }
  // The next order, asked at question.asked.
  Order next(EtcdRaceQuestion& question, Choices& dice, History& history, OpId op);
  void answered(const EtcdRaceQuestion& question, const Verdict& verdict, const FakeEtcd& etcd);
  void granted(const std::string& host, Time now);
  // Its server has died.
  void lost(const EtcdRaceQuestion& question);
  // etcd was emptied.
  void forget() { frozen_until_.reset(); }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }
  [[nodiscard]] size_t freezes() const { return freezes_; }

 private:
  std::optional<Time> frozen_until_{};  // an operator was told so
  bool is_busy_ = false;
  size_t freezes_ = 0;
  std::string wrong_{};
};

inline constexpr std::chrono::seconds raced_rest{3};
// With orders its slots rest so long after each lease, and each end is counted.
[[nodiscard]] PoolSpec raced_pool(uint32_t slots, bool has_orders);

// "" when nothing is left.
[[nodiscard]] std::string leftovers_of(const FakeEtcd& etcd,
                                       const std::vector<std::unique_ptr<EtcdRaceServer>>& servers);

}  // namespace distributex::test
