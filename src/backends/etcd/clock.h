// SPDX-License-Identifier: MIT
// The key "base" as this server saw it last: the offset of the tokens, and a
// clock that all servers share. A server that has not seen the clock change for two
// seconds moves the clock on by the time since then, four seconds at most; the write
// fails if another server moved it first. So the clock never runs faster than time, and
// it stands still while no server runs. Pure.
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

  // Takes the key from any answer or the watch; ignores it unless it is newer.
  void note(const EtcdKv& kv, Time now);
  // The key was deleted, or the store is another one than before.
  void forget();

  [[nodiscard]] bool is_known() const { return mod_ != 0; }
  [[nodiscard]] uint64_t mod() const { return mod_; }  // 0: the key is absent, as far as known
  [[nodiscard]] const std::string& text() const { return text_; }  // the key's value
  [[nodiscard]] uint64_t offset() const { return value_.offset; }
  // Somebody else wrote the key: the offset fell, and accept_offset() was not called since.
  [[nodiscard]] bool has_fallen() const { return has_fallen_; }
  void accept_offset() { has_fallen_ = false; }
  [[nodiscard]] Time seen() const { return seen_; }

  // The clock as the key shows it; and with the time since this server saw it added.
  [[nodiscard]] int64_t shown() const { return value_.clock; }
  [[nodiscard]] int64_t at(Time now) const;
  // The key's value for the next step of the clock; the second one sets another offset.
  [[nodiscard]] std::string next(Time now) const { return next(now, value_.offset); }
  [[nodiscard]] std::string next(Time now, uint64_t offset) const;
  // Returns a moment not earlier than the write of an entry that names clock `then`;
  // Time::max() if nothing is known but that it was written.
  [[nodiscard]] Time latest_moment_of(int64_t then) const;

 private:
  std::string text_;
  EtcdBaseValue value_;
  uint64_t mod_ = 0;
  bool has_fallen_ = false;
  Time seen_{};
};

}  // namespace distributex
