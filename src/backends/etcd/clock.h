// SPDX-License-Identifier: MIT
// The key "base" as this server saw it last: the offset of the tokens, and a
// clock that all servers share. Whoever has not seen the clock change for two
// seconds moves it on by the time since it saw it, four seconds at most, if
// nobody else did: so it never runs faster than time, and it stands still while
// no server runs. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "backends/etcd/messages.h"
#include "backends/etcd/value.h"
#include "lock/words.h"

namespace distributex {

class EtcdClock {
 public:
  static constexpr std::chrono::milliseconds step_max{4000};
  static constexpr std::chrono::milliseconds period{2000};

  // Takes it when it is newer than what is known; may come from any answer.
  void note(const EtcdKv& kv, Time now);
  // It was deleted, or the store is another one than before.
  void forget();

  [[nodiscard]] bool is_known() const { return mod_ != 0; }
  [[nodiscard]] uint64_t mod() const { return mod_; }  // 0: the key is absent, as far as known
  [[nodiscard]] const std::string& text() const { return text_; }  // as it stands there
  [[nodiscard]] uint64_t offset() const { return value_.offset; }
  [[nodiscard]] Time seen() const { return seen_; }

  // What it shows, and what it shows with the time since it was seen.
  [[nodiscard]] int64_t shown() const { return value_.clock; }
  [[nodiscard]] int64_t at(Time now) const;
  // The value of its next step; with another offset.
  [[nodiscard]] std::string next(Time now) const { return next(now, value_.offset); }
  [[nodiscard]] std::string next(Time now, uint64_t offset) const;
  // A moment not earlier than that at which the clock of an entry written in
  // etcd stood at `then`; from what was seen now or before.
  [[nodiscard]] Time latest_moment_of(int64_t then) const;

 private:
  std::string text_;
  EtcdBaseValue value_;
  uint64_t mod_ = 0;
  Time seen_{};
};

}  // namespace distributex
