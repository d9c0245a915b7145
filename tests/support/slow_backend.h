// SPDX-License-Identifier: MIT
// A slow backend: it looks at a question some time after it was asked, and the verdict
// arrives some time later, in the order of the pool's questions. It may fail, and leases of
// other servers come and go. Naive: lists and walks. The test says when each step happens.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lock/words.h"

namespace distributex::test {

class SlowBackend {
 public:
  // How the engine learns that a slot may be free: from the end of the first
  // lease and by being told; by asking again at intervals; or only when told.
  enum class Style { ends, polls, watches };
  static constexpr std::chrono::seconds poll_interval{3};

  using Question = std::variant<Acquire, Release, Renew>;
  struct Known {
    Lease lease;
    std::optional<std::chrono::seconds> length;
  };

  void add_pool(const std::string& pool, Style style) { pools_[pool].style = style; }
  void put(const Question& question);

  // Looks at the oldest question, if there is one; or fails it.
  void look(const std::string& pool, bool fails, Time now);
  // The oldest verdict that has not been taken.
  [[nodiscard]] std::optional<std::pair<OpId, Verdict>> take_verdict(const std::string& pool);
  [[nodiscard]] bool is_busy(const std::string& pool) const;

  // Ends what is over; the pools that the engine is to be told of.
  [[nodiscard]] std::vector<std::string> tick(Time now);
  // A stranger takes a slot, or one leaves; whether the engine is to be told.
  void stranger_comes(const std::string& pool, uint32_t slots, Time now);
  [[nodiscard]] bool stranger_leaves(const std::string& pool);

  [[nodiscard]] const std::vector<Known>& leases(const std::string& pool) const;
  [[nodiscard]] Style style(const std::string& pool) const { return pools_.at(pool).style; }

 private:
  struct Pool {
    Style style = Style::ends;
    std::vector<Known> leases;
    std::deque<Question> questions;
    std::deque<std::pair<OpId, Verdict>> verdicts;
  };

  Verdict decide(Pool& pool, const Acquire& question, Time now);
  static Verdict decide(Pool& pool, const Release& question, Time now);
  static Verdict decide(Pool& pool, const Renew& question, Time now);
  static void end_due(Pool& pool, Time now);
  static std::optional<Time> ask_again_at(const Pool& pool, Time now);

  std::map<std::string, Pool> pools_;
  Token last_token_ = 1000;
};

}  // namespace distributex::test
