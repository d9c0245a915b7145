// SPDX-License-Identifier: MIT
// What happens to locks is told here, once: it is counted, kept among the last
// events, logged, and remembered for estimates. Decides nothing; knows neither
// sockets nor the backend's ways.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "lock/words.h"
#include "watch/events.h"
#include "watch/metrics.h"
#include "watch/standing.h"

namespace distributex {

// Where a request came from, and what its client had proven.
struct Origin {
  std::string_view peer;
  std::string_view by{};
};

struct RecordOptions {
  uint32_t events = 0;  // the last so many are kept for /events/
  bool audit = true;    // each event is a line of the log
};

class Record {
 public:
  Record(const RecordOptions& options, uint64_t wall_us);
  // A pool that a pattern had made is not there any more.
  void forget(std::string_view pool) { holdings_.forget(pool); }
  void configure(const RecordOptions& options, const std::vector<PoolSpec>& pools);

  // An answer of the engine, about to be sent to that address.
  void answered(const Answered& answered, const Origin& origin, Time now);
  // A request that the door refused; without a verb its path or method did not
  // exist, which is counted and no more.
  void refused(std::optional<Verb> verb, const Answer& answer, const Origin& origin);
  void left(const Left& left, const Origin& origin, Time now);
  void undelivered(const Release& release);
  void expired(std::string_view pool, const Lease& lease);
  void happened(const Happening& happening);

  // A question goes to the backend, and its verdict comes.
  void asked(OpId op, Time now) { asked_[op % asked_.size()] = {op, now}; }
  void decided(OpId op, const Verdict& verdict, Time now);

  [[nodiscard]] Metrics& metrics() { return metrics_; }
  [[nodiscard]] const EventRing& events() const { return events_; }
  [[nodiscard]] const Holdings& holdings() const { return holdings_; }

 private:
  struct Asked {
    OpId op = 0;
    Time at{};
  };
  void tell(LockEvent&& event);

  Metrics metrics_;
  EventRing events_;
  Holdings holdings_;
  // By the op's last digits: one that is overtaken by so many others goes
  // unmeasured.
  std::array<Asked, 1024> asked_{};
  bool audit_;
};

}  // namespace distributex
