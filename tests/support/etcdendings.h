// SPDX-License-Identifier: MIT
// What the log of an etcd in memory must show of the ends of leases, whatever was lost,
// late or carried out twice: a lease that its owner was told of ends once, and the same
// revision removes it, adds its rest and counts its run; a rest lasts for its whole time;
// and there are never more leases and rests together than slots.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "lock/words.h"
#include "support/fakeetcd.h"

namespace distributex::test {

class EtcdEndings {
 public:
  EtcdEndings(size_t slots, Duration delay) : slots_(slots), delay_(delay) {}

  // An owner was told that a lease is its own until then.
  void told(Token token, std::optional<Time> ends);
  // "" when the log of pool "p" is right. Every end there is that of a failed run, and
  // its slot rests for the delay.
  [[nodiscard]] std::string wrong_in(const FakeEtcd& etcd) const;

 private:
  size_t slots_;
  Duration delay_;
  std::map<Token, Time> told_{};
};

}  // namespace distributex::test
