// SPDX-License-Identifier: MIT
// The freezes and the counts of failed runs, a part of the mirror: what the watch has
// told, all of one revision. A freeze ends by the server that set it at the moment
// that its operator was told, and by every other one a second later. Pure.
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

// Failed runs in a row, and the revision of their key; 0: there is none.
struct EtcdRuns {
  uint32_t count = 0;
  uint64_t mod = 0;
};

class EtcdStanding {
 public:
  // How much later than its writer this server ends another's freeze, and up to so
  // much more at random.
  static constexpr std::chrono::milliseconds grace{1000};
  static constexpr std::chrono::milliseconds jitter{300};

  struct Due {
    std::string name;
    uint64_t mod = 0;
  };

  EtcdStanding(std::function<uint64_t()> random, std::function<uint64_t()> wall_us)
      : random_(std::move(random)), wall_us_(std::move(wall_us)) {}

  // The revision of the last freeze or thaw, which every grant compares.
  [[nodiscard]] uint64_t mod() const { return mod_; }
  [[nodiscard]] const Rulings& freezes() const { return rulings_; }
  [[nodiscard]] EtcdRuns runs(std::string_view pool) const;
  // The names of freezes, and of pools with failed runs, that a name or pattern
  // matches; the first `most` of them.
  [[nodiscard]] std::vector<std::string> frozen_names(std::string_view pattern, size_t most) const;
  [[nodiscard]] std::vector<std::string> failing_names(std::string_view pattern, size_t most) const;

  // A freeze that this server is about to write under that nonce ends then.
  void promise(const std::string& nonce, Time until) { promised_[nonce] = until; }
  void forget_promise(const std::string& nonce) { promised_.erase(nonce); }
  [[nodiscard]] std::optional<Time> first_end() const;
  [[nodiscard]] std::vector<Due> due(Time now) const;
  void postpone(const Due& due, Time until);

  // For the mirror. is_listed: the freeze may be older than what told of it. Returns
  // nullopt when it is known already.
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
    std::optional<Time> ends;  // by this server
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
