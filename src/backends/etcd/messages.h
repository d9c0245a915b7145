// SPDX-License-Identifier: MIT
// What is asked of etcd and what it answers, as plain values. Nothing here
// knows JSON, HTTP or locks. Every question is a transaction: one without
// compares and with ranges alone is a linearizable read and costs etcd no entry
// in its log.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace distributex {

struct EtcdKv {
  std::string key{};
  std::string value{};
  uint64_t create = 0;  // the revision at which the key appeared
  uint64_t mod = 0;     // the revision of its last change
};

// Holds when the revision of the key, or that of every key of the range, is
// this one. A key that is absent, and an empty range, compare as revision 0. Of a
// value: holds when the key is there and has it.
struct EtcdCompare {
  enum class Target { mod, create, value };
  Target target = Target::mod;
  std::string key;
  std::string range_end;  // empty: the key alone
  uint64_t revision = 0;
  std::string value{};
};

struct EtcdPut {
  std::string key;
  std::string value;
};
struct EtcdDelete {
  std::string key;
};
struct EtcdRange {
  std::string key;
  std::string range_end{};  // empty: the key alone
  uint32_t limit = 0;       // 0: all of them
  bool count_only = false;
  uint64_t revision = 0;  // 0: the newest
};
using EtcdOp = std::variant<EtcdPut, EtcdDelete, EtcdRange>;

struct EtcdTxn {
  std::vector<EtcdCompare> compares;
  std::vector<EtcdOp> success;
  std::vector<EtcdOp> failure;
};

// What came of one operation; empty for a put and a delete.
struct EtcdPart {
  std::vector<EtcdKv> kvs;
  uint64_t count = 0;
  bool more = false;
};

struct EtcdAnswer {
  uint64_t revision = 0;  // of the whole store, after the transaction
  bool succeeded = false;
  std::vector<EtcdPart> parts;  // one for each operation of the branch taken
};

struct EtcdEvent {
  bool deleted = false;
  EtcdKv kv;  // of a deletion: the key, and the revision at which it went
};

// One message of a watch.
struct EtcdNews {
  bool created = false;
  bool ended = false;  // nothing follows, although the connection may stay open
  uint64_t revision = 0;
  std::vector<EtcdEvent> events;
  std::string reason;  // of the end
};

// What a member says of itself.
struct EtcdHealth {
  std::string version;
  uint64_t bytes = 0;         // of its database file
  uint64_t bytes_in_use = 0;  // 0: too old to tell
  bool has_leader = false;
  std::string errors;  // "NOSPACE", "no leader"; empty: none
};

}  // namespace distributex
