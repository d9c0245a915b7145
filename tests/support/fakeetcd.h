// SPDX-License-Identifier: MIT
// An etcd in memory for the backend's core: transactions, revisions and a watch
// as etcd has them, and a wire for each server on which nothing moves until the
// test moves it: requests arrive late or twice, answers are lost, events wait.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/etcd/wire.h"

namespace distributex::test {

class FakeEtcd {
 public:
  struct Entry {
    std::string value;
    uint64_t create = 0;
    uint64_t mod = 0;
  };
  struct Logged {
    uint64_t revision = 0;
    std::vector<EtcdEvent> events{};
    Time at{};    // when it was carried out
    Time sent{};  // when it was asked for
  };

  EtcdAnswer apply(const EtcdTxn& txn, Time now = {}, Time sent = {});
  // All keys gone and the revisions from 1 again.
  void wipe();

  [[nodiscard]] const std::map<std::string, Entry>& store() const { return store_; }
  [[nodiscard]] const std::vector<Logged>& log() const { return log_; }
  [[nodiscard]] uint64_t revision() const { return revision_; }
  [[nodiscard]] uint64_t writes() const { return writes_; }  // that went through raft

 private:
  [[nodiscard]] bool holds(const EtcdCompare& compare) const;
  [[nodiscard]] EtcdPart range(const EtcdRange& range) const;
  void change(const EtcdOp& op, std::vector<EtcdEvent>& events);

  std::map<std::string, Entry> store_;
  std::vector<Logged> log_;
  uint64_t revision_ = 1;
  uint64_t writes_ = 0;
};

class FakeWire final : public EtcdWire {
 public:
  FakeWire(FakeEtcd& etcd, const Time& now) : etcd_(etcd), now_(now) {}

  void ask(EtcdTxn txn, Duration limit, Replied replied) override;
  void watch(const std::string& key, const std::string& range_end, Heard heard) override;
  void move_on(const std::string&) override { moves_++; }

  // Requests of which the server has heard nothing yet, the oldest first.
  [[nodiscard]] size_t open() const { return asked_.size(); }
  [[nodiscard]] bool is_overdue(size_t i) const;
  void carry_out(size_t i);                              // now; again, if it was before
  void answer(size_t i);                                 // carries it out unless it was
  void answer_with(size_t i, const EtcdAnswer& answer);  // whatever etcd would say
  void lose(size_t i);    // its outcome is unknown; it may still be carried out
  void refuse(size_t i);  // not done; only when it was not carried out
  // One of the lost ones that were not carried out arrives after all.
  bool arrive_late(size_t choice);
  // The etcd is gone, and with it all that it was asked: every request is unknown
  // and none of them is carried out any more.
  void cut();

  // The next message of the watch, if there is one.
  bool tell();
  void end_watch();
  [[nodiscard]] size_t moves() const { return moves_; }  // to another member
  [[nodiscard]] bool is_watched() const { return heard_ != nullptr; }

 private:
  struct Asked {
    EtcdTxn txn;
    Time sent;
    Time until;
    Replied replied;
    std::optional<EtcdAnswer> answer{};
  };
  Asked take(size_t i);

  FakeEtcd& etcd_;
  const Time& now_;
  std::list<Asked> asked_;
  std::vector<std::pair<EtcdTxn, Time>> lost_;  // and when they were asked for
  std::string from_;
  std::string to_;
  Heard heard_;
  bool is_created_ = false;
  size_t told_ = 0;  // of the log
  size_t moves_ = 0;
};

}  // namespace distributex::test
