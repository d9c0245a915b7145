// SPDX-License-Identifier: MIT
#include "support/etcdoperators.h"

#include <algorithm>

namespace distributex::test {

using std::chrono::seconds;
using What = EtcdRaceQuestion::What;

// Whoever is evicted does not count on its lease from when that was asked for. A
// freeze takes the place of the one before it, maybe before its answer.
Order EtcdOperators::next(EtcdRaceQuestion& question, Choices& dice, History& history, OpId op) {
  is_busy_ = true;
  Order order{.op = op, .pool = "p", .reason = "r", .by = "ann"};
  switch (dice.below(3)) {
    case 0:
      order.lasts = dice.once_in(2) ? std::optional<Duration>{seconds(2)} : std::nullopt;
      question.lasts = order.lasts;
      if (frozen_until_ && order.lasts) {
        frozen_until_ = std::min(*frozen_until_, question.asked + *order.lasts);
      }
      break;
    case 1:
      order.kind = Order::Kind::thaw;
      order.pool.assign(1, '*');  // gcc 12 warns in vain of "*"
      question.what = What::thaw;
      frozen_until_.reset();
      break;
    default:
      order.kind = Order::Kind::evict;
      question.what = What::evict;
      for (const auto& [token, who] : history.tokens("p")) {
        order.token = token;
      }
      history.let_go("p", order.token, question.asked);
  }
  return order;
}

void EtcdOperators::answered(const EtcdRaceQuestion& question, const Verdict& verdict,
                             const FakeEtcd& etcd) {
  is_busy_ = false;
  const auto runs = etcd.store().find("distributex/n/p");
  if (question.what == What::thaw && verdict.kind != Verdict::Kind::failed &&
      runs != etcd.store().end() && runs->second.create <= question.revision) {
    wrong_ = "a thaw has left failed runs that were counted before it was asked for";
  }
  if (question.what == What::freeze && verdict.kind == Verdict::Kind::done) {
    frozen_until_ = question.lasts ? question.asked + *question.lasts : Time::max();
    freezes_++;
  }
}

void EtcdOperators::granted(const std::string& host, Time now) {
  if (frozen_until_ && now < *frozen_until_) {
    wrong_ = host + " was granted a lease after the answer to a freeze";
  }
}

void EtcdOperators::lost(const EtcdRaceQuestion& question) {
  const bool is_order =
      question.what == What::freeze || question.what == What::thaw || question.what == What::evict;
  is_busy_ = is_busy_ && !is_order;
}

PoolSpec raced_pool(uint32_t slots, bool has_orders) {
  PoolSpec spec{.name = "p", .expire = seconds(5), .maxlocks = slots, .servers = {}};
  if (has_orders) {
    spec.release_delay = raced_rest;
    spec.lock_delay = raced_rest;
    spec.freeze_after = 1000;
  }
  return spec;
}

std::string leftovers_of(const FakeEtcd& etcd,
                         const std::vector<std::unique_ptr<EtcdRaceServer>>& servers) {
  for (const auto& [key, entry] : etcd.store()) {
    if (key.find("/l/") != std::string::npos) {
      return "a lease is left: " + key + " " + entry.value;
    }
    for (const auto& server : servers) {
      if (key.find("/w/p/" + server->core->world().settings.server) != std::string::npos) {
        return "a ticket is left: " + key;
      }
    }
  }
  for (const auto& server : servers) {
    if (!server->questions.empty()) {
      return "a question was never answered";
    }
    if (!server->core->world().leftovers.empty()) {
      return "a leftover is left";
    }
  }
  return "";
}

}  // namespace distributex::test
