// SPDX-License-Identifier: MIT
// The server reports here, once, what happens to locks. Record counts it, adds it to the
// ring of events, logs it, and remembers holding times for estimates. It decides nothing,
// and knows neither sockets nor backends.
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
  uint32_t events = 0;  // so many events are kept for /events/
  bool audit = true;    // whether events are logged
};

class Record {
 public:
  Record(const RecordOptions& options, uint64_t wall_us);
  // The engine has removed a pool that a pattern had made.
  void forget(std::string_view pool) { holdings_.forget(pool); }
  void configure(const RecordOptions& options, const std::vector<PoolSpec>& pools);

  // An answer of the engine is about to be sent to the origin.
  void answered(const Answered& answered, const Origin& origin, Time now);
  // A door has refused a request. Without a verb its path or method did not exist: that is
  // only counted.
  void refused(std::optional<Verb> verb, const Answer& answer, const Origin& origin);
  void left(const Left& left, const Origin& origin, Time now);
  void undelivered(const Release& release);
  void expired(std::string_view pool, const Lease& lease);
  void happened(const Happening& happening);

  // asked(): a question goes to the backend; decided(): its verdict has come.
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
  // Indexed by op modulo the size. If so many later questions are asked before the verdict on
  // a question comes, its time is not measured.
  std::array<Asked, 1024> asked_{};
  bool audit_;
};

}  // namespace distributex
