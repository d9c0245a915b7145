// SPDX-License-Identifier: MIT
// One memcached as the loop sees it: its worker, what the loop knows of it, and whether it
// is out of reach, of which each change is logged. For the loop's thread; asks no clock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "backends/memcache/address.h"
#include "backends/memcache/worker.h"
#include "base/handle.h"

namespace distributex {

class MemcacheServer {
 public:
  // Calls on_results on the loop's thread when the worker has results to take.
  MemcacheServer(event_base* base, const MemcacheAddress& address, const MemcacheSettings& settings,
                 std::function<void()> on_results, Time now);
  MemcacheServer(const MemcacheServer&) = delete;
  MemcacheServer& operator=(const MemcacheServer&) = delete;

  [[nodiscard]] MemcacheWorker& worker() { return worker_; }
  // nullopt while memcached answers, else "memcached HOST:PORT: REASON".
  [[nodiscard]] const std::optional<std::string>& trouble() const { return trouble_; }
  // The reason of a failed operation, with the address in front.
  [[nodiscard]] std::string sentence(const std::string& reason) const;
  // Seconds that its clock is ahead of this machine's; 0 if they are close.
  [[nodiscard]] int64_t clock_apart() const { return clock_apart_; }

  void note(const LinkUp& up, Time now);
  void note(const LinkDown& down, Time now);
  void note_alive(Time now);
  // When watch() is due. If watch() finds silence twice in a row, memcached is in trouble.
  [[nodiscard]] Time silent_at() const;
  void watch(Time now);

 private:
  static void on_wake(int, short, void* self) noexcept;
  void note_news(Time now);
  void set_trouble(std::string reason);

  std::string name_;
  std::function<void()> on_results_;
  std::optional<std::string> trouble_;
  std::string reason_;  // the reason logged last
  int64_t clock_apart_ = 0;
  Time silent_at_;
  bool doubted_ = false;  // watch() has found silence once
  MemcacheWorker worker_;
  Event wake_;
};

}  // namespace distributex
