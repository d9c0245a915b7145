// SPDX-License-Identifier: MIT
// What clients were told and what they did, in their own times; and the proof
// that it was right: never more holders than slots, and tokens that rise. Knows
// no server: any history can be checked, and broken ones are found out by
// test_history.cpp. Not for several threads.
#pragma once

#include <stdint.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace distributex::test {

class History {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void slots(const std::string& pool, size_t count) { slots_[pool] = count; }

  // A holder was told, at `answered`, that a lease is its own until `ends`;
  // it had asked at `asked`. Told again of the same lease: the earlier question
  // and the later end count.
  void told(const std::string& pool, const std::string& holder, uint64_t token, Time asked,
            Time answered, std::optional<Time> ends = {});
  // From here on the holder does not count on that lease any more.
  void let_go(const std::string& pool, uint64_t token, Time when);
  // memcached lost all its items at some time between `from` and `to`: leases from before
  // may overlap with later ones.
  void lost_all(Time from, Time to) { losses_.emplace_back(from, to); }

  // Of those that are not settled.
  [[nodiscard]] size_t grants(const std::string& pool) const;
  // All tokens that were told of and are not settled, and to whom.
  [[nodiscard]] std::map<uint64_t, std::string> tokens(const std::string& pool) const;
  // "" when all is right, else what is wrong.
  [[nodiscard]] std::string verdict() const;
  // For histories without end: returns the verdict, then forgets all leases that ended before
  // the horizon, but not the highest token. Nothing that is told later may have been asked for
  // before the horizon.
  [[nodiscard]] std::string settle(Time horizon);

 private:
  struct Grant {
    std::string holder;
    uint64_t token = 0;
    Time asked;
    Time answered;
    std::optional<Time> ends;      // by the clock
    std::optional<Time> let_go{};  // by the holder
  };
  using Grants = std::vector<Grant>;

  [[nodiscard]] Time end_of(const Grant& grant) const;
  [[nodiscard]] std::string check_exclusion(const std::string& pool, const Grants& grants) const;
  [[nodiscard]] std::string check_tokens(const std::string& pool, const Grants& grants,
                                         bool in_turn) const;
  [[nodiscard]] std::string check_floor(const std::string& pool, const Grants& grants) const;

  std::map<std::string, size_t> slots_;
  std::map<std::string, Grants> grants_;
  std::vector<std::pair<Time, Time>> losses_;
  Time horizon_{};
  std::map<std::string, uint64_t> floors_;  // the highest token before the horizon
};

}  // namespace distributex::test
