// SPDX-License-Identifier: MIT
// The keys that this service has in etcd, all below one prefix:
//
//   base                offset of the tokens and the shared clock
//   g/POOL              gate: changed by every grant of the pool, never deleted
//   l/POOL/HOST/ID      one lease
//   l/POOL/!TOKEN       a slot that rests after that lease; counts as a lease does
//   w/POOL/SERVER       ticket: exists while somebody waits at that server
//   n/POOL              how many runs have failed in a row
//   f/NAME              one freeze, of a pool or a pattern
//   rulings             changed by every freeze and thaw
//
// Names are percent-encoded, so that no name contains a '/'. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "lock/words.h"

namespace distributex {

struct EtcdSpan {  // [from, to)
  std::string from;
  std::string to;
};

struct EtcdBaseKey {};
struct EtcdGateKey {
  std::string pool;
};
struct EtcdLeaseKey {
  std::string pool;
  Owner owner;
};
struct EtcdTicketKey {
  std::string pool;
  std::string server;
};
struct EtcdRestKey {
  std::string pool;
  Token token = 0;
};
struct EtcdRunsKey {
  std::string pool;
};
struct EtcdFreezeKey {
  std::string name;
};
struct EtcdRulingsKey {};
using EtcdPlace = std::variant<EtcdBaseKey, EtcdGateKey, EtcdLeaseKey, EtcdTicketKey, EtcdRestKey,
                               EtcdRunsKey, EtcdFreezeKey, EtcdRulingsKey>;

// Any bytes as letters, digits, . _ - and %XX; and back, nullopt if malformed.
[[nodiscard]] std::string encode_name(std::string_view text);
[[nodiscard]] std::optional<std::string> decode_name(std::string_view text);

class EtcdKeys {
 public:
  explicit EtcdKeys(std::string prefix) : prefix_(std::move(prefix)) {}

  [[nodiscard]] std::string base() const { return prefix_ + "base"; }
  [[nodiscard]] std::string gate(std::string_view pool) const;
  [[nodiscard]] std::string lease(std::string_view pool, const Owner& owner) const;
  [[nodiscard]] std::string ticket(std::string_view pool, std::string_view server) const;
  [[nodiscard]] std::string rest(std::string_view pool, Token token) const;
  [[nodiscard]] std::string runs(std::string_view pool) const;
  [[nodiscard]] std::string freeze(std::string_view name) const;
  // The counts of failed runs of all pools.
  [[nodiscard]] EtcdSpan all_runs() const { return {prefix_ + "n/", prefix_ + "n0"}; }
  [[nodiscard]] std::string rulings() const { return prefix_ + "rulings"; }
  [[nodiscard]] EtcdSpan all() const;
  // Leases and resting slots.
  [[nodiscard]] EtcdSpan leases(std::string_view pool) const;
  [[nodiscard]] EtcdSpan tickets(std::string_view pool) const;

  // Returns nullopt for a key that another program has put there.
  [[nodiscard]] std::optional<EtcdPlace> place(std::string_view key) const;

 private:
  std::string prefix_;
};

}  // namespace distributex
