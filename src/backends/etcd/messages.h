// SPDX-License-Identifier: MIT
// Questions to etcd and its answers, as plain values. Nothing here knows JSON, HTTP or
// locks. Every question is a transaction. Without compares and with ranges alone it is a
// linearizable read and adds no entry to etcd's log.
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

// Target mod or create: true if the key, or every key of the range, has this revision; an
// absent key and an empty range have revision 0. Target value: true if the key exists and
// has this value.
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

// The result of one operation; empty for a put and a delete.
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
  EtcdKv kv;  // after a deletion: the key, and the revision of the deletion
};

// One message of a watch.
struct EtcdNews {
  bool created = false;
  bool ended = false;  // no message follows, although the connection may stay open
  uint64_t revision = 0;
  std::vector<EtcdEvent> events;
  std::string reason;  // why it ended
};

// What a member says of its health.
struct EtcdHealth {
  std::string version;
  uint64_t bytes = 0;         // size of its database file
  uint64_t bytes_in_use = 0;  // 0: this version of etcd does not tell
  bool has_leader = false;
  std::string errors;  // "NOSPACE", "no leader"; empty: none
};

}  // namespace distributex
