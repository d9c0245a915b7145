// SPDX-License-Identifier: MIT
// The freezes and the counts of failed runs, a part of the mirror: what the watch has
// told, all of one revision. The server that set a freeze ends it at the moment that its
// operator was told; every other server would do so a second or more later. Pure.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/etcd/messages.h"
#include "backends/etcd/value.h"
#include "backends/rulings.h"
#include "lock/words.h"

namespace distributex {

// Failed runs in a row, and the mod_revision of their key; 0: there is no key.
struct EtcdRuns {
  uint32_t count = 0;
  uint64_t mod = 0;
};

class EtcdStanding {
 public:
  // How much later than its writer this server ends another server's freeze: grace, and a
  // random part of jitter.
  static constexpr std::chrono::milliseconds grace{1000};
  static constexpr std::chrono::milliseconds jitter{300};

  struct Due {
    std::string name;
    uint64_t mod = 0;
  };

  EtcdStanding(std::function<uint64_t()> random, std::function<uint64_t()> wall_us)
      : random_(std::move(random)), wall_us_(std::move(wall_us)) {}

  // The mod_revision of the rulings key: of the last freeze or thaw. Every grant compares it.
  [[nodiscard]] uint64_t mod() const { return mod_; }
  [[nodiscard]] const Rulings& freezes() const { return rulings_; }
  [[nodiscard]] EtcdRuns runs(std::string_view pool) const;
  // The first `most` names of freezes, or of pools with failed runs, that match the name or
  // pattern.
  [[nodiscard]] std::vector<std::string> frozen_names(std::string_view pattern, size_t most) const;
  [[nodiscard]] std::vector<std::string> failing_names(std::string_view pattern, size_t most) const;

  // This server is about to write a freeze with that nonce; it ends at `until`.
  void promise(const std::string& nonce, Time until) { promised_[nonce] = until; }
  void forget_promise(const std::string& nonce) { promised_.erase(nonce); }
  [[nodiscard]] std::optional<Time> first_end() const;
  [[nodiscard]] std::vector<Due> due(Time now) const;
  void postpone(const Due& due, Time until);

  // For the mirror. is_listed: a list showed the freeze, so it may be old. Returns nullopt if
  // the freeze is known already.
  void put_rulings(uint64_t mod) { mod_ = mod; }
  std::optional<Freeze> put_freeze(const std::string& name, const EtcdKv& kv, bool is_listed,
                                   Time now);
  std::optional<Freeze> remove_freeze(const std::string& name);
  void put_runs(const std::string& pool, const EtcdKv& kv);
  void remove_runs(const std::string& pool) { runs_.erase(pool); }
  [[nodiscard]] std::vector<std::string> frozen_names() const {
    return frozen_names("*", SIZE_MAX);
  }
  [[nodiscard]] std::vector<std::string> failing_names() const {
    return failing_names("*", SIZE_MAX);
  }

 private:
  struct Entry {
    std::string nonce;
    uint64_t mod = 0;
    std::optional<Time> ends;  // when this server ends it
  };

  std::function<uint64_t()> random_;
  std::function<uint64_t()> wall_us_;
  Rulings rulings_;
  std::map<std::string, Entry, std::less<>> entries_;  // of the freezes
  std::map<std::string, EtcdRuns, std::less<>> runs_;
  std::map<std::string, Time> promised_;  // by nonce
  uint64_t mod_ = 0;
};

}  // namespace distributex
