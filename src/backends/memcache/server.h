// SPDX-License-Identifier: MIT
// One memcached as the loop sees it: its worker, what is known of it, and
// whether it is out of reach. Says each change of that in the log. For the
// loop's thread; asks no clock.
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
  // on_results is called by the loop when results are there to be taken.
  MemcacheServer(event_base* base, const MemcacheAddress& address, const MemcacheSettings& settings,
                 std::function<void()> on_results, Time now);
  MemcacheServer(const MemcacheServer&) = delete;
  MemcacheServer& operator=(const MemcacheServer&) = delete;

  [[nodiscard]] MemcacheWorker& worker() { return worker_; }
  // Nothing while it answers, else "memcached HOST:PORT: why not".
  [[nodiscard]] const std::optional<std::string>& trouble() const { return trouble_; }
  // Why an operation failed there.
  [[nodiscard]] std::string sentence(const std::string& reason) const;
  // Seconds that its clock is ahead of ours, when they are far apart.
  [[nodiscard]] int64_t clock_apart() const { return clock_apart_; }

  void note(const LinkUp& up, Time now);
  void note(const LinkDown& down, Time now);
  void note_alive(Time now);
  // When watch() is due: silence that it finds for the second time is trouble.
  [[nodiscard]] Time silent_at() const;
  void watch(Time now);

 private:
  static void on_wake(int, short, void* self) noexcept;
  void note_news(Time now);
  void set_trouble(std::string reason);

  std::string name_;
  std::function<void()> on_results_;
  std::optional<std::string> trouble_;
  std::string reason_;  // logged last
  int64_t clock_apart_ = 0;
  Time silent_at_;
  bool doubted_ = false;  // silence was found once
  MemcacheWorker worker_;
  Event wake_;
};

}  // namespace distributex
